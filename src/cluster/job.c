#include "cluster/job.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

char *job_to_json(const struct job *job)
{
    json_t *json =
        json_pack("{s:I, s:I, s:I, s:s, s:s, s:s, s:s, s:s*, s:s, s:I}", "number", (json_int_t)job->number,
                  "members", (json_int_t)job->n_members, "tasks", (json_int_t)job->n_tasks, "program",
                  job->program, "text", job->text, "journal", job->journal, "key", job->key, "data",
                  job->data, "hash", job->hash, "data_bytes", (json_int_t)job->data_bytes);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    char *copy = text ? mem_strdup(text) : NULL;
    free(text);
    json_decref(json);
    return copy;
}

void job_fini(struct job *job)
{
    mem_free(job->program);
    mem_free(job->text);
    mem_free(job->journal);
    mem_free(job->key);
    mem_free(job->data);
    *job = (struct job){0};
}

bramble_status job_from_json(struct job *job, const char *text, size_t length, bramble_error *error)
{
    const char *program = NULL, *words = NULL, *journal = NULL, *key = NULL, *data = NULL, *hash = NULL;
    json_int_t number = 0, tasks = 0, members = 0, bytes = 0;
    json_t *json = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    bool good = json && json_unpack(json, "{s:I, s:I, s:I, s:s, s:s, s:s, s:s, s?s, s:s, s:I}", "number",
                                    &number, "members", &members, "tasks", &tasks, "program", &program,
                                    "text", &words, "journal", &journal, "key", &key, "data", &data, "hash",
                                    &hash, "data_bytes", &bytes) == 0;
    good = good && number >= 1 && number <= UINT32_MAX && tasks >= 1 && tasks < UINT32_MAX && bytes >= 0 &&
           members >= 0 && members <= UINT32_MAX && (data ? bytes > 0 && blob_hash_valid(hash) : !*hash);
    if (!good) {
        json_decref(json);
        return error_set(error, BRAMBLE_ERR_DATA, "a job came in that cannot be read");
    }
    *job = (struct job){.number = (uint32_t)number,
                        .n_tasks = (uint32_t)tasks,
                        .n_members = (uint32_t)members,
                        .program = mem_strdup(program),
                        .text = mem_strdup(words),
                        .journal = mem_strdup(journal),
                        .key = mem_strdup(key),
                        .data = data ? mem_strdup(data) : NULL,
                        .data_bytes = (uint64_t)bytes};
    memcpy(job->hash, hash, strlen(hash) + 1);
    json_decref(json);
    if (job->program && job->text && job->journal && job->key && (!data || job->data)) return BRAMBLE_OK;
    job_fini(job);
    return error_memory(error, "a job");
}
