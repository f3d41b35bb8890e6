/*
 * Which batch is this member's, where that is found out on the way: the thread that trains tells, the one
 * that makes batches ahead waits until it knows.
 */
#ifndef TRAIN_TURNS_H
#define TRAIN_TURNS_H

#include <pthread.h>

#include "data/batches.h"

struct turns {
    pthread_mutex_t lock;
    pthread_cond_t told;
    struct batches_state ours; /* the last that was told of */
    bool any, over;
};

void turns_init(struct turns *turns);
void turns_fini(struct turns *turns);

/* Of all batches up to this one, this one is the next of ours; batch UINT64_MAX: none that is left of the
 * epoch is. */
void turns_tell(struct turns *turns, struct batches_state ours);

/* No batch is ours any more, and nobody waits. */
void turns_end(struct turns *turns);
bool turns_are_over(struct turns *turns);

/* struct batches_options' `wants`, with the turns as its context. */
bool turns_want(void *turns, struct batches_state batch, uint32_t samples, uint32_t sample);

#endif
