/*
 * Rank 0: hands out tasks, writes results to the journal, sees to it that data get where they are needed, and
 * notices who is gone. It knows the workers by their ranks; the supervisor that started the job knows their
 * names.
 *
 * Orders come in as lines on one named pipe, reports go out on another:
 *
 *   prepare JSON   get ready for this    here PID                       rank 0 itself
 *   job JSON   work on this (job.h)      hello RANK PID THREADS         a worker is there
 *   drop       forget the job            ready                          all of them are
 *   stop       send everybody home       opened JOB RANK                a worker is ready for a job that is
 *                                                                       prepared, or cannot do it (0: all)
 *                                        progress JOB DONE TOTAL        four times a second, and
 *                                        worker JOB RANK STATE TASKS RATE   one of these for each worker
 *                                        have RANK                      the data are there
 *                                        lost RANK SECONDS              silent for so long
 *                                        out RANK TEXT                  cannot do this job; left out
 *                                        unfit RANK TEXT                the same, and the others cannot go on
 *                                                                       in this generation
 *                                        note RANK TEXT                 for the event log
 *                                        done JOB                       every result is in the journal
 *                                        divided JOB N                  into parts of the data, for N nodes
 *                                        error JOB STATUS RANK TEXT     the job cannot be done, because of a
 *                                                                       worker (or 0), a bramble_status
 */
#ifndef CLUSTER_COORDINATOR_H
#define CLUSTER_COORDINATOR_H

#include "cluster/program.h"
#include "cluster/wire.h"

/* What a worker is at, as reports name it. */
enum worker_state { WORKER_STARTING, WORKER_LOADING, WORKER_RECEIVING, WORKER_WORKING, WORKER_OUT };
const char *worker_state_name(enum worker_state state);

/* Runs until told to stop, or until the supervisor is gone. `programs` (NULL at the end) are those that data
 * may have to be divided for. The wire stays the caller's. */
bramble_status coordinator_run(struct wire *wire, uint32_t n_workers, const struct program *const *programs,
                               const char *orders_path, const char *reports_path, bramble_error *error);

#endif
