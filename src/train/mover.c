#include "train/mover.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

struct mover {
    const struct exchange *exchange;
    struct exchanged *mine, *theirs; /* n_members */
    bool busy, stop, has_thread;     /* under the lock, as what follows */
    bramble_status status;
    bramble_error error;
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    pthread_t thread;
    double waited;
};

/* Without the lock: nobody else looks while it is busy. */
static void move(struct mover *mover)
{
    const struct exchange *exchange = mover->exchange;
    mover->status = exchange->all_to_all(exchange->context, mover->mine, mover->theirs, &mover->error);
}

static void *work(void *argument)
{
    struct mover *mover = argument;
    pthread_mutex_lock(&mover->lock);
    for (;;) {
        while (!mover->busy && !mover->stop) pthread_cond_wait(&mover->wake, &mover->lock);
        if (mover->stop) break;
        pthread_mutex_unlock(&mover->lock);
        move(mover);
        pthread_mutex_lock(&mover->lock);
        mover->busy = false;
        pthread_cond_signal(&mover->done);
    }
    pthread_mutex_unlock(&mover->lock);
    return NULL;
}

/* Signals are other threads' to take. Where no thread can be started it is done without. */
static void start_thread(struct mover *mover)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    mover->has_thread = pthread_create(&mover->thread, NULL, work, mover) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bramble_status mover_new(struct mover **out, const struct exchange *exchange, bramble_error *error)
{
    struct mover *mover = mem_zalloc(1, sizeof *mover);
    if (!mover) return error_memory(error, "what members exchange");
    mover->exchange = exchange;
    pthread_mutex_init(&mover->lock, NULL);
    pthread_cond_init(&mover->wake, NULL);
    pthread_cond_init(&mover->done, NULL);
    mover->mine = mem_zalloc(exchange->n_members, sizeof *mover->mine);
    mover->theirs = mem_zalloc(exchange->n_members, sizeof *mover->theirs);
    if (!mover->mine || !mover->theirs) {
        mover_free(mover);
        return error_memory(error, "what members exchange");
    }
    start_thread(mover);
    *out = mover;
    return BRAMBLE_OK;
}

void mover_free(struct mover *mover)
{
    if (!mover) return;
    pthread_mutex_lock(&mover->lock);
    bool busy = mover->busy;
    mover->stop = true;
    pthread_cond_signal(&mover->wake);
    pthread_mutex_unlock(&mover->lock);
    if (busy && mover->has_thread) mover->exchange->leave(mover->exchange->context);
    if (mover->has_thread) pthread_join(mover->thread, NULL);
    pthread_mutex_destroy(&mover->lock);
    pthread_cond_destroy(&mover->wake);
    pthread_cond_destroy(&mover->done);
    mem_free(mover->mine);
    mem_free(mover->theirs);
    mem_free(mover);
}

void mover_post(struct mover *mover, uint32_t to, const void *bytes, size_t length)
{
    memset(mover->mine, 0, mover->exchange->n_members * sizeof *mover->mine);
    if (to != MOVER_NOBODY) mover->mine[to] = (struct exchanged){bytes, length};
    pthread_mutex_lock(&mover->lock);
    mover->busy = true;
    pthread_cond_signal(&mover->wake);
    pthread_mutex_unlock(&mover->lock);
}

bramble_status mover_wait(struct mover *mover, uint32_t from, struct exchanged *came, bramble_error *error)
{
    double start = clock_seconds();
    if (mover->has_thread) {
        pthread_mutex_lock(&mover->lock);
        while (mover->busy) pthread_cond_wait(&mover->done, &mover->lock);
        pthread_mutex_unlock(&mover->lock);
    } else {
        move(mover);
        mover->busy = false;
    }
    mover->waited += clock_seconds() - start;
    if (mover->status && error) *error = mover->error;
    *came = (struct exchanged){0};
    if (!mover->status && from != MOVER_NOBODY) *came = mover->theirs[from];
    return mover->status;
}

double mover_waited(struct mover *mover)
{
    double waited = mover->waited;
    mover->waited = 0;
    return waited;
}
