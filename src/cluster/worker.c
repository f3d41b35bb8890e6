#include "cluster/worker.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "cluster/carrier.h"
#include "cluster/crew.h"
#include "cluster/errand.h"
#include "cluster/job.h"
#include "cluster/spare_memory.h"

#define BEAT_SECONDS 0.2
#define MEMORY_SECONDS 5.0      /* that the job before may take to give back its memory */
#define REST_NS 8000000         /* between looks at the network, at most */
#define REST_AWAITED_NS 1000000 /* while a thread of ours waits for what other members send */

/* How far this node is with its job. What takes long runs beside, since the beats must go on. */
enum stage {
    IDLE,      /* no job, or one that failed here */
    BEGUN,     /* to look for the data */
    LOOKING,   /* in the cache; beside */
    RECEIVING, /* from another node */
    CHECKING,  /* what came in; beside */
    HAVING,    /* to open the program, as soon as the crew before is gone */
    OPENING,   /* beside */
    WORKING,
};

/* What is done beside with the data, and what came of it. The job's fields are copies: the job may be dropped
 * meanwhile. */
struct search {
    struct errand errand;
    bool unwanted;
    char hash[BLOB_HASH_LENGTH + 1];
    uint64_t length;
    struct blob_intake *intake;
    char *path;
    bool kept;
    bramble_status status;
    bramble_error error;
};

struct worker {
    struct wire *wire;
    const struct program *const *programs;
    uint32_t rank, threads;
    uint64_t memory;
    enum stage stage;
    struct job job;
    char *data_path;
    struct search search;
    struct carrier *carrier;
    struct crew *crew;
    struct swap *swap;      /* the crew's, while it has a job that is done together */
    struct errand farewell; /* of the crew before; another is opened when it is over */
    bool stop;
    double beat;  /* when it was sent last */
    double begun; /* when the job came */
};

static void say(struct worker *worker, enum wire_tag tag, const void *bytes, size_t length)
{
    wire_send_copy(worker->wire, 0, tag, bytes, length);
}

static void say_of_job(struct worker *worker, enum wire_tag tag)
{
    say(worker, tag, &worker->job.number, sizeof worker->job.number);
}

static void free_crew(void *crew)
{
    crew_free(crew);
}

static void dismiss_crew(struct worker *worker)
{
    if (!worker->crew) return;
    errand_start(&worker->farewell, free_crew, worker->crew);
    worker->crew = NULL;
    worker->swap = NULL;
}

/* This node is out of this job; it still sends the data to others. */
static void give_up(struct worker *worker, const bramble_error *error)
{
    struct {
        struct wire_pair head;
        char message[sizeof error->message];
    } report = {{worker->job.number, error->status}, ""};
    memcpy(report.message, error->message, sizeof report.message);
    say(worker, WIRE_FAILED, &report, sizeof report);
    dismiss_crew(worker);
    worker->stage = IDLE;
}

static void search_fini(struct search *search)
{
    blob_intake_free(search->intake);
    mem_free(search->path);
    search->intake = NULL;
    search->path = NULL;
}

static void drop_job(struct worker *worker)
{
    dismiss_crew(worker);
    if (worker->search.errand.out)
        worker->search.unwanted = true;
    else
        search_fini(&worker->search);
    carrier_free(worker->carrier);
    mem_free(worker->data_path);
    job_fini(&worker->job);
    worker->carrier = NULL;
    worker->data_path = NULL;
    worker->stage = IDLE;
}

static void take_job(struct worker *worker, const struct wire_message *message)
{
    bramble_error error = {0};
    drop_job(worker);
    if (job_from_json(&worker->job, (const char *)message->bytes, message->length, &error))
        give_up(worker, &error);
    else
        worker->stage = worker->job.data ? BEGUN : HAVING;
    worker->begun = clock_seconds();
}

/* Beside: the data in the cache, or else a place for them. */
static void look_for_data(void *context)
{
    struct search *search = context;
    search->status = BRAMBLE_OK;
    if (!blob_find(search->hash, search->length, &search->path))
        search->status = blob_intake_new(&search->intake, search->hash, search->length, &search->error);
}

static void check_data(void *context)
{
    struct search *search = context;
    search->status = blob_intake_finish(search->intake, &search->path, &search->kept, &search->error);
}

static void start_looking(struct worker *worker)
{
    struct search *search = &worker->search;
    bramble_error error;
    if (search->errand.out || worker->farewell.out) return; /* still for the job before */
    bool for_good;
    if (spare_memory_check(worker->job.data_bytes, worker->memory, &for_good, &error)) {
        if (for_good || clock_seconds() - worker->begun > MEMORY_SECONDS) give_up(worker, &error);
        return;
    }
    memcpy(search->hash, worker->job.hash, sizeof search->hash);
    search->length = worker->job.data_bytes;
    search->unwanted = false;
    errand_start(&search->errand, look_for_data, search);
    worker->stage = LOOKING;
}

static void end_search(struct worker *worker)
{
    static const char note[] = "the cache cannot be written; the data stay in memory for this run only";
    struct search *search = &worker->search;
    if (!errand_back(&search->errand)) return;
    if (search->unwanted) {
        search_fini(search);
    } else if (search->status) {
        give_up(worker, &search->error);
        search_fini(search);
    } else if (!search->path) {
        say_of_job(worker, WIRE_NEED_DATA);
        worker->stage = RECEIVING;
    } else {
        if (worker->stage == CHECKING && !search->kept) say(worker, WIRE_NOTE, note, sizeof note - 1);
        worker->data_path = search->path;
        search->path = NULL;
        search_fini(search);
        say_of_job(worker, WIRE_HAVE_DATA);
        worker->stage = HAVING;
    }
}

static void take_data(struct worker *worker, const struct wire_message *message)
{
    bramble_error error = {0};
    struct search *search = &worker->search;
    if (worker->stage != RECEIVING) return;
    if (carrier_receive(search->intake, message, worker->job.number, &error)) {
        search_fini(search);
        give_up(worker, &error);
    } else if (!blob_intake_missing(search->intake)) {
        errand_start(&search->errand, check_data, search);
        worker->stage = CHECKING;
    }
}

static void send_data(struct worker *worker, const struct wire_pair *to)
{
    if (!worker->carrier && worker->data_path)
        carrier_new(&worker->carrier, worker->wire, worker->data_path, worker->job.number, NULL);
    if (!worker->carrier || !carrier_add(worker->carrier, to->number))
        say(worker, WIRE_NOT_SENT, to, sizeof *to);
}

static void open_crew(struct worker *worker)
{
    bramble_error error = {0};
    const struct job *job = &worker->job;
    const struct program *program = program_find(worker->programs, job->program);
    if (worker->farewell.out) return;
    worker->stage = OPENING;
    if (!program || !program->run_together != !job->n_members ||
        (job->n_members && worker->rank > job->n_members))
        error_set(&error, BRAMBLE_ERR_UNSUPPORTED, "it knows no such program as %s", job->program);
    else if (job->n_members && !(worker->swap = swap_new(job->number, worker->rank - 1, job->n_members)))
        error_memory(&error, "what members exchange");
    else if (!crew_new(&worker->crew, program, job->text, worker->data_path, worker->threads, worker->swap,
                       &error))
        return;
    worker->swap = NULL;
    give_up(worker, &error);
}

/* All members are ready: the tasks that are left begin. */
static void begin_together(struct worker *worker, struct wire_message *message)
{
    bramble_error error = {0};
    uint32_t job;
    if (worker->stage != WORKING || !worker->swap || message->length < sizeof job) return;
    memcpy(&job, message->bytes, sizeof job);
    if (job != worker->job.number) return;
    const struct crew_beginning beginning = {.tasks = (const uint32_t *)message->bytes + 1,
                                             .n_tasks = (uint32_t)(message->length / sizeof job - 1)};
    void *owned = message->bytes;
    message->bytes = NULL;
    if (crew_together(worker->crew, &beginning, owned, &error)) give_up(worker, &error);
}

/* The same where tasks build on each other. */
static void begin_chain(struct worker *worker, struct wire_message *message)
{
    bramble_error error = {0};
    struct wire_chain head;
    if (worker->stage != WORKING || !worker->swap || message->length < sizeof head) return;
    memcpy(&head, message->bytes, sizeof head);
    uint64_t length = message->length - sizeof head;
    if (head.job != worker->job.number) return;
    if (head.first_length > length || head.last_length != length - head.first_length) {
        error_set(&error, BRAMBLE_ERR_IO, "how far the job is came in damaged");
        give_up(worker, &error);
        return;
    }
    const uint8_t *first = message->bytes + sizeof head;
    const struct crew_beginning beginning = {.first = {first, head.first_length},
                                             .last = {first + head.first_length, head.last_length}};
    void *owned = message->bytes;
    message->bytes = NULL;
    if (crew_together(worker->crew, &beginning, owned, &error)) give_up(worker, &error);
}

static void take_exchange(struct worker *worker, struct wire_message *message)
{
    bramble_error error;
    struct wire_pair head;
    if (!worker->swap || message->length < sizeof head) return;
    memcpy(&head, message->bytes, sizeof head);
    if (head.job != worker->job.number) return;
    if (swap_arrived(worker->swap, message->from - 1, message->bytes, message->length)) {
        message->bytes = NULL;
        return;
    }
    error_set(&error, BRAMBLE_ERR_IO, "member %u of the run sent something out of turn", message->from);
    give_up(worker, &error);
}

static bool send_exchange(void *context, uint32_t member, void *message, size_t length)
{
    const struct worker *worker = context;
    return wire_send(worker->wire, member + 1, WIRE_EXCHANGE, message, length);
}

/* Sends what the crew wants exchanged. */
static bool exchange(struct worker *worker)
{
    bool any = false;
    bramble_error error;
    if (!worker->swap || swap_post(worker->swap, send_exchange, worker, &any)) return any;
    error_memory(&error, "what members exchange");
    give_up(worker, &error);
    return any;
}

static void handle_pair(struct worker *worker, const struct wire_message *message)
{
    struct wire_pair pair;
    bramble_error error = {0};
    if (message->length != sizeof pair) return;
    memcpy(&pair, message->bytes, sizeof pair);
    if (pair.job != worker->job.number) return;
    if (message->tag == WIRE_SEND_DATA) {
        send_data(worker, &pair);
    } else if (worker->stage == WORKING && message->tag == WIRE_CANCEL) {
        crew_cancel(worker->crew, pair.number);
    } else if (worker->stage == WORKING && !crew_add(worker->crew, pair.number)) {
        error_memory(&error, "a task");
        give_up(worker, &error);
    }
}

static void handle(void *context, struct wire_message *message)
{
    struct worker *worker = context;
    if (message->tag == WIRE_DATA) take_data(worker, message);
    if (message->tag == WIRE_EXCHANGE) take_exchange(worker, message);
    if (message->from != 0) return;
    switch (message->tag) {
    case WIRE_JOB: take_job(worker, message); break;
    case WIRE_SEND_DATA:
    case WIRE_TASK:
    case WIRE_CANCEL: handle_pair(worker, message); break;
    case WIRE_TOGETHER: begin_together(worker, message); break;
    case WIRE_CHAIN: begin_chain(worker, message); break;
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
    if (result->length) memcpy(message + sizeof head, result->bytes, result->length);
    return wire_send(worker->wire, 0, WIRE_RESULT, message, sizeof head + result->length);
}

static void tell_credit(struct worker *worker)
{
    struct crew_credit credit;
    if (!worker->swap || !crew_credit(worker->crew, &credit)) return;
    struct wire_credit message = {worker->job.number, credit.done, credit.rate};
    say(worker, WIRE_CREDIT, &message, sizeof message);
}

/* What the crew has done since the last look. */
static bool attend_crew(struct worker *worker)
{
    bramble_error error = {0};
    struct crew_result result;
    bool any = false;
    if (!worker->crew) return false;
    enum crew_state state = crew_state(worker->crew, &error);
    if (state == CREW_READY && worker->stage == OPENING) {
        worker->stage = WORKING;
        say_of_job(worker, WIRE_READY);
    }
    while (crew_take(worker->crew, &result)) {
        bool sent = hand_in(worker, &result);
        mem_free(result.bytes);
        any = true;
        if (sent) continue;
        error_memory(&error, "a result");
        state = CREW_FAILED;
        break;
    }
    if (state == CREW_FAILED)
        give_up(worker, &error);
    else
        tell_credit(worker);
    return any;
}

/* Data that cannot be read any more are found out when they are looked for again. */
static bool pass_data_on(struct worker *worker)
{
    if (!worker->carrier) return false;
    bool any = carrier_poll(worker->carrier);
    if (carrier_failed(worker->carrier)) wire_abort(BRAMBLE_ERR_IO);
    return any;
}

static bool go_on(struct worker *worker)
{
    errand_back(&worker->farewell);
    end_search(worker);
    if (worker->stage == BEGUN) start_looking(worker);
    if (worker->stage == HAVING) open_crew(worker);
    bool any = attend_crew(worker);
    any |= exchange(worker);
    return pass_data_on(worker) || any;
}

static void beat(struct worker *worker)
{
    double now = clock_seconds();
    if (now - worker->beat < BEAT_SECONDS) return;
    worker->beat = now;
    say(worker, WIRE_BEAT, NULL, 0);
}

static void rest(struct worker *worker, bool any)
{
    if (!worker->swap) {
        wire_rest(worker->wire, any, REST_NS);
        return;
    }
    long ns = wire_pause_ns(worker->wire, any, swap_awaited(worker->swap) ? REST_AWAITED_NS : REST_NS);
    if (ns) swap_doze(worker->swap, ns);
}

void worker_run(struct wire *wire, uint32_t rank, const struct program *const *programs, uint32_t threads,
                uint64_t memory)
{
    struct worker worker = {
        .wire = wire, .rank = rank, .programs = programs, .threads = threads, .memory = memory};
    struct wire_hello hello = {.version = BRAMBLE_VERSION,
                               .threads = threads,
                               .pid = (uint32_t)getpid(),
                               .memory = spare_memory_most(memory)};
    say(&worker, WIRE_HELLO, &hello, sizeof hello);
    while (!worker.stop) {
        bool any = wire_poll(wire, handle, &worker);
        any |= go_on(&worker);
        beat(&worker);
        rest(&worker, any);
    }
    drop_job(&worker);
    errand_wait(&worker.farewell);
    errand_wait(&worker.search.errand);
    search_fini(&worker.search);
}
