/*
 * Threads that stay: for work in many short phases, where starting threads for each (threads.h) would cost
 * more than the work. Between phases they sleep. To wake takes longer than most phases' ends are apart, so
 * who waits looks out for a tenth of a millisecond first, offering the processor to whatever else wants it
 * all the while; where that was in vain, half as long the next time. So what else runs on the machine does
 * not notice a team that waits.
 */
#ifndef BASE_TEAM_H
#define BASE_TEAM_H

#include <stdint.h>

struct team;

/*
 * Starts threads so that `threads` can work at once, the caller of team_run being number 0; 0: all available.
 * Threads that cannot be started are done without. NULL: out of memory.
 */
struct team *team_new(uint32_t threads);
void team_free(struct team *team); /* not during a run */

/* Threads that may work at once: the numbers that tasks get are below it. */
uint32_t team_size(const struct team *team);

/*
 * Runs task(context, thread, i) for every i in 0..n_tasks-1 and returns when all are done. Idle threads take
 * the next i, so that which thread runs which is left to chance; a thread that wakes late is not waited for.
 * What was written before the call is seen by all tasks, and what tasks wrote by the caller afterwards. One
 * run at a time.
 */
void team_run(struct team *team, uint64_t n_tasks, void (*task)(void *context, uint32_t thread, uint64_t i),
              void *context);

#endif
