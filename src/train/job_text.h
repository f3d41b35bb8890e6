/* What the texts of all jobs (forest_job.h, net_job.h) have in common: JSON that gives numbers back as they
 * were, and that is hostile until it is read. */
#ifndef TRAIN_JOB_TEXT_H
#define TRAIN_JOB_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <bramble/error.h>

enum { JOB_SEED_TEXT = 24 };

/* A seed is a text: JSON's numbers end at 2^53, jansson's at 2^63. */
void job_text_seed(char out[JOB_SEED_TEXT], uint64_t seed);
bool job_text_read_seed(const char *text, uint64_t *seed); /* false: it is none */

bool job_text_fits(json_int_t number); /* into a uint32_t */

/* Takes the job over (NULL: out of memory); *text is the caller's to mem_free. */
bramble_status job_text_dump(char **text, json_t *job, bramble_error *error);

/* BRAMBLE_ERR_DATA: says what is wrong with a text. */
bramble_status job_text_bad(const char *what, bramble_error *error);

#endif
