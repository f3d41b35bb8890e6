/* What the engine is asked to do, as text that travels. */
#ifndef CLUSTER_JOB_H
#define CLUSTER_JOB_H

#include <stdbool.h>

#include "cluster/blob.h"

struct job {
    uint32_t number;    /* counts the jobs of a session from 1 */
    uint32_t n_tasks;   /* at least 1 */
    uint32_t n_members; /* ranks 1..n_members do it together; 0: each does tasks on its own */
    bool chained;       /* its program is (program.h): rates of members are not of tasks; does not travel */
    char *program;      /* its name */
    char *text;         /* for the program */
    char
        *journal; /* path of the file results go to, and the key it must have; on the coordinator's machine */
    char *key;
    char *data; /* path of the data file there, or NULL: the job has none */
    char hash[BLOB_HASH_LENGTH + 1];
    uint64_t data_bytes; /* at least 1; without data 0, and the hash empty */
};

/* One line; mem_free it; NULL: out of memory, or a text or name that is not UTF-8. */
char *job_to_json(const struct job *job);
bramble_status job_from_json(struct job *job, const char *text, size_t length, bramble_error *error);
void job_fini(struct job *job);

#endif
