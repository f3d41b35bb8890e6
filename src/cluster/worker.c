#include "cluster/worker.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "cluster/carrier.h"
#include "cluster/crew.h"
#include "cluster/job.h"

#define BEAT_SECONDS 0.2
#define PAUSE_NS 1000000 /* between looks at the network */

struct worker {
    struct wire *wire;
    const struct program *const *programs;
    uint32_t threads;
    struct job job; /* program NULL: none */
    char *data_path;
    struct blob_intake *intake;
    struct carrier *carrier;
    struct crew *crew;
    bool ready, failed, stop;
    double beat; /* when it was sent last */
};

static void say(struct worker *worker, enum wire_tag tag, const void *bytes, size_t length)
{
    wire_send_copy(worker->wire, 0, tag, bytes, length);
}

/* This node is out of this job. */
static void give_up(struct worker *worker, const bramble_error *error)
{
    struct {
        uint32_t status;
        char message[sizeof error->message];
    } report = {(uint32_t)error->status, ""};
    memcpy(report.message, error->message, sizeof report.message);
    say(worker, WIRE_FAILED, &report, sizeof report);
    worker->failed = true;
}

static void drop_job(struct worker *worker)
{
    crew_free(worker->crew);
    carrier_free(worker->carrier);
    blob_intake_free(worker->intake);
    mem_free(worker->data_path);
    job_fini(&worker->job);
    worker->crew = NULL;
    worker->carrier = NULL;
    worker->intake = NULL;
    worker->data_path = NULL;
    worker->ready = worker->failed = false;
}

static const struct program *find_program(const struct worker *worker, const char *name)
{
    for (size_t i = 0; worker->programs[i]; i++)
        if (strcmp(worker->programs[i]->name, name) == 0) return worker->programs[i];
    return NULL;
}

/* The data are here, or none are needed: to work. */
static void start_crew(struct worker *worker)
{
    bramble_error error = {0};
    const struct program *program = find_program(worker, worker->job.program);
    bramble_status status =
        program
            ? crew_new(&worker->crew, program, worker->job.text, worker->data_path, worker->threads, &error)
            : error_set(&error, BRAMBLE_ERR_UNSUPPORTED, "it knows no program %s", worker->job.program);
    if (worker->data_path) say(worker, WIRE_HAVE_DATA, NULL, 0);
    if (status) give_up(worker, &error);
}

static void take_job(struct worker *worker, const struct wire_message *message)
{
    bramble_error error = {0};
    drop_job(worker);
    bramble_status status =
        job_from_json(&worker->job, (const char *)message->bytes, message->length, &error);
    if (!status && worker->job.data &&
        !blob_find(worker->job.hash, worker->job.data_bytes, &worker->data_path)) {
        status = blob_intake_new(&worker->intake, worker->job.hash, worker->job.data_bytes, &error);
        if (!status) say(worker, WIRE_NEED_DATA, NULL, 0);
    } else if (!status) {
        start_crew(worker);
    }
    if (status) give_up(worker, &error);
}

static void take_data(struct worker *worker, const struct wire_message *message)
{
    bramble_error error = {0};
    bool kept = true;
    if (!worker->intake) return;
    bramble_status status = carrier_receive(worker->intake, message, worker->job.number, &error);
    if (!status && blob_intake_missing(worker->intake)) return;
    if (!status) status = blob_intake_finish(worker->intake, &worker->data_path, &kept, &error);
    blob_intake_free(worker->intake);
    worker->intake = NULL;
    static const char note[] = "the cache cannot be written; the data stay in memory for this run only";
    if (!status && !kept) say(worker, WIRE_NOTE, note, sizeof note - 1);
    if (!status)
        start_crew(worker);
    else
        give_up(worker, &error);
}

static void send_data(struct worker *worker, const struct wire_message *message)
{
    uint32_t to;
    if (message->length != sizeof to || !worker->data_path) return;
    memcpy(&to, message->bytes, sizeof to);
    if (!worker->carrier &&
        carrier_new(&worker->carrier, worker->wire, worker->data_path, worker->job.number, NULL))
        return;
    carrier_add(worker->carrier, to);
}

static void take_task(struct worker *worker, const struct wire_message *message, bool cancel)
{
    uint32_t task;
    if (message->length != sizeof task || !worker->crew) return;
    memcpy(&task, message->bytes, sizeof task);
    if (cancel) {
        crew_cancel(worker->crew, task);
    } else if (!crew_add(worker->crew, task)) {
        bramble_error error;
        error_memory(&error, "a task");
        give_up(worker, &error);
    }
}

static void handle(void *context, struct wire_message *message)
{
    struct worker *worker = context;
    if (message->tag == WIRE_DATA) {
        take_data(worker, message);
        return;
    }
    if (message->from != 0) return;
    switch (message->tag) {
    case WIRE_JOB: take_job(worker, message); break;
    case WIRE_SEND_DATA: send_data(worker, message); break;
    case WIRE_TASK: take_task(worker, message, false); break;
    case WIRE_CANCEL: take_task(worker, message, true); break;
    case WIRE_JOB_DONE: drop_job(worker); break;
    case WIRE_STOP: worker->stop = true; break;
    default: break;
    }
}

static bool hand_in(struct worker *worker, const struct crew_result *result)
{
    struct wire_result head = {result->task, worker->job.number, result->seconds};
    uint8_t *message = mem_alloc(sizeof head + result->length, 1);
    if (!message) return false;
    memcpy(message, &head, sizeof head);
    memcpy(message + sizeof head, result->bytes, result->length);
    return wire_send(worker->wire, 0, WIRE_RESULT, message, sizeof head + result->length);
}

/* What the crew has done since the last look. */
static bool attend_crew(struct worker *worker)
{
    bramble_error error = {0};
    struct crew_result result;
    bool any = false;
    if (!worker->crew || worker->failed) return false;
    enum crew_state state = crew_state(worker->crew, &error);
    if (state == CREW_READY && !worker->ready) {
        worker->ready = true;
        say(worker, WIRE_READY, NULL, 0);
    }
    while (!worker->failed && crew_take(worker->crew, &result)) {
        if (!hand_in(worker, &result)) {
            error_memory(&error, "a result");
            state = CREW_FAILED;
        }
        mem_free(result.bytes);
        any = true;
        if (state == CREW_FAILED) break;
    }
    if (state == CREW_FAILED) give_up(worker, &error);
    return any;
}

static void beat(struct worker *worker)
{
    double now = clock_seconds();
    if (now - worker->beat < BEAT_SECONDS) return;
    worker->beat = now;
    say(worker, WIRE_BEAT, NULL, 0);
}

void worker_run(struct wire *wire, const struct program *const *programs, uint32_t threads)
{
    struct worker worker = {.wire = wire, .programs = programs, .threads = threads};
    struct wire_hello hello = {.version = BRAMBLE_VERSION, .threads = threads, .pid = (uint32_t)getpid()};
    gethostname(hello.host, sizeof hello.host - 1);
    say(&worker, WIRE_HELLO, &hello, sizeof hello);
    while (!worker.stop) {
        bool any = wire_poll(wire, handle, &worker);
        any |= attend_crew(&worker);
        if (worker.carrier) any |= carrier_poll(worker.carrier);
        beat(&worker);
        if (!any) nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
    }
    drop_job(&worker);
}
