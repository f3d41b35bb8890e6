/* Rank 0 from within: coordinator.c talks, coordinator_job.c keeps the job, coordinator_data.c the data that
 * all nodes hold whole, coordinator_together.c the jobs that nodes do together, each with a part of the data,
 * coordinator_chain.c those whose tasks build on each other. */
#ifndef CLUSTER_COORDINATOR_INTERNAL_H
#define CLUSTER_COORDINATOR_INTERNAL_H

#include "cluster/carrier.h"
#include "cluster/coordinator.h"
#include "cluster/errand.h"
#include "cluster/heartbeat.h"
#include "cluster/job.h"
#include "cluster/journal.h"
#include "cluster/lines.h"
#include "cluster/schedule.h"

struct node_at_work {
    enum worker_state state;
    struct heartbeat beat;
    uint32_t threads;
    uint64_t memory;
    bool said_hello, has_data, waits_for_data, lost;
    struct wire_credit credit; /* of a chain */
    uint32_t sender;           /* that sends it the data */
    uint32_t receivers;        /* that it sends the data to; entry 0 is the coordinator itself */
};

/* A result of a job whose tasks build on each other. */
struct link_of_chain {
    uint32_t task, length;
    void *bytes; /* NULL: none */
};

/* What is done with the journal beside, since the beats must go on: opening it, and syncing it. */
struct bookkeeping {
    struct errand errand;
    const struct job *job;
    struct schedule *schedule; /* opening: of what is left to do */
    struct journal *journal;
    bool chained;
    struct link_of_chain first, last; /* opening: what there is; syncing: `last` is to be written */
    bramble_status status;
    bramble_error error;
};

struct together;

struct coordinator {
    struct wire *wire;
    struct lines orders, reports;
    const struct program *const *programs;
    uint32_t n_workers, n_hello;
    struct node_at_work *nodes; /* by rank: 0 is the coordinator, 1..n_workers the others */
    struct job job;             /* program NULL: none */
    struct schedule *schedule;  /* of workers rank - 1; NULL: no job, or one that is being opened */
    struct journal *journal;
    struct bookkeeping opening, syncing;
    bool prepared; /* the workers know of the job; it has not begun, and another generation may be at it */
    struct together *together; /* NULL: each worker does tasks on its own */
    bool chained, begun;       /* or they build on each other, and all workers do them together: */
    bool first_begins;         /* only worker 1 is told how far they are */
    struct link_of_chain newest;
    struct carrier *carrier; /* of our own copy of the data, once it was needed */
    bool no_copy;            /* ours cannot be read */
    bool unsynced, final;    /* results since the last sync; the last sync is under way */
    bool out_of_memory;      /* why some worker is out of the job */
    bool stop;
    double looked, reported, synced; /* when last */
    double sync_pause;               /* until the next */
};

void coordinator_report(struct coordinator *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How far the job is, and what each worker does: "progress", and a "worker" for each. */
void coordinator_report_progress(struct coordinator *c);

/* Is `number` (or 0: whatever job there was) the job at hand, begun or prepared? */
bool coordinator_at_job(const struct coordinator *c, uint32_t number);

void coordinator_prepare_job(struct coordinator *c, const char *text);
void coordinator_take_job(struct coordinator *c, const char *text);
void coordinator_drop_job(struct coordinator *c);
void coordinator_fail_job(struct coordinator *c, uint32_t rank,
                          const bramble_error *error); /* rank: coordinator.h */
/* Tells a worker about the job at hand, or what it gets to see of it. */
void coordinator_send_job(struct coordinator *c, uint32_t rank, const struct job *job);
/* Takes in what was done beside, syncs the journal now and then, ends the job when all is in it. */
void coordinator_tend_job(struct coordinator *c);

/* Sees to it that those that wait for the data get them; true when anything was sent. */
bool coordinator_send_data(struct coordinator *c);
void coordinator_data_needed(struct coordinator *c, uint32_t rank);
void coordinator_data_arrived(struct coordinator *c, uint32_t rank);
void coordinator_data_refused(struct coordinator *c, uint32_t sender, uint32_t to);
void coordinator_data_given_up(struct coordinator *c, uint32_t rank); /* it is out of the job */

/* A job that is done together, which the workers do not know of yet: divides its data beside, and goes on. */
void coordinator_divide(struct coordinator *c, const struct program *program);
bool coordinator_tend_together(struct coordinator *c); /* true when anything was sent */
void coordinator_together_data_needed(struct coordinator *c, uint32_t rank);
void coordinator_together_ready(struct coordinator *c);
void coordinator_together_drop(struct coordinator *c);

/* A worker has opened the program of a chain, or says it cannot. */
void coordinator_chain_ready(struct coordinator *c);
void coordinator_chain_refused(struct coordinator *c, uint32_t rank, uint32_t status,
                               const bramble_error *error); /* status: the one it gave */
bramble_status coordinator_chain_visit(void *bookkeeping, uint32_t task, const void *bytes, uint32_t length,
                                       bramble_error *error); /* of the journal */
void coordinator_chain_result(struct coordinator *c, struct wire_message *message);
void coordinator_chain_save(struct coordinator *c); /* a result that is not in the journal yet */
void coordinator_chain_drop(struct coordinator *c);

#endif
