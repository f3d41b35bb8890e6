/*
 * Who does which task next. Workers take work as they finish it, so that each does what its measured speed
 * earns. At the end a worker that could not finish a task before the others would be done without it gets
 * none, and idle ones repeat the tasks that would be done last: the first copy wins, and copies are
 * identical.
 *
 * Pure bookkeeping: no clock, no network. Times are seconds of any one clock.
 */
#ifndef CLUSTER_SCHEDULE_H
#define CLUSTER_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct schedule;

struct schedule *schedule_new(uint32_t n_tasks, uint32_t n_workers); /* NULL: out of memory */
void schedule_free(struct schedule *schedule);

/* A task whose result was there before. */
void schedule_mark_done(struct schedule *schedule, uint32_t task);

/* Worker w has begun to take tasks, `threads` at a time. */
void schedule_join(struct schedule *schedule, uint32_t w, uint32_t threads);

/* Worker w takes no more tasks; those it had are free again. */
void schedule_leave(struct schedule *schedule, uint32_t w);

/* The task worker w should be sent now; false: none for the moment. Call until false. O(tasks in flight) at
 * the end of a job, O(1) before. */
bool schedule_next(struct schedule *schedule, uint32_t w, double now, uint32_t *task);

/* Worker w handed in a task that took one of its threads `seconds`. True: the first copy. Then others that
 * work on it are told to stop: call schedule_take_cancel until false. */
bool schedule_result(struct schedule *schedule, uint32_t w, uint32_t task, double seconds);
bool schedule_take_cancel(struct schedule *schedule, uint32_t *w, uint32_t *task);

bool schedule_is_done(const struct schedule *schedule, uint32_t task);
uint32_t schedule_tasks_done(const struct schedule *schedule);
uint32_t schedule_tasks_by(const struct schedule *schedule, uint32_t w); /* first copies handed in by w */
double schedule_rate(const struct schedule *schedule, uint32_t w); /* tasks a second; 0: not known yet */
bool schedule_finished(const struct schedule *schedule);

#endif
