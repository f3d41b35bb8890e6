#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/coordinator_internal.h"

static void link_fini(struct link_of_chain *link)
{
    mem_free(link->bytes);
    *link = (struct link_of_chain){0};
}

/* Whoever goes on begins there. */
void coordinator_chain_save(struct coordinator *c)
{
    const struct link_of_chain *newest = &c->newest;
    if (newest->bytes && c->journal)
        journal_replace(c->journal, newest->task, newest->bytes, newest->length, NULL);
}

void coordinator_chain_drop(struct coordinator *c)
{
    link_fini(&c->opening.first);
    link_fini(&c->opening.last);
    link_fini(&c->syncing.last);
    link_fini(&c->newest);
    c->chained = false;
}

static bramble_status keep(struct link_of_chain *link, uint32_t task, const void *bytes, uint32_t length,
                           bramble_error *error)
{
    void *copy = mem_alloc((size_t)length + 1, 1);
    if (!copy) return error_memory(error, "how far the job is");
    memcpy(copy, bytes, length);
    link_fini(link);
    *link = (struct link_of_chain){task, length, copy};
    return BRAMBLE_OK;
}

/* The first record is task 0's. A damaged one may be missing. */
bramble_status coordinator_chain_visit(void *context, uint32_t task, const void *bytes, uint32_t length,
                                       bramble_error *error)
{
    struct bookkeeping *opening = context;
    if (task >= opening->job->n_tasks || (opening->last.bytes && task < opening->last.task))
        return BRAMBLE_OK;
    for (uint32_t t = 0; t <= task; t++) schedule_mark_done(opening->schedule, t);
    bramble_status status = task ? BRAMBLE_OK : keep(&opening->first, task, bytes, length, error);
    return status ? status : keep(&opening->last, task, bytes, length, error);
}

static bool send_state(struct coordinator *c)
{
    const struct link_of_chain *first = &c->opening.first, *last = &c->opening.last;
    struct wire_chain head = {c->job.number, 0, first->length, last->length};
    size_t length = sizeof head + first->length + last->length;
    bool good = true;
    for (uint32_t rank = 1; good && rank <= c->n_workers; rank++) {
        uint8_t *message = mem_alloc(length, 1);
        if (!message) return false;
        memcpy(message, &head, sizeof head);
        memcpy(message + sizeof head, first->bytes, first->length);
        memcpy(message + sizeof head + first->length, last->bytes, last->length);
        good = wire_send(c->wire, rank, WIRE_CHAIN, message, length);
    }
    return good;
}

/* Begins when all are ready, and the journal has said where. */
void coordinator_chain_ready(struct coordinator *c)
{
    bramble_error error;
    for (uint32_t rank = 1; rank <= c->n_workers; rank++)
        if (c->nodes[rank].state != WORKER_WORKING) return;
    if (!c->schedule || schedule_finished(c->schedule)) return;
    if (!c->opening.first.bytes) {
        error_set(&error, BRAMBLE_ERR_DATA, "%s: the run's beginning is lost; start it anew", c->job.journal);
        coordinator_fail_job(c, 0, &error);
    } else if (send_state(c)) {
        link_fini(&c->opening.first);
        link_fini(&c->opening.last);
    } else {
        error_memory(&error, "how far the job is");
        coordinator_fail_job(c, 0, &error);
    }
}

/* The others go on without it: the supervisor starts them anew. */
void coordinator_chain_refused(struct coordinator *c, uint32_t rank, const bramble_error *error)
{
    if (c->n_workers == 1)
        coordinator_fail_job(c, rank, error);
    else
        coordinator_report(c, "unfit %" PRIu32 " %s", rank, error->message);
}

/* Only the first member hands them in, one further than the other. */
void coordinator_chain_result(struct coordinator *c, struct wire_message *message)
{
    struct wire_result head;
    memcpy(&head, message->bytes, sizeof head);
    if (message->from != 1 || schedule_is_done(c->schedule, head.task)) return;
    for (uint32_t t = 0; t < head.task; t++)
        if (!schedule_is_done(c->schedule, t)) schedule_mark_done(c->schedule, t);
    schedule_result(c->schedule, 0, head.task, 0);
    bramble_error error;
    if (keep(&c->newest, head.task, message->bytes + sizeof head, (uint32_t)(message->length - sizeof head),
             &error))
        coordinator_fail_job(c, 0, &error);
    else
        c->unsynced = true;
}
