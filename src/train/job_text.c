#include "train/job_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { EXACT_DIGITS = 17 }; /* that bring any double back as it was */

void job_text_seed(char out[JOB_SEED_TEXT], uint64_t seed)
{
    snprintf(out, JOB_SEED_TEXT, "%" PRIu64, seed);
}

bool job_text_read_seed(const char *text, uint64_t *seed)
{
    char *end;
    if (!*text || strspn(text, "0123456789") != strlen(text)) return false;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    return errno == 0;
}

bool job_text_fits(json_int_t number)
{
    return number >= 0 && number <= UINT32_MAX;
}

bramble_status job_text_dump(char **text, json_t *job, bramble_error *error)
{
    char *dumped = job ? json_dumps(job, JSON_COMPACT | JSON_REAL_PRECISION(EXACT_DIGITS)) : NULL;
    char *copy = dumped ? mem_strdup(dumped) : NULL;
    free(dumped);
    json_decref(job);
    if (!copy) return error_memory(error, "the text of a job");
    *text = copy;
    return BRAMBLE_OK;
}

bramble_status job_text_bad(const char *what, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_DATA,
                     "the job cannot be read: %s; run the same version of bramble on all nodes", what);
}
