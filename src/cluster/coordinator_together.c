#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "cluster/coordinator_internal.h"

/* What one member gets of the data. */
struct part {
    char *path;
    bool cached; /* the file is the cache's, not ours to remove */
    char hash[BLOB_HASH_LENGTH + 1];
    uint64_t bytes;
    struct carrier *carrier; /* once the member asked for it */
};

struct together {
    const struct program *program;
    const struct job *job;
    uint64_t *memory;   /* of each worker */
    struct part *parts; /* of rank 1 + i */
    uint32_t n_members; /* ranks 1..n_members take part */
    uint32_t n_ready;
    struct errand errand; /* that divides */
    atomic_bool stop;
    bramble_status status; /* of the errand */
    bramble_error error;
};

/* Into the cache, where a worker on this machine finds it; or it stays beside the journal. */
static bramble_status keep(struct part *part, char *path, bramble_error *error)
{
    bramble_status status = blob_hash_file(path, part->hash, &part->bytes, error);
    if (!status) status = blob_adopt(path, part->hash, &part->path, error);
    part->cached = !status && strcmp(part->path, path) != 0;
    if (status) unlink(path);
    return status;
}

static bramble_status make_part(struct together *t, uint32_t member)
{
    struct str path = {0};
    str_printf(&path, "%s.part%" PRIu32, t->job->journal, member + 1);
    bramble_status status = path.failed ? error_memory(&t->error, "a file's name") : BRAMBLE_OK;
    if (!status)
        status = t->program->divide(t->job->text, t->job->data, t->memory, &t->n_members, member, path.data,
                                    &t->error);
    if (!status) status = keep(&t->parts[member], path.data, &t->error);
    str_fini(&path);
    return status;
}

/* Beside. */
static void divide(void *context)
{
    struct together *t = context;
    for (uint32_t m = 0; t->job->data && !t->status && m < t->n_members && !atomic_load(&t->stop); m++)
        t->status = make_part(t, m);
}

void coordinator_divide(struct coordinator *c, const struct program *program)
{
    bramble_error error;
    struct together *t = c->together = mem_zalloc(1, sizeof *t);
    if (t) t->memory = mem_alloc(c->n_workers, sizeof *t->memory);
    if (t) t->parts = mem_zalloc(c->n_workers, sizeof *t->parts);
    if (!t || !t->memory || !t->parts) {
        error_memory(&error, "dividing the data");
        coordinator_fail_job(c, 0, &error);
        return;
    }
    t->program = program;
    t->job = &c->job;
    t->n_members = c->n_workers;
    for (uint32_t i = 0; i < c->n_workers; i++) {
        t->memory[i] = c->nodes[1 + i].memory;
        c->nodes[1 + i].state = WORKER_LOADING;
    }
    errand_start(&t->errand, divide, t);
}

void coordinator_together_drop(struct coordinator *c)
{
    struct together *t = c->together;
    if (!t) return;
    atomic_store(&t->stop, true);
    errand_wait(&t->errand);
    for (uint32_t i = 0; t->parts && i < c->n_workers; i++) {
        struct part *part = &t->parts[i];
        if (part->path && !part->cached) unlink(part->path);
        carrier_free(part->carrier);
        mem_free(part->path);
    }
    mem_free(t->memory);
    mem_free(t->parts);
    mem_free(t);
    c->together = NULL;
}

static void announce_parts(struct coordinator *c)
{
    struct together *t = c->together;
    coordinator_report(c, "divided %" PRIu32 " %" PRIu32, c->job.number, t->n_members);
    for (uint32_t rank = 1; c->together && rank <= t->n_members; rank++) {
        const struct part *part = &t->parts[rank - 1];
        struct job job = c->job;
        job.n_members = t->n_members;
        job.data = part->path;
        job.data_bytes = part->bytes;
        memcpy(job.hash, part->hash, sizeof job.hash);
        coordinator_send_job(c, rank, &job);
    }
    for (uint32_t rank = t->n_members + 1; c->together && rank <= c->n_workers; rank++) {
        c->nodes[rank].state = WORKER_OUT;
        coordinator_report(c, "out %" PRIu32 " there is no part of the data left for it", rank);
    }
}

void coordinator_together_data_needed(struct coordinator *c, uint32_t rank)
{
    bramble_error error;
    struct together *t = c->together;
    if (rank > t->n_members || !t->parts[rank - 1].path || t->parts[rank - 1].carrier) return;
    struct part *part = &t->parts[rank - 1];
    if (carrier_new(&part->carrier, c->wire, part->path, c->job.number, &error)) {
        coordinator_fail_job(c, 0, &error);
        return;
    }
    carrier_add(part->carrier, rank);
    c->nodes[rank].sender = 0;
    c->nodes[rank].state = WORKER_RECEIVING;
}

static bool send_parts(struct coordinator *c)
{
    bramble_error error;
    bool any = false;
    for (uint32_t i = 0; c->together && i < c->together->n_members; i++) {
        struct part *part = &c->together->parts[i];
        if (!part->carrier) continue;
        any |= carrier_poll(part->carrier);
        if (!carrier_failed(part->carrier)) continue;
        error_set(&error, BRAMBLE_ERR_IO, "%s: cannot be read any more; run it again", part->path);
        coordinator_fail_job(c, 0, &error);
    }
    return any;
}

bool coordinator_tend_together(struct coordinator *c)
{
    if (!c->together) return false;
    if (errand_back(&c->together->errand)) {
        if (c->together->status)
            coordinator_fail_job(c, 0, &c->together->error);
        else
            announce_parts(c);
    }
    return send_parts(c);
}

/* The job, and the tasks that are not in the journal. */
static uint32_t *list_tasks(const struct coordinator *c, size_t *length)
{
    size_t n = 1;
    uint32_t *list = mem_alloc(1 + (size_t)c->job.n_tasks, sizeof *list);
    if (!list) return NULL;
    list[0] = c->job.number;
    for (uint32_t task = 0; task < c->job.n_tasks; task++)
        if (!schedule_is_done(c->schedule, task)) list[n++] = task;
    *length = n * sizeof *list;
    return list;
}

void coordinator_together_ready(struct coordinator *c)
{
    bramble_error error;
    size_t length;
    if (++c->together->n_ready < c->together->n_members) return;
    uint32_t *list = list_tasks(c, &length);
    if (!list) {
        error_memory(&error, "a list of tasks");
        coordinator_fail_job(c, 0, &error);
        return;
    }
    for (uint32_t rank = 1; rank <= c->together->n_members; rank++)
        wire_send_copy(c->wire, rank, WIRE_TOGETHER, list, length);
    mem_free(list);
}
