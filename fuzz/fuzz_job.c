/* Jobs from others' hands: what is taken reads back the same, and names no path by its hash. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool true_statement)
{
    if (!true_statement) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct job job, again;
    bramble_error error = {0};
    bramble_status status = job_from_json(&job, (const char *)data, size, &error);
    must(!status == !*error.message);
    if (status) return 0;
    must(job.number >= 1 && job.n_tasks >= 1 && (job.data ? blob_hash_valid(job.hash) : !*job.hash));
    char *text = job_to_json(&job);
    must(text && job_from_json(&again, text, strlen(text), &error) == BRAMBLE_OK);
    must(strcmp(job.text, again.text) == 0 && job.data_bytes == again.data_bytes && !job.data == !again.data);
    mem_free(text);
    job_fini(&job);
    job_fini(&again);
    return 0;
}
