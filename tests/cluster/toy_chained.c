#include "toy_chained.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

enum { MEMBERS_MOST = 64, SNAPSHOT_TASKS = 5 };

struct chain {
    double milliseconds; /* that a task takes; negative: the process is killed */
    char *gate;          /* the last task waits until there is such a file; or empty */
};

static bramble_status toy_open(void **context, const char *job, const char *data_path, uint32_t threads,
                               bramble_error *error)
{
    (void)threads;
    FILE *file = fopen(data_path, "re");
    struct chain *chain = mem_zalloc(1, sizeof *chain);
    if (!chain || !file) return error_set(error, BRAMBLE_ERR_IO, "%s: cannot be read", data_path);
    fclose(file);
    chain->milliseconds = strtod(job, &chain->gate);
    chain->gate = mem_strdup(*chain->gate ? chain->gate + 1 : "");
    *context = chain;
    return BRAMBLE_OK;
}

/* One member's side of an exchange: to each the same numbers, plus who it is for. */
struct talk {
    const struct exchange *exchange;
    const struct toy_chain *state;
    bramble_status status;
    bramble_error error;
};

static void *tell_each(void *context)
{
    struct talk *talk = context;
    const struct exchange *exchange = talk->exchange;
    uint64_t mine[MEMBERS_MOST][2], got[2];
    struct exchanged out[MEMBERS_MOST], theirs[MEMBERS_MOST];
    for (uint32_t m = 0; m < exchange->n_members; m++) {
        mine[m][0] = talk->state->tasks * 1000 + m;
        mine[m][1] = talk->state->sum;
        out[m] = (struct exchanged){mine[m], sizeof mine[m]};
    }
    talk->status = exchange->all_to_all(exchange->context, out, theirs, &talk->error);
    for (uint32_t m = 0; !talk->status && m < exchange->n_members; m++) {
        if (theirs[m].length == sizeof got) memcpy(got, theirs[m].bytes, sizeof got);
        if (theirs[m].length != sizeof got || memcmp(got, mine[exchange->rank], sizeof got) != 0)
            talk->status = error_set(&talk->error, BRAMBLE_ERR_DATA, "member %u is elsewhere", m);
    }
    return NULL;
}

/* On the other way at the same time. */
static bramble_status talk(const struct exchange *exchanges, const struct toy_chain *state,
                           bramble_error *error)
{
    pthread_t thread;
    struct talk talk = {.exchange = &exchanges[1], .state = state};
    struct exchanged theirs[MEMBERS_MOST];
    if (pthread_create(&thread, NULL, tell_each, &talk) != 0) return BRAMBLE_ERR_MEMORY;
    const struct exchange *exchange = &exchanges[0];
    bramble_status status = exchange->all_gather(exchange->context, state, sizeof *state, theirs, error);
    pthread_join(thread, NULL);
    for (uint32_t m = 0; !status && m < exchange->n_members; m++)
        if (theirs[m].length != sizeof *state || memcmp(theirs[m].bytes, state, sizeof *state) != 0)
            return error_set(error, BRAMBLE_ERR_DATA, "member %u has another sum", m);
    if (!status && talk.status) return *error = talk.error, talk.status;
    return status;
}

static bool take_time(const struct chain *chain, const struct together_work *work, bool last)
{
    do {
        if (!work->go_on(work->context)) return false;
        nanosleep(&(struct timespec){0, (long)(chain->milliseconds * 1e6)}, NULL);
    } while (last && *chain->gate && access(chain->gate, F_OK) != 0);
    return true;
}

static bramble_status hand_in(const struct together_work *work, const struct toy_chain *state,
                              bramble_error *error)
{
    struct toy_chain *copy = mem_alloc(1, sizeof *copy);
    if (!copy) return error_memory(error, "a result");
    *copy = *state;
    return work->done(work->context, (uint32_t)state->tasks - 1, copy, sizeof *copy, error);
}

/* The first result says how many tasks there are, the last one how far they are. */
static bramble_status toy_run_together(void *context, const struct exchange *exchanges,
                                       const struct together_work *work, bramble_error *error)
{
    const struct chain *chain = context;
    struct toy_chain state;
    uint64_t n_tasks;
    uint32_t done = 0;
    const struct exchanged *last = work->last.length ? &work->last : &work->first;
    if (work->first.length != sizeof n_tasks + sizeof state || last->length < sizeof state)
        return error_set(error, BRAMBLE_ERR_DATA, "the beginning is not what was given");
    memcpy(&n_tasks, work->first.bytes, sizeof n_tasks);
    memcpy(&state, (const char *)last->bytes + (last->length - sizeof state), sizeof state);
    work->begun(work->context);
    while (state.tasks < n_tasks) {
        if (!take_time(chain, work, state.tasks + 1 == n_tasks)) return BRAMBLE_ERR_CANCELLED;
        bramble_status status = talk(exchanges, &state, error);
        if (status) return status;
        state.sum += state.tasks * state.tasks;
        state.tasks++;
        work->credit(work->context, ++done, 1);
        if (exchanges->rank != 0 || (state.tasks % SNAPSHOT_TASKS && state.tasks < n_tasks)) continue;
        if ((status = hand_in(work, &state, error))) return status;
    }
    return BRAMBLE_OK;
}

static void toy_close(void *context)
{
    mem_free(((struct chain *)context)->gate);
    mem_free(context);
}

const struct program toy_chained = {.name = "toy_chained",
                                    .open = toy_open,
                                    .close = toy_close,
                                    .run_together = toy_run_together,
                                    .chained = true};
