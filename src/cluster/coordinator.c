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
#include "cluster/confine.h"
#include "cluster/coordinator_internal.h"

#define REPORT_SECONDS 0.25
#define STALL_SECONDS 0.1 /* a look that comes later than this was ours to miss */
#define SECONDS_MOST 1e9  /* that a task may say it took */
#define RATE_MOST 1e12    /* of anything a second */
#define REST_NS 4000000   /* between looks at the network, at most */

enum { BACKLOG_MOST = 1 << 20, THREADS_MOST = 4096 };

const char *worker_state_name(enum worker_state state)
{
    static const char *const names[] = {"starting", "loading", "receiving", "working", "out"};
    return names[state];
}

void coordinator_report(struct coordinator *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    str_vprintf(&c->reports.buffer, format, args);
    va_end(args);
    str_append(&c->reports.buffer, "\n", 1);
}

static void take_order(void *context, char *line)
{
    struct coordinator *c = context;
    if (strncmp(line, "job ", 4) == 0)
        coordinator_take_job(c, line + 4);
    else if (strncmp(line, "prepare ", 8) == 0)
        coordinator_prepare_job(c, line + 8);
    else if (strcmp(line, "drop") == 0)
        coordinator_drop_job(c);
    else if (strcmp(line, "stop") == 0)
        c->stop = true;
}

static void greet(struct coordinator *c, uint32_t rank, const struct wire_message *message)
{
    struct wire_hello hello;
    if (message->length != sizeof hello || c->nodes[rank].said_hello) return;
    memcpy(&hello, message->bytes, sizeof hello);
    if (strncmp(hello.version, BRAMBLE_VERSION, sizeof hello.version) != 0) return;
    c->nodes[rank].said_hello = true;
    c->nodes[rank].memory = hello.memory;
    c->nodes[rank].threads = hello.threads < 1              ? 1
                             : hello.threads > THREADS_MOST ? THREADS_MOST
                                                            : hello.threads;
    heartbeat_start(&c->nodes[rank].beat, clock_seconds());
    coordinator_report(c, "hello %" PRIu32 " %" PRIu32 " %" PRIu32, rank, hello.pid, hello.threads);
    if (++c->n_hello == c->n_workers) coordinator_report(c, "ready");
}

static void send_pair(struct coordinator *c, uint32_t rank, enum wire_tag tag, uint32_t number)
{
    struct wire_pair pair = {c->job.number, number};
    wire_send_copy(c->wire, rank, tag, &pair, sizeof pair);
}

/* Gives a worker all it should have. */
static void feed(struct coordinator *c, uint32_t rank, double now)
{
    uint32_t task;
    while (schedule_next(c->schedule, rank - 1, now, &task)) send_pair(c, rank, WIRE_TASK, task);
}

static void feed_all(struct coordinator *c)
{
    double now = clock_seconds();
    for (uint32_t rank = 1; c->schedule && rank <= c->n_workers; rank++)
        if (c->nodes[rank].state == WORKER_WORKING) feed(c, rank, now);
}

static void take_result(struct coordinator *c, uint32_t rank, struct wire_message *message)
{
    struct wire_result head;
    bramble_error error = {0};
    if (message->length < sizeof head) return;
    memcpy(&head, message->bytes, sizeof head);
    if (!c->schedule || head.job != c->job.number || head.task >= c->job.n_tasks) return;
    if (!(head.seconds >= 0 && head.seconds < SECONDS_MOST)) return;
    if (c->chained) {
        coordinator_chain_result(c, message);
        return;
    }
    if (!schedule_result(c->schedule, rank - 1, head.task, head.seconds)) return;
    if (journal_append(c->journal, head.task, message->bytes + sizeof head,
                       (uint32_t)(message->length - sizeof head), &error)) {
        coordinator_fail_job(c, 0, &error);
        return;
    }
    c->unsynced = true;
    uint32_t w, task;
    while (schedule_take_cancel(c->schedule, &w, &task)) send_pair(c, w + 1, WIRE_CANCEL, task);
}

static bool anybody_left(const struct coordinator *c)
{
    for (uint32_t rank = 1; rank <= c->n_workers; rank++)
        if (!c->nodes[rank].lost && c->nodes[rank].state != WORKER_OUT) return true;
    return false;
}

/* A worker's words, fit for a line of ours. */
static void clean(bramble_error *line, bramble_status status, const uint8_t *bytes, size_t length)
{
    int most = (int)(length < sizeof line->message ? length : sizeof line->message);
    error_set(line, status, "%.*s", bytes ? most : 0, bytes ? (const char *)bytes : "");
}

static void leave_out(struct coordinator *c, uint32_t rank, const struct wire_message *message)
{
    bramble_error error;
    struct wire_pair head;
    if (c->nodes[rank].state == WORKER_OUT || message->length < sizeof head) return;
    memcpy(&head, message->bytes, sizeof head);
    bool of_memory = head.number == BRAMBLE_ERR_MEMORY;
    c->out_of_memory |= of_memory;
    clean(&error, of_memory ? BRAMBLE_ERR_MEMORY : BRAMBLE_ERR_DATA, message->bytes + sizeof head,
          message->length - sizeof head);
    coordinator_data_given_up(c, rank);
    c->nodes[rank].state = WORKER_OUT;
    if (!c->schedule) { /* it is asked again when the job begins */
        coordinator_report(c, "opened %" PRIu32 " %" PRIu32, c->job.number, rank);
        return;
    }
    schedule_leave(c->schedule, rank - 1);
    coordinator_report(c, "out %" PRIu32 " %s", rank, error.message);
    if (c->chained) {
        coordinator_chain_refused(c, rank, head.number, &error);
    } else if (c->together) {
        coordinator_fail_job(c, rank, &error);
    } else if (!anybody_left(c)) {
        if (c->out_of_memory) error.status = BRAMBLE_ERR_MEMORY;
        coordinator_fail_job(c, 0, &error);
    }
}

static void take_credit(struct coordinator *c, uint32_t rank, const struct wire_message *message)
{
    struct wire_credit credit;
    if (message->length != sizeof credit || !c->chained) return;
    memcpy(&credit, message->bytes, sizeof credit);
    if (credit.rate >= 0 && credit.rate < RATE_MOST) c->nodes[rank].credit = credit;
}

/* What workers say about the job at hand; about an earlier one it is let pass. */
static void handle_of_job(struct coordinator *c, uint32_t rank, const struct wire_message *message)
{
    struct wire_pair pair = {0};
    struct node_at_work *node = &c->nodes[rank];
    if (message->length < sizeof pair.job) return;
    memcpy(&pair, message->bytes, message->length < sizeof pair ? sizeof pair.job : sizeof pair);
    if (!coordinator_at_job(c, pair.job)) return;
    switch (message->tag) {
    case WIRE_NEED_DATA: coordinator_data_needed(c, rank); break;
    case WIRE_HAVE_DATA: coordinator_data_arrived(c, rank); break;
    case WIRE_CREDIT: take_credit(c, rank, message); break;
    case WIRE_NOT_SENT: coordinator_data_refused(c, rank, pair.number); break;
    case WIRE_FAILED: leave_out(c, rank, message); break;
    case WIRE_READY:
        node->state = WORKER_WORKING;
        if (c->chained && c->schedule)
            coordinator_chain_ready(c);
        else if (c->together)
            coordinator_together_ready(c);
        else if (c->schedule)
            schedule_join(c->schedule, rank - 1, node->threads);
        else
            coordinator_report(c, "opened %" PRIu32 " %" PRIu32, c->job.number, rank);
        break;
    default: break;
    }
}

static void handle(void *context, struct wire_message *message)
{
    struct coordinator *c = context;
    bramble_error line;
    uint32_t rank = message->from;
    if (rank == 0 || rank > c->n_workers) return;
    switch (message->tag) {
    case WIRE_HELLO: greet(c, rank, message); break;
    case WIRE_BEAT: heartbeat_arrived(&c->nodes[rank].beat, clock_seconds()); break;
    case WIRE_RESULT: take_result(c, rank, message); break;
    case WIRE_NOTE:
        clean(&line, BRAMBLE_ERR_DATA, message->bytes, message->length);
        coordinator_report(c, "note %" PRIu32 " %s", rank, line.message);
        break;
    default: handle_of_job(c, rank, message); break;
    }
}

/* When we were kept from listening ourselves, nobody's silence counts. */
static void excuse_all(struct coordinator *c)
{
    double now = clock_seconds(), missed = c->looked > 0 ? now - c->looked : 0;
    c->looked = now;
    for (uint32_t rank = 1; missed > STALL_SECONDS && rank <= c->n_workers; rank++)
        heartbeat_excuse(&c->nodes[rank].beat, missed);
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
        coordinator_report(c, "lost %" PRIu32 " %.2f", rank, now - node->beat.last);
    }
}

/* A supervisor that is stopped reads nothing: progress is not piled up for it. */
void coordinator_report_progress(struct coordinator *c)
{
    c->reported = clock_seconds();
    uint32_t job = c->schedule ? c->job.number : 0;
    coordinator_report(c, "progress %" PRIu32 " %" PRIu32 " %" PRIu32, job,
                       c->schedule ? schedule_tasks_done(c->schedule) : 0, c->job.n_tasks);
    for (uint32_t rank = 1; c->schedule && rank <= c->n_workers; rank++) {
        const struct node_at_work *node = &c->nodes[rank];
        coordinator_report(c, "worker %" PRIu32 " %" PRIu32 " %s %" PRIu32 " %.4f", job, rank,
                           worker_state_name(node->state),
                           c->chained ? node->credit.done : schedule_tasks_by(c->schedule, rank - 1),
                           c->chained ? node->credit.rate : schedule_rate(c->schedule, rank - 1));
    }
}

static void report_now_and_then(struct coordinator *c)
{
    if (clock_seconds() - c->reported < REPORT_SECONDS || c->reports.buffer.length > BACKLOG_MOST) return;
    coordinator_report_progress(c);
}

static void coordinate(struct coordinator *c)
{
    coordinator_report(c, "here %d", (int)getpid());
    if (!confine_holds()) coordinator_report(c, "note 0 " CONFINE_PROBLEM);
    while (!c->stop && !c->orders.ended && !c->reports.ended) {
        excuse_all(c);
        bool any = lines_read(&c->orders, take_order, c);
        any |= wire_poll(c->wire, handle, c);
        any |= coordinator_send_data(c);
        any |= coordinator_tend_together(c);
        coordinator_tend_job(c);
        feed_all(c);
        watch(c);
        report_now_and_then(c);
        lines_write(&c->reports);
        wire_rest(c->wire, any, REST_NS);
    }
}

bramble_status coordinator_run(struct wire *wire, uint32_t n_workers, const struct program *const *programs,
                               const char *orders_path, const char *reports_path, bramble_error *error)
{
    struct coordinator c = {.wire = wire, .n_workers = n_workers, .programs = programs};
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
    if (c.nodes) coordinator_drop_job(&c);
    for (uint32_t rank = 1; rank <= n_workers; rank++)
        if (!c.nodes || !c.nodes[rank].lost) wire_send_copy(wire, rank, WIRE_STOP, NULL, 0);
    if (c.orders.fd >= 0) close(c.orders.fd);
    if (c.reports.fd >= 0) close(c.reports.fd);
    str_fini(&c.orders.buffer);
    str_fini(&c.reports.buffer);
    mem_free(c.nodes);
    return status;
}
