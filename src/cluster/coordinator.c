#include "cluster/coordinator.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "cluster/carrier.h"
#include "cluster/heartbeat.h"
#include "cluster/job.h"
#include "cluster/journal.h"
#include "cluster/lines.h"
#include "cluster/schedule.h"

#define REPORT_SECONDS 0.25
#define SYNC_SECONDS 0.5
#define PAUSE_NS 1000000 /* between looks at the network */

enum {
    RECEIVERS_EACH = 3
}; /* nodes one node sends the data to at once, so that a slow link holds up no other */

struct node_at_work {
    enum worker_state state;
    struct heartbeat beat;
    uint32_t threads;
    bool said_hello, has_data, waits_for_data, lost;
    uint32_t sender;    /* that sends it the data */
    uint32_t receivers; /* that it sends the data to; entry 0 is the coordinator itself */
};

struct coordinator {
    struct wire *wire;
    struct lines orders, reports;
    uint32_t n_workers, n_hello;
    struct node_at_work *nodes; /* by rank: 0 is the coordinator, 1..n_workers the others */
    struct job job;             /* program NULL: none */
    struct schedule *schedule;  /* of workers rank - 1; NULL: no job */
    struct journal *journal;
    struct carrier *carrier;
    bool unsynced, stop;
    double reported, synced;
};

const char *worker_state_name(enum worker_state state)
{
    static const char *const names[] = {"starting", "loading", "receiving", "working", "out"};
    return names[state];
}

static void report(struct coordinator *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void report(struct coordinator *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    str_vprintf(&c->reports.buffer, format, args);
    va_end(args);
    str_append(&c->reports.buffer, "\n", 1);
}

static void drop_job(struct coordinator *c)
{
    for (uint32_t rank = 1; c->schedule && rank <= c->n_workers; rank++)
        wire_send_copy(c->wire, rank, WIRE_JOB_DONE, NULL, 0);
    schedule_free(c->schedule);
    journal_close(c->journal);
    carrier_free(c->carrier);
    job_fini(&c->job);
    c->schedule = NULL;
    c->journal = NULL;
    c->carrier = NULL;
    for (uint32_t rank = 0; rank <= c->n_workers; rank++) {
        c->nodes[rank].has_data = c->nodes[rank].waits_for_data = false;
        c->nodes[rank].receivers = 0;
    }
}

static void fail_job(struct coordinator *c, const bramble_error *error)
{
    report(c, "error %s", error->message);
    drop_job(c);
}

/* All results are in: say so. */
static void finish_if_done(struct coordinator *c)
{
    bramble_error error = {0};
    if (!c->schedule || !schedule_finished(c->schedule)) return;
    report(c, "progress %" PRIu32 " %" PRIu32, c->job.n_tasks, c->job.n_tasks);
    if (journal_sync(c->journal, &error)) {
        fail_job(c, &error);
        return;
    }
    report(c, "done");
    drop_job(c);
}

static bramble_status mark_done(void *context, uint32_t task, const void *bytes, uint32_t length,
                                bramble_error *error)
{
    (void)bytes, (void)length, (void)error;
    schedule_mark_done(context, task);
    return BRAMBLE_OK;
}

static bramble_status open_job(struct coordinator *c, const char *text, bramble_error *error)
{
    bramble_status status = job_from_json(&c->job, text, strlen(text), error);
    if (status) return status;
    c->schedule = schedule_new(c->job.n_tasks, c->n_workers);
    if (!c->schedule) return error_memory(error, "the list of tasks");
    status = journal_append_open(&c->journal, c->job.journal, c->job.key, error);
    if (!status) status = journal_read(c->job.journal, c->job.key, mark_done, c->schedule, error);
    if (!status && c->job.data) status = carrier_new(&c->carrier, c->wire, c->job.data, c->job.number, error);
    return status;
}

static void take_job(struct coordinator *c, const char *text)
{
    bramble_error error = {0};
    drop_job(c);
    if (open_job(c, text, &error)) {
        fail_job(c, &error);
        return;
    }
    for (uint32_t rank = 1; rank <= c->n_workers; rank++) {
        c->nodes[rank].state = WORKER_LOADING;
        wire_send_copy(c->wire, rank, WIRE_JOB, text, strlen(text));
    }
    finish_if_done(c);
}

static void take_order(void *context, char *line)
{
    struct coordinator *c = context;
    if (strncmp(line, "job ", 4) == 0)
        take_job(c, line + 4);
    else if (strcmp(line, "drop") == 0)
        drop_job(c);
    else if (strcmp(line, "stop") == 0)
        c->stop = true;
}

/* Finds senders for those that wait for the data: the coordinator, or anybody who has them. */
static void deliver_data(struct coordinator *c)
{
    for (uint32_t to = 1; to <= c->n_workers; to++) {
        if (!c->nodes[to].waits_for_data) continue;
        uint32_t best = UINT32_MAX;
        for (uint32_t rank = 0; rank <= c->n_workers; rank++) {
            const struct node_at_work *node = &c->nodes[rank];
            if ((rank > 0 && (!node->has_data || node->lost)) || node->receivers >= RECEIVERS_EACH) continue;
            if (best == UINT32_MAX || node->receivers < c->nodes[best].receivers) best = rank;
        }
        if (best == UINT32_MAX) return;
        if (best == 0)
            carrier_add(c->carrier, to);
        else
            wire_send_copy(c->wire, best, WIRE_SEND_DATA, &to, sizeof to);
        c->nodes[best].receivers++;
        c->nodes[to].sender = best;
        c->nodes[to].waits_for_data = false;
        c->nodes[to].state = WORKER_RECEIVING;
    }
}

static void data_arrived(struct coordinator *c, uint32_t rank)
{
    struct node_at_work *node = &c->nodes[rank];
    if (node->state == WORKER_RECEIVING && c->nodes[node->sender].receivers)
        c->nodes[node->sender].receivers--;
    node->has_data = true;
    node->state = WORKER_LOADING;
    report(c, "have %" PRIu32, rank);
}

static void greet(struct coordinator *c, uint32_t rank, const struct wire_message *message)
{
    struct wire_hello hello;
    if (message->length != sizeof hello || c->nodes[rank].said_hello) return;
    memcpy(&hello, message->bytes, sizeof hello);
    c->nodes[rank].said_hello = true;
    c->nodes[rank].threads = hello.threads;
    heartbeat_start(&c->nodes[rank].beat, clock_seconds());
    report(c, "hello %" PRIu32 " %" PRIu32 " %" PRIu32, rank, hello.pid, hello.threads);
    if (++c->n_hello == c->n_workers) report(c, "ready");
}

static void send_number(struct coordinator *c, uint32_t rank, enum wire_tag tag, uint32_t number)
{
    wire_send_copy(c->wire, rank, tag, &number, sizeof number);
}

/* Gives a worker all it should have. */
static void feed(struct coordinator *c, uint32_t rank, double now)
{
    uint32_t task;
    while (schedule_next(c->schedule, rank - 1, now, &task)) send_number(c, rank, WIRE_TASK, task);
}

static void feed_all(struct coordinator *c)
{
    double now = clock_seconds();
    for (uint32_t rank = 1; c->schedule && rank <= c->n_workers; rank++)
        if (c->nodes[rank].state == WORKER_WORKING) feed(c, rank, now);
}

static void take_result(struct coordinator *c, uint32_t rank, const struct wire_message *message)
{
    struct wire_result head;
    bramble_error error = {0};
    if (message->length < sizeof head || !c->schedule) return;
    memcpy(&head, message->bytes, sizeof head);
    if (head.job != c->job.number || head.task >= c->job.n_tasks || !(head.seconds >= 0)) return;
    if (!schedule_result(c->schedule, rank - 1, head.task, head.seconds)) return;
    if (journal_append(c->journal, head.task, message->bytes + sizeof head,
                       (uint32_t)(message->length - sizeof head), &error)) {
        fail_job(c, &error);
        return;
    }
    c->unsynced = true;
    uint32_t w, task;
    while (schedule_take_cancel(c->schedule, &w, &task)) send_number(c, w + 1, WIRE_CANCEL, task);
    finish_if_done(c);
}

static bool anybody_left(const struct coordinator *c)
{
    for (uint32_t rank = 1; rank <= c->n_workers; rank++)
        if (!c->nodes[rank].lost && c->nodes[rank].state != WORKER_OUT) return true;
    return false;
}

static void leave_out(struct coordinator *c, uint32_t rank, const struct wire_message *message)
{
    bramble_error error = {.status = BRAMBLE_ERR_DATA};
    if (message->length != sizeof(uint32_t) + sizeof error.message || !c->schedule) return;
    memcpy(error.message, message->bytes + sizeof(uint32_t), sizeof error.message - 1);
    c->nodes[rank].state = WORKER_OUT;
    c->nodes[rank].waits_for_data = false;
    schedule_leave(c->schedule, rank - 1);
    report(c, "out %" PRIu32 " %s", rank, error.message);
    if (!anybody_left(c)) fail_job(c, &error);
}

static void take_note(struct coordinator *c, uint32_t rank, const struct wire_message *message)
{
    bramble_error line = {0}; /* cleans what came in */
    error_set(&line, BRAMBLE_OK, "%.*s", (int)(message->length < 400 ? message->length : 400),
              message->bytes ? (const char *)message->bytes : "");
    report(c, "note %" PRIu32 " %s", rank, line.message);
}

static void handle(void *context, struct wire_message *message)
{
    struct coordinator *c = context;
    uint32_t rank = message->from;
    if (rank == 0 || rank > c->n_workers) return;
    struct node_at_work *node = &c->nodes[rank];
    switch (message->tag) {
    case WIRE_HELLO: greet(c, rank, message); break;
    case WIRE_BEAT: heartbeat_arrived(&node->beat, clock_seconds()); break;
    case WIRE_NEED_DATA: node->waits_for_data = c->carrier != NULL; break;
    case WIRE_HAVE_DATA: data_arrived(c, rank); break;
    case WIRE_READY:
        if (!c->schedule) break;
        node->state = WORKER_WORKING;
        schedule_join(c->schedule, rank - 1, node->threads);
        break;
    case WIRE_RESULT: take_result(c, rank, message); break;
    case WIRE_FAILED: leave_out(c, rank, message); break;
    case WIRE_NOTE: take_note(c, rank, message); break;
    default: break;
    }
}

/* Who has been silent for too long gets no more tasks; the supervisor decides what becomes of the job. */
static void watch(struct coordinator *c)
{
    double now = clock_seconds();
    for (uint32_t rank = 1; rank <= c->n_workers; rank++) {
        struct node_at_work *node = &c->nodes[rank];
        if (!node->said_hello || node->lost || !heartbeat_missed(&node->beat, now)) continue;
        node->lost = true;
        if (c->schedule) schedule_leave(c->schedule, rank - 1);
        report(c, "lost %" PRIu32 " %.2f", rank, now - node->beat.last);
    }
}

static void report_progress(struct coordinator *c)
{
    double now = clock_seconds();
    if (now - c->reported < REPORT_SECONDS) return;
    c->reported = now;
    report(c, "progress %" PRIu32 " %" PRIu32, c->schedule ? schedule_tasks_done(c->schedule) : 0,
           c->job.n_tasks);
    for (uint32_t rank = 1; c->schedule && rank <= c->n_workers; rank++)
        report(c, "worker %" PRIu32 " %s %" PRIu32 " %.4f", rank, worker_state_name(c->nodes[rank].state),
               schedule_tasks_by(c->schedule, rank - 1), schedule_rate(c->schedule, rank - 1));
}

static void keep_journal(struct coordinator *c)
{
    bramble_error error = {0};
    double now = clock_seconds();
    if (!c->unsynced || !c->journal || now - c->synced < SYNC_SECONDS) return;
    c->synced = now;
    c->unsynced = false;
    if (journal_sync(c->journal, &error)) fail_job(c, &error);
}

static void coordinate(struct coordinator *c)
{
    report(c, "here %d", (int)getpid());
    while (!c->stop && !c->orders.ended && !c->reports.ended) {
        bool any = lines_read(&c->orders, take_order, c);
        any |= wire_poll(c->wire, handle, c);
        if (c->carrier) {
            deliver_data(c);
            any |= carrier_poll(c->carrier);
        }
        feed_all(c);
        watch(c);
        keep_journal(c);
        report_progress(c);
        lines_write(&c->reports);
        if (!any) nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
    }
}

bramble_status coordinator_run(struct wire *wire, uint32_t n_workers, const char *orders_path,
                               const char *reports_path, bramble_error *error)
{
    struct coordinator c = {.wire = wire, .n_workers = n_workers};
    signal(SIGPIPE, SIG_IGN);
    c.reports.fd = open(reports_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    c.orders.fd = open(orders_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    c.nodes = mem_zalloc(n_workers + 1, sizeof *c.nodes);
    bramble_status status = BRAMBLE_OK;
    if (c.reports.fd < 0 || c.orders.fd < 0)
        status = error_set(error, BRAMBLE_ERR_IO, "%s: cannot be opened: %s", reports_path, strerror(errno));
    else if (!c.nodes)
        status = error_memory(error, "the list of nodes");
    else
        coordinate(&c);
    if (c.nodes) drop_job(&c);
    for (uint32_t rank = 1; !status && rank <= n_workers; rank++)
        if (!c.nodes[rank].lost) wire_send_copy(wire, rank, WIRE_STOP, NULL, 0);
    if (c.orders.fd >= 0) close(c.orders.fd);
    if (c.reports.fd >= 0) close(c.reports.fd);
    str_fini(&c.orders.buffer);
    str_fini(&c.reports.buffer);
    mem_free(c.nodes);
    return status;
}
