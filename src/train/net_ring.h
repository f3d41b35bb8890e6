/*
 * A network trained on many machines in a ring (synchronous data parallel): every member has all rows, takes
 * the microbatches of each batch that its measured speed earns, and after each step all have the weights that
 * one machine would have, bit for bit. Who takes part, and when, changes nothing in the result.
 */
#ifndef TRAIN_NET_RING_H
#define TRAIN_NET_RING_H

#include "cluster/program.h"

/* Job text: net_job.h's. Data: rows_file.h's. Results: net_snapshot.h's, the first with the model. */
extern const struct program net_ring;

/* A job's tasks are so many parts of a training of so many steps, the beginning being task 0. */
uint32_t net_ring_tasks(uint64_t steps);
/* The last of them that is over after `done` of `steps`: never the final one, which is over only when the
 * last epoch was judged. */
uint32_t net_ring_task(uint64_t done, uint64_t steps);

#endif
