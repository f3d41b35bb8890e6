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
    bramble_error error;
    const struct link_of_chain *last = c->newest.bytes ? &c->newest : &c->syncing.last;
    bool written = last == &c->syncing.last && !c->syncing.status;
    if (last->bytes && c->journal && !written &&
        journal_replace(c->journal, last->task, last->bytes, last->length, &error))
        coordinator_report(c, "note 0 %s", error.message);
}

void coordinator_chain_drop(struct coordinator *c)
{
    link_fini(&c->opening.first);
    link_fini(&c->opening.last);
    link_fini(&c->syncing.last);
    link_fini(&c->newest);
    c->chained = c->begun = false;
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
    if (task >= opening->job->n_tasks) return BRAMBLE_OK;
    bramble_status status = task ? BRAMBLE_OK : keep(&opening->first, task, bytes, length, error);
    if (status || (opening->last.bytes && task < opening->last.task)) return status;
    for (uint32_t t = 0; t <= task; t++) schedule_mark_done(opening->schedule, t);
    return keep(&opening->last, task, bytes, length, error);
}

static bool send_state_to(struct coordinator *c, uint32_t rank)
{
    static const struct link_of_chain nothing;
    bool told = rank == 1 || !c->first_begins;
    const struct link_of_chain *first = told ? &c->opening.first : &nothing;
    const struct link_of_chain *last = told && c->opening.last.task ? &c->opening.last : &nothing;
    struct wire_chain head = {c->job.number, 0, first->length, last->length};
    size_t length = sizeof head + first->length + last->length;
    uint8_t *message = mem_alloc(length, 1);
    if (!message) return false;
    memcpy(message, &head, sizeof head);
    if (first->length) memcpy(message + sizeof head, first->bytes, first->length);
    if (last->length) memcpy(message + sizeof head + first->length, last->bytes, last->length);
    return wire_send(c->wire, rank, WIRE_CHAIN, message, length);
}

static bool send_state(struct coordinator *c)
{
    bool good = true;
    for (uint32_t rank = 1; good && rank <= c->n_workers; rank++) good = send_state_to(c, rank);
    return good;
}

/* Begins when all are ready, and the journal has said where. */
void coordinator_chain_ready(struct coordinator *c)
{
    bramble_error error;
    for (uint32_t rank = 1; rank <= c->n_workers; rank++)
        if (c->nodes[rank].state != WORKER_WORKING) return;
    if (!c->schedule || c->begun || schedule_finished(c->schedule)) return;
    if (!c->opening.first.bytes) {
        error_set(&error, BRAMBLE_ERR_DATA, "%s: the run's beginning is lost; start it anew", c->job.journal);
        coordinator_fail_job(c, 0, &error);
    } else if (send_state(c)) {
        c->begun = true;
        link_fini(&c->opening.first);
        link_fini(&c->opening.last);
    } else {
        error_memory(&error, "how far the job is");
        coordinator_fail_job(c, 0, &error);
    }
}

/* What is wrong with the job itself would be so for everybody. From a node that lacks something the others go
 * on: the supervisor starts them anew without it. */
void coordinator_chain_refused(struct coordinator *c, uint32_t rank, uint32_t status,
                               const bramble_error *error)
{
    bool of_job = status == BRAMBLE_ERR_DATA || status == BRAMBLE_ERR_USAGE;
    if (of_job || c->n_workers == 1)
        coordinator_fail_job(c, of_job ? 0 : rank, error);
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
