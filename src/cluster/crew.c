#include "cluster/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

#define NO_TASK UINT64_MAX

enum { NICENESS = 10 };

struct member {
    struct crew *crew;
    uint32_t number;
    pthread_t thread;
    uint64_t task; /* under the lock */
    atomic_bool stop;
};

struct entry {
    struct entry *next;
    struct crew_result result; /* of a task that waits only `task` counts */
};

struct queue {
    struct entry *first, **end;
};

struct crew {
    const struct program *program;
    char *job, *data_path;
    void *context; /* the program's */
    uint32_t n_members, n_started;
    struct member *members;
    pthread_t opener;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct queue waiting, finished;
    struct swap *swap; /* of work done together; `joint` then runs */
    struct crew_beginning beginning;
    void *owned; /* which it lies in */
    pthread_t joint;
    bool together;
    struct crew_credit credit;
    bool credited; /* it is new */
    bool stop, opened;
    bramble_error error; /* the first failure, or OK */
};

static void put(struct queue *queue, struct entry *entry)
{
    entry->next = NULL;
    *queue->end = entry;
    queue->end = &entry->next;
}

static struct entry *take(struct queue *queue)
{
    struct entry *entry = queue->first;
    if (entry && !(queue->first = entry->next)) queue->end = &queue->first;
    return entry;
}

static void fail(struct crew *crew, const bramble_error *error)
{
    pthread_mutex_lock(&crew->lock);
    if (!crew->error.status) crew->error = *error;
    pthread_mutex_unlock(&crew->lock);
}

static bool go_on(void *context)
{
    struct member *member = context;
    return !atomic_load_explicit(&member->stop, memory_order_relaxed);
}

/* Waits for a task; NULL: time to go. */
static struct entry *next_task(struct member *member)
{
    struct crew *crew = member->crew;
    pthread_mutex_lock(&crew->lock);
    while (!crew->stop && !crew->waiting.first) pthread_cond_wait(&crew->wake, &crew->lock);
    struct entry *entry = crew->stop ? NULL : take(&crew->waiting);
    if (entry) {
        member->task = entry->result.task;
        atomic_store(&member->stop, false);
    }
    pthread_mutex_unlock(&crew->lock);
    return entry;
}

static void do_task(struct member *member, struct entry *entry)
{
    struct crew *crew = member->crew;
    bramble_error error = {0};
    double start = clock_seconds();
    bramble_status status = crew->program->run(crew->context, member->number, entry->result.task, go_on,
                                               member, &entry->result.bytes, &entry->result.length, &error);
    entry->result.seconds = clock_seconds() - start;
    pthread_mutex_lock(&crew->lock);
    member->task = NO_TASK;
    if (!status) put(&crew->finished, entry);
    pthread_mutex_unlock(&crew->lock);
    if (!status) return;
    mem_free(entry);
    if (status != BRAMBLE_ERR_CANCELLED) fail(crew, &error);
}

/* Work gives way: to the thread that talks to the network, to the next generation's processes, which start
 * beside it, and to whoever sits at the machine. On Linux this is the calling thread's own. */
static void give_way(void)
{
    setpriority(PRIO_PROCESS, 0, NICENESS);
}

static void *work(void *context)
{
    struct member *member = context;
    give_way();
    for (struct entry *entry; (entry = next_task(member));) do_task(member, entry);
    return NULL;
}

static void *open_program(void *context)
{
    struct crew *crew = context;
    bramble_error error = {0};
    void *opened = NULL;
    bramble_status status = crew->program->open(&opened, crew->job, crew->data_path, crew->n_members, &error);
    if (status) fail(crew, &error);
    pthread_mutex_lock(&crew->lock);
    crew->context = opened;
    crew->opened = !status;
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

static bool crew_init(struct crew *crew, const char *job, const char *data_path, uint32_t threads)
{
    crew->job = mem_strdup(job);
    crew->data_path = data_path ? mem_strdup(data_path) : NULL;
    crew->members = mem_zalloc(threads, sizeof *crew->members);
    if (!crew->job || (data_path && !crew->data_path) || !crew->members) return false;
    for (uint32_t i = 0; i < threads; i++) {
        crew->members[i].crew = crew;
        crew->members[i].number = i;
        crew->members[i].task = NO_TASK;
    }
    return true;
}

static void release(struct crew *crew)
{
    pthread_mutex_destroy(&crew->lock);
    pthread_cond_destroy(&crew->wake);
    mem_free(crew->job);
    mem_free(crew->data_path);
    mem_free(crew->members);
    mem_free(crew->owned);
    swap_free(crew->swap);
    mem_free(crew);
}

bramble_status crew_new(struct crew **out, const struct program *program, const char *job,
                        const char *data_path, uint32_t threads, struct swap *swap, bramble_error *error)
{
    struct crew *crew = mem_zalloc(1, sizeof *crew);
    if (!crew) {
        swap_free(swap);
        return error_memory(error, "this node's threads");
    }
    crew->swap = swap;
    crew->program = program;
    crew->n_members = threads;
    crew->waiting.end = &crew->waiting.first;
    crew->finished.end = &crew->finished.first;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->wake, NULL);
    if (!crew_init(crew, job, data_path, threads)) {
        release(crew);
        return error_memory(error, "this node's threads");
    }
    if (pthread_create(&crew->opener, NULL, open_program, crew) != 0) {
        release(crew);
        return error_set(error, BRAMBLE_ERR_MEMORY, "no thread can be started");
    }
    *out = crew;
    return BRAMBLE_OK;
}

void crew_free(struct crew *crew)
{
    if (!crew) return;
    pthread_join(crew->opener, NULL);
    pthread_mutex_lock(&crew->lock);
    crew->stop = true;
    for (uint32_t i = 0; i < crew->n_members; i++) atomic_store(&crew->members[i].stop, true);
    pthread_cond_broadcast(&crew->wake);
    pthread_mutex_unlock(&crew->lock);
    if (crew->swap) swap_break(crew->swap);
    if (crew->together) pthread_join(crew->joint, NULL);
    for (uint32_t i = 0; i < crew->n_started; i++) pthread_join(crew->members[i].thread, NULL);
    for (struct entry *entry; (entry = take(&crew->waiting));) mem_free(entry);
    for (struct entry *entry; (entry = take(&crew->finished));) {
        mem_free(entry->result.bytes);
        mem_free(entry);
    }
    if (crew->opened) crew->program->close(crew->context);
    release(crew);
}

/* Threads are started by the caller's, once the program is open; fewer than wanted will do. */
static void start_members(struct crew *crew)
{
    while (crew->n_started < crew->n_members) {
        struct member *member = &crew->members[crew->n_started];
        if (pthread_create(&member->thread, NULL, work, member) != 0) break;
        crew->n_started++;
    }
}

enum crew_state crew_state(struct crew *crew, bramble_error *error)
{
    pthread_mutex_lock(&crew->lock);
    bool opened = crew->opened;
    bramble_error failure = crew->error;
    pthread_mutex_unlock(&crew->lock);
    if (failure.status) {
        *error = failure;
        return CREW_FAILED;
    }
    if (!opened) return CREW_OPENING;
    if (crew->program->run_together) return CREW_READY;
    if (!crew->n_started) start_members(crew);
    if (crew->n_started) return CREW_READY;
    error_set(error, BRAMBLE_ERR_MEMORY, "no thread can be started");
    return CREW_FAILED;
}

static bramble_status take_together(void *context, uint32_t task, void *bytes, size_t length,
                                    bramble_error *error)
{
    struct crew *crew = ((struct member *)context)->crew;
    struct entry *entry = mem_zalloc(1, sizeof *entry);
    if (!entry) {
        mem_free(bytes);
        return error_memory(error, "a result");
    }
    entry->result = (struct crew_result){task, 0, bytes, length};
    pthread_mutex_lock(&crew->lock);
    put(&crew->finished, entry);
    pthread_mutex_unlock(&crew->lock);
    return BRAMBLE_OK;
}

static void credit(void *context, uint32_t done, double rate)
{
    struct crew *crew = ((struct member *)context)->crew;
    pthread_mutex_lock(&crew->lock);
    crew->credit = (struct crew_credit){done, rate};
    crew->credited = true;
    pthread_mutex_unlock(&crew->lock);
}

bool crew_credit(struct crew *crew, struct crew_credit *out)
{
    pthread_mutex_lock(&crew->lock);
    bool is_new = crew->credited;
    *out = crew->credit;
    crew->credited = false;
    pthread_mutex_unlock(&crew->lock);
    return is_new;
}

static void let_go_of_beginning(void *context)
{
    struct crew *crew = ((struct member *)context)->crew;
    mem_free(crew->owned);
    crew->owned = NULL;
}

_Static_assert((int)PROGRAM_EXCHANGES == (int)SWAP_CHANNELS, "a channel for each exchange");

static void *work_together(void *context)
{
    struct crew *crew = context;
    give_way();
    bramble_error error = {0};
    struct exchange exchanges[PROGRAM_EXCHANGES];
    for (uint32_t i = 0; i < PROGRAM_EXCHANGES; i++) exchanges[i] = swap_exchange(crew->swap, i);
    struct together_work work = {.tasks = crew->beginning.tasks,
                                 .n_tasks = crew->beginning.n_tasks,
                                 .threads = crew->n_members,
                                 .go_on = go_on,
                                 .done = take_together,
                                 .credit = credit,
                                 .begun = let_go_of_beginning,
                                 .context = &crew->members[0],
                                 .first = crew->beginning.first,
                                 .last = crew->beginning.last};
    bramble_status status = crew->program->run_together(crew->context, exchanges, &work, &error);
    if (status && status != BRAMBLE_ERR_CANCELLED) fail(crew, &error);
    return NULL;
}

bramble_status crew_together(struct crew *crew, const struct crew_beginning *beginning, void *owned,
                             bramble_error *error)
{
    if (crew->together) {
        mem_free(owned);
        return BRAMBLE_OK;
    }
    crew->beginning = *beginning;
    crew->owned = owned;
    crew->together = pthread_create(&crew->joint, NULL, work_together, crew) == 0;
    return crew->together ? BRAMBLE_OK : error_set(error, BRAMBLE_ERR_MEMORY, "no thread can be started");
}

bool crew_add(struct crew *crew, uint32_t task)
{
    struct entry *entry = mem_zalloc(1, sizeof *entry);
    if (!entry) return false;
    entry->result.task = task;
    pthread_mutex_lock(&crew->lock);
    put(&crew->waiting, entry);
    pthread_cond_signal(&crew->wake);
    pthread_mutex_unlock(&crew->lock);
    return true;
}

void crew_cancel(struct crew *crew, uint32_t task)
{
    pthread_mutex_lock(&crew->lock);
    struct queue kept = {NULL, &kept.first};
    for (struct entry *entry; (entry = take(&crew->waiting));) {
        if (entry->result.task == task)
            mem_free(entry);
        else
            put(&kept, entry);
    }
    crew->waiting.first = kept.first;
    crew->waiting.end = kept.first ? kept.end : &crew->waiting.first;
    for (uint32_t i = 0; i < crew->n_members; i++)
        if (crew->members[i].task == task) atomic_store(&crew->members[i].stop, true);
    pthread_mutex_unlock(&crew->lock);
}

bool crew_take(struct crew *crew, struct crew_result *result)
{
    pthread_mutex_lock(&crew->lock);
    struct entry *entry = take(&crew->finished);
    pthread_mutex_unlock(&crew->lock);
    if (!entry) return false;
    *result = entry->result;
    mem_free(entry);
    return true;
}
