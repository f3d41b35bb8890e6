/*
 * What a node says about itself. `bramble node-report` prints it there as one JSON object; the probe runs
 * that on all nodes at once and judges the answers.
 */
#ifndef CLUSTER_PROBE_H
#define CLUSTER_PROBE_H

#include "cluster/remote.h"

enum { REPORT_TEXT = 96 };

/* Debian's packages that bramble needs on a node, for messages. */
#define NODE_PACKAGES                                                                                        \
    "openmpi-bin libinih1 libzip4 libzstd1 libxxhash0 libjansson4 libprotobuf-c1 libsqlite3-0"

struct node_report {
    char arch[16];            /* "x86_64", "aarch64" */
    char system[REPORT_TEXT]; /* "Debian GNU/Linux 12 (bookworm)" */
    char model[REPORT_TEXT];  /* "Raspberry Pi 4 Model B Rev 1.4", or the processor's name */
    char version[32];         /* bramble's */
    char mpi[REPORT_TEXT];    /* "Open MPI 4.1.4" */
    char kernels[16];         /* "avx512", "neon", ... */
    bool mpi_daemon;          /* Open MPI's orted is on its PATH, without which mpiexec cannot start there */
    char *program;            /* absolute path of the bramble that answered; mem_free it */
    uint32_t cores;           /* that a process may use there */
    uint64_t memory_bytes, memory_free_bytes, disk_free_bytes; /* disk: where the cache is */
    double clock_seconds;                                      /* its clock when it said so, since 1970 */
    double
        clock_offset_seconds; /* its clock less ours, give or take the time the answer took; set by a probe */
    bool under_voltage, throttled; /* now or since it was switched on */
    double temperature;            /* degrees Celsius; NaN: it does not tell */
    double core_rate;  /* one core's, roughly: million random numbers a second of its time; NaN: not known */
    double core_limit; /* cores' worth of time that its control groups allow; INFINITY or NaN: no limit */
    /* NaN unless measured */
    double tree_rate;     /* histogram kernel, all cores: million row-features a second */
    double gemm_gflops;   /* single precision, all cores */
    double bandwidth_mbs; /* from us to it, 10^6 bytes a second */
    double latency_ms;    /* a round trip of one byte, over ssh's connection */
};

struct node_state {
    bool usable;
    char problem[256]; /* one line for a person, empty when there is nothing; a usable node may have one */
    bool gone;         /* and it will not come back: its Slurm job is over */
    struct node_report report; /* valid when usable, or as far as it got */
};

/* This machine's own report. What is measured is left NaN: tree_rate and gemm_gflops are src/train's to fill
 * in (node_speed.h), the link's two a probe's. */
bramble_status node_report_self(struct node_report *report, bramble_error *error);
char *node_report_to_json(const struct node_report *report); /* mem_free it; NULL: out of memory */
bool node_report_from_json(struct node_report *report, const char *text, size_t length); /* hostile input */
void node_report_fini(struct node_report *report);

/* Why a run cannot start on a node with this report, or what its owner should see to, as one line; empty when
 * there is nothing. True when the node can be used. `ours` is the launcher's own report. */
bool node_report_judge(const struct node_report *report, const struct node_report *ours,
                       const struct node *node, char *problem, size_t size);

/*
 * Fills states[n] for nodes[n]. A node is usable when it is reached, has this very version of bramble, the
 * same release of Open MPI and enough memory to start. Without `measure` all are done within about half a
 * second of the slowest; `deadline_seconds` bounds it. With `measure` each also runs its kernels (about two
 * seconds, all at once), and then the links are measured one after the other. node_state_fini each.
 */
bramble_status probe_nodes(struct remote *remote, const struct node *nodes, size_t n, bool measure,
                           double deadline_seconds, struct node_state *states, bool (*go_on)(void *context),
                           void *context, bramble_error *error);
void node_state_fini(struct node_state *state);

#endif
