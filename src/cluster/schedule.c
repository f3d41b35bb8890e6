#include "cluster/schedule.h"

#include "base/mem.h"

enum { COPIES = 2 };

#define SHORT_TASK 1.0    /* seconds; workers hold a task in reserve when theirs are shorter than this */
#define SECONDS_SHARE 0.2 /* of a new measurement in a worker's mean */
#define WORTH_REPEATING 0.9

/* A task that somebody works on. */
struct flight {
    uint32_t task, worker;
    double begun; /* when it was handed out */
};

struct at_work {
    uint32_t threads; /* 0: takes no tasks */
    uint32_t in_flight, done;
    double task_seconds; /* of one thread on one task; 0: not known */
};

struct cancel {
    uint32_t worker, task;
};

struct schedule {
    uint32_t n_tasks, n_workers, n_done;
    uint32_t next;            /* tasks below were all handed out or done once */
    bool *done;               /* n_tasks */
    uint32_t *copies;         /* of each task in flight; n_tasks */
    uint32_t *freed, n_freed; /* tasks whose worker left; capacity n_tasks */
    struct flight *flights;
    size_t n_flights, capacity;
    struct cancel *cancels; /* at most one a flight */
    size_t n_cancels;
    struct at_work *workers;
};

struct schedule *schedule_new(uint32_t n_tasks, uint32_t n_workers)
{
    struct schedule *s = mem_zalloc(1, sizeof *s);
    if (!s) return NULL;
    s->n_tasks = n_tasks;
    s->n_workers = n_workers;
    s->done = mem_zalloc(n_tasks, sizeof *s->done);
    s->copies = mem_zalloc(n_tasks, sizeof *s->copies);
    s->freed = mem_zalloc(n_tasks, sizeof *s->freed);
    s->workers = mem_zalloc(n_workers, sizeof *s->workers);
    if (s->done && s->copies && s->freed && s->workers) return s;
    schedule_free(s);
    return NULL;
}

void schedule_free(struct schedule *s)
{
    if (!s) return;
    mem_free(s->done);
    mem_free(s->copies);
    mem_free(s->freed);
    mem_free(s->flights);
    mem_free(s->cancels);
    mem_free(s->workers);
    mem_free(s);
}

void schedule_mark_done(struct schedule *s, uint32_t task)
{
    if (task < s->n_tasks && !s->done[task]) s->n_done++, s->done[task] = true;
}

void schedule_join(struct schedule *s, uint32_t w, uint32_t threads)
{
    s->workers[w].threads = threads;
}

/* Takes the flight out of the list; order does not matter. */
static void land(struct schedule *s, size_t i)
{
    s->workers[s->flights[i].worker].in_flight--;
    s->copies[s->flights[i].task]--;
    s->flights[i] = s->flights[--s->n_flights];
}

void schedule_leave(struct schedule *s, uint32_t w)
{
    s->workers[w].threads = 0;
    for (size_t i = s->n_flights; i-- > 0;) {
        if (s->flights[i].worker != w) continue;
        uint32_t task = s->flights[i].task;
        land(s, i);
        if (!s->done[task] && !s->copies[task]) s->freed[s->n_freed++] = task;
    }
}

/* Room for one more flight, and for as many cancellations as there are flights. */
static bool make_room(struct schedule *s)
{
    if (s->n_flights < s->capacity) return true;
    size_t capacity = s->capacity ? 2 * s->capacity : 64;
    struct flight *flights = mem_resize(s->flights, capacity, sizeof *flights);
    if (flights) s->flights = flights;
    struct cancel *cancels = mem_resize(s->cancels, capacity, sizeof *cancels);
    if (cancels) s->cancels = cancels;
    if (!flights || !cancels) return false;
    s->capacity = capacity;
    return true;
}

static bool hand_out(struct schedule *s, uint32_t w, double now, uint32_t task)
{
    if (!make_room(s)) return false;
    s->flights[s->n_flights++] = (struct flight){task, w, now};
    s->workers[w].in_flight++;
    s->copies[task]++;
    return true;
}

/* The next task nobody works on; false: there is none. It stays where it is until it is taken. */
static bool peek(struct schedule *s, uint32_t *task)
{
    while (s->n_freed && s->done[s->freed[s->n_freed - 1]]) s->n_freed--;
    if (s->n_freed) {
        *task = s->freed[s->n_freed - 1];
        return true;
    }
    while (s->next < s->n_tasks && s->done[s->next]) s->next++;
    *task = s->next;
    return s->next < s->n_tasks;
}

static void take(struct schedule *s)
{
    if (s->n_freed)
        s->n_freed--;
    else
        s->next++;
}

double schedule_rate(const struct schedule *s, uint32_t w)
{
    const struct at_work *worker = &s->workers[w];
    return worker->task_seconds > 0 ? worker->threads / worker->task_seconds : 0;
}

/* Seconds until a task given to w now would be done: what it has in hand comes first. */
static double seconds_to_finish(const struct schedule *s, uint32_t w)
{
    const struct at_work *worker = &s->workers[w];
    uint32_t before = worker->in_flight / worker->threads;
    return worker->task_seconds * (before + 1);
}

/* Would the others have done all that is left before w had done this one task? Then w only gets in the way.
 * The one who would be first to finish a task never does: somebody must take it. */
static bool too_slow(const struct schedule *s, uint32_t w)
{
    if (s->workers[w].task_seconds <= 0) return false;
    double rate = 0, slowest = 0;
    bool first = true;
    for (uint32_t i = 0; i < s->n_workers; i++) {
        if (i == w || schedule_rate(s, i) <= 0) continue;
        rate += schedule_rate(s, i);
        first &= seconds_to_finish(s, i) >= seconds_to_finish(s, w);
        if (s->workers[i].task_seconds > slowest && s->workers[i].task_seconds < s->workers[w].task_seconds)
            slowest = s->workers[i].task_seconds;
    }
    if (first) return false;
    double left = s->n_tasks - s->n_done;
    return seconds_to_finish(s, w) > left / rate + slowest;
}

/* When a flight will be over, as far as one can tell: one that should be over already is believed to take as
 * long again. */
static double expected_end(const struct schedule *s, const struct flight *flight, double now)
{
    const struct at_work *worker = &s->workers[flight->worker];
    double rounds = 1 + (worker->in_flight ? (worker->in_flight - 1) / worker->threads : 0);
    double end = flight->begun + rounds * worker->task_seconds;
    return end > now ? end : now + (now - flight->begun);
}

/* The task in flight that will be done last, and later than w would do it; false: none. */
static bool find_repeat(const struct schedule *s, uint32_t w, double now, uint32_t *task)
{
    const struct at_work *self = &s->workers[w];
    if (self->task_seconds <= 0 || self->in_flight >= self->threads) return false;
    double latest = -1;
    for (size_t i = 0; i < s->n_flights; i++) {
        const struct flight *flight = &s->flights[i];
        if (flight->worker == w || s->done[flight->task] || s->copies[flight->task] >= COPIES) continue;
        double end = expected_end(s, flight, now);
        if (self->task_seconds >= WORTH_REPEATING * (end - now) || end <= latest) continue;
        latest = end;
        *task = flight->task;
    }
    return latest >= 0;
}

bool schedule_next(struct schedule *s, uint32_t w, double now, uint32_t *task)
{
    const struct at_work *worker = &s->workers[w];
    if (!worker->threads) return false;
    bool brief = worker->task_seconds > 0 && worker->task_seconds < SHORT_TASK;
    uint32_t reserve = brief ? (worker->threads + 1) / 2 : 0;
    if (worker->in_flight >= worker->threads + reserve) return false;
    uint32_t found;
    if (peek(s, &found)) {
        if (too_slow(s, w) || !hand_out(s, w, now, found)) return false;
        take(s);
    } else if (!find_repeat(s, w, now, &found) || !hand_out(s, w, now, found)) {
        return false;
    }
    *task = found;
    return true;
}

bool schedule_result(struct schedule *s, uint32_t w, uint32_t task, double seconds)
{
    struct at_work *worker = &s->workers[w];
    if (task >= s->n_tasks) return false;
    worker->task_seconds +=
        worker->task_seconds > 0 ? SECONDS_SHARE * (seconds - worker->task_seconds) : seconds;
    bool first = !s->done[task];
    for (size_t i = s->n_flights; i-- > 0;) {
        if (s->flights[i].task != task) continue;
        uint32_t holder = s->flights[i].worker;
        if (holder != w && first) s->cancels[s->n_cancels++] = (struct cancel){holder, task};
        if (holder == w || first) land(s, i);
    }
    if (!first) return false;
    schedule_mark_done(s, task);
    worker->done++;
    return true;
}

bool schedule_take_cancel(struct schedule *s, uint32_t *w, uint32_t *task)
{
    if (!s->n_cancels) return false;
    s->n_cancels--;
    *w = s->cancels[s->n_cancels].worker;
    *task = s->cancels[s->n_cancels].task;
    return true;
}

bool schedule_is_done(const struct schedule *s, uint32_t task)
{
    return s->done[task];
}

uint32_t schedule_tasks_done(const struct schedule *s)
{
    return s->n_done;
}

uint32_t schedule_tasks_by(const struct schedule *s, uint32_t w)
{
    return s->workers[w].done;
}

bool schedule_finished(const struct schedule *s)
{
    return s->n_done == s->n_tasks;
}
