/*
 * A network trained on many machines that take its steps together: every member has all rows. How they do it
 * is net_strategy.h's.
 */
#ifndef TRAIN_NET_TOGETHER_H
#define TRAIN_NET_TOGETHER_H

#include "cluster/program.h"

/* Job text: net_job.h's. Data: rows_file.h's. Results: net_snapshot.h's, the first with the model. */
extern const struct program net_together;

/* A job's tasks are so many parts of a training of so many steps, the beginning being task 0. */
uint32_t net_together_tasks(uint64_t steps);
/* The last of them that is over after `done` of `steps`: never the final one, which is over only when the
 * last epoch was judged. */
uint32_t net_together_task(uint64_t done, uint64_t steps);

#endif
