#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "cluster/coordinator_internal.h"

#define SYNC_SECONDS 0.5 /* from one sync to the next, at least */
#define SYNC_TIMES 10    /* and so many times as long as it took */

bool coordinator_at_job(const struct coordinator *c, uint32_t number)
{
    return (c->schedule || c->prepared) && (!number || number == c->job.number);
}

void coordinator_drop_job(struct coordinator *c)
{
    errand_wait(&c->opening.errand);
    errand_wait(&c->syncing.errand);
    coordinator_chain_save(c);
    for (uint32_t rank = 1; coordinator_at_job(c, 0) && rank <= c->n_workers; rank++)
        wire_send_copy(c->wire, rank, WIRE_JOB_DONE, NULL, 0);
    schedule_free(c->opening.schedule);
    journal_close(c->opening.journal);
    schedule_free(c->schedule);
    journal_close(c->journal);
    carrier_free(c->carrier);
    coordinator_together_drop(c);
    coordinator_chain_drop(c);
    job_fini(&c->job);
    c->opening = c->syncing = (struct bookkeeping){0};
    c->schedule = NULL;
    c->journal = NULL;
    c->carrier = NULL;
    c->prepared = c->no_copy = c->unsynced = c->final = c->out_of_memory = false;
    for (uint32_t rank = 0; rank <= c->n_workers; rank++) {
        c->nodes[rank].has_data = c->nodes[rank].waits_for_data = false;
        c->nodes[rank].receivers = 0;
        c->nodes[rank].credit = (struct wire_credit){0};
    }
}

/* Others may well be at a job that cannot be prepared here: why not is said when it shall begin. */
void coordinator_fail_job(struct coordinator *c, uint32_t rank, const bramble_error *error)
{
    if (c->prepared && !c->opening.schedule)
        coordinator_report(c, "opened %" PRIu32 " 0", c->job.number);
    else
        coordinator_report(c, "error %" PRIu32 " %d %" PRIu32 " %s", c->job.number, (int)error->status, rank,
                           error->message);
    coordinator_drop_job(c);
}

static bramble_status mark_done(void *context, uint32_t task, const void *bytes, uint32_t length,
                                bramble_error *error)
{
    (void)bytes, (void)length, (void)error;
    schedule_mark_done(context, task);
    return BRAMBLE_OK;
}

/* Beside: a long journal takes a while to read. */
static void open_job(void *context)
{
    struct bookkeeping *opening = context;
    const struct job *job = opening->job;
    opening->status = journal_append_open(&opening->journal, job->journal, job->key, &opening->error);
    if (!opening->status && opening->chained)
        opening->status =
            journal_read(job->journal, job->key, coordinator_chain_visit, opening, &opening->error);
    else if (!opening->status)
        opening->status = journal_read(job->journal, job->key, mark_done, opening->schedule, &opening->error);
}

/* The job of an order goes into c; false: it failed. One that is prepared already is kept as it is. */
static bool read_job(struct coordinator *c, const char *text)
{
    struct job job = {0};
    bramble_error error = {0};
    bramble_status status = job_from_json(&job, text, strlen(text), &error);
    if (!status && c->prepared && job.number == c->job.number) {
        job_fini(&job);
        return true;
    }
    coordinator_drop_job(c);
    c->job = job;
    if (status) {
        coordinator_fail_job(c, 0, &error);
        return false;
    }
    const struct program *program = program_find(c->programs, c->job.program);
    c->chained = program && program->chained;
    c->first_begins = program && program->first_begins;
    if (c->chained) c->job.n_members = c->n_workers;
    return true;
}

/* A job that is done together is divided first, among those that are there when it begins. */
void coordinator_prepare_job(struct coordinator *c, const char *text)
{
    if (!read_job(c, text) || c->prepared) return;
    const struct program *program = program_find(c->programs, c->job.program);
    if (program && program->divide) {
        coordinator_report(c, "opened %" PRIu32 " 0", c->job.number);
        coordinator_drop_job(c);
        return;
    }
    c->prepared = true;
    for (uint32_t rank = 1; c->prepared && rank <= c->n_workers; rank++)
        coordinator_send_job(c, rank, &c->job);
}

void coordinator_take_job(struct coordinator *c, const char *text)
{
    bramble_error error = {0};
    if (!read_job(c, text)) return;
    c->opening.job = &c->job;
    c->opening.chained = c->chained;
    c->opening.schedule = schedule_new(c->job.n_tasks, c->n_workers);
    if (c->opening.schedule) {
        errand_start(&c->opening.errand, open_job, &c->opening);
        return;
    }
    error_memory(&error, "the list of tasks");
    coordinator_fail_job(c, 0, &error);
}

void coordinator_send_job(struct coordinator *c, uint32_t rank, const struct job *job)
{
    bramble_error error;
    char *text = job_to_json(job);
    if (text) {
        c->nodes[rank].state = WORKER_LOADING;
        wire_send_copy(c->wire, rank, WIRE_JOB, text, strlen(text));
    } else {
        error_memory(&error, "a job");
        coordinator_fail_job(c, 0, &error);
    }
    mem_free(text);
}

/* Those that prepared it begin, those that could not are asked again: the generation before, which was there
 * beside them, is gone. */
static void begin_prepared(struct coordinator *c)
{
    c->prepared = false;
    for (uint32_t rank = 1; c->schedule && rank <= c->n_workers; rank++) {
        if (c->nodes[rank].state == WORKER_WORKING && !c->chained)
            schedule_join(c->schedule, rank - 1, c->nodes[rank].threads);
        else if (c->nodes[rank].state == WORKER_OUT)
            coordinator_send_job(c, rank, &c->job);
    }
    if (c->chained && c->schedule) coordinator_chain_ready(c);
}

static void announce_job(struct coordinator *c)
{
    const struct program *program = program_find(c->programs, c->job.program);
    c->schedule = c->opening.schedule;
    c->journal = c->opening.journal;
    c->opening.schedule = NULL;
    c->opening.journal = NULL;
    if (program && program->divide)
        coordinator_divide(c, program);
    else if (c->prepared)
        begin_prepared(c);
    else
        for (uint32_t rank = 1; c->schedule && rank <= c->n_workers; rank++)
            coordinator_send_job(c, rank, &c->job);
}

static void sync_journal(void *context)
{
    struct bookkeeping *syncing = context;
    const struct link_of_chain *last = &syncing->last;
    syncing->status = last->bytes ? journal_replace(syncing->journal, last->task, last->bytes, last->length,
                                                    &syncing->error)
                                  : journal_sync(syncing->journal, &syncing->error);
}

/* Starts a sync when it is time for one; the last one as soon as every result is written. */
static void start_sync(struct coordinator *c, double now)
{
    bool finished = schedule_finished(c->schedule);
    if (c->syncing.errand.out || !(finished || (c->unsynced && now - c->synced >= c->sync_pause))) return;
    c->final = finished;
    c->unsynced = false;
    c->synced = now;
    c->syncing.journal = c->journal;
    mem_free(c->syncing.last.bytes);
    c->syncing.last = c->newest;
    c->newest = (struct link_of_chain){0};
    errand_start(&c->syncing.errand, sync_journal, &c->syncing);
}

void coordinator_tend_job(struct coordinator *c)
{
    if (errand_back(&c->opening.errand)) {
        if (c->opening.status)
            coordinator_fail_job(c, 0, &c->opening.error);
        else
            announce_job(c);
    }
    if (errand_back(&c->syncing.errand)) {
        double pause = SYNC_TIMES * (clock_seconds() - c->synced);
        c->sync_pause = pause > SYNC_SECONDS ? pause : SYNC_SECONDS;
        if (c->syncing.status) {
            coordinator_fail_job(c, 0, &c->syncing.error);
        } else if (c->final) {
            coordinator_report_progress(c);
            coordinator_report(c, "done %" PRIu32, c->job.number);
            coordinator_drop_job(c);
        }
    }
    if (c->schedule) start_sync(c, clock_seconds());
}
