/* Work on several threads: one call that hands out numbered tasks and returns when all are done. */
#ifndef BASE_THREADS_H
#define BASE_THREADS_H

#include <stdint.h>

/* Processors this process may use (affinity and cgroup quota respected), at least 1. */
uint32_t threads_available(void);

/*
 * Runs task(context, thread, i) for every i in 0..n_tasks-1 on at most `threads` threads (0: all available),
 * the caller's being number 0; idle threads take the next i. Which thread runs which task is left to chance:
 * results must not depend on it. Threads that cannot be started are done without. No thread outlives the
 * call.
 */
void threads_run(uint32_t threads, uint64_t n_tasks, void (*task)(void *context, uint32_t thread, uint64_t i),
                 void *context);

#endif
