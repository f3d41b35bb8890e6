/* What is to be trained, as a planner sees it. */
#ifndef PLAN_WORK_H
#define PLAN_WORK_H

#include <stdbool.h>
#include <stdint.h>

enum { PLAN_BUCKETS_MOST = 64, PLAN_STAGES_MOST = 16, PLAN_MICROBATCH = 16 };

/* Gradients that travel together. */
struct plan_bucket {
    double numbers;
    double ready; /* when they are there: a share of the work on what they are of, 0 < . <= 1, rising */
};

struct plan_net {
    uint32_t n_buckets;
    struct plan_bucket buckets[PLAN_BUCKETS_MOST];
    bool by_pieces;  /* pieces (net/division.h) become ready one after the other, each with all buckets */
    double together; /* times as long as alone its work takes a node that takes steps with others */
    double gathers; /* small exchanges of a step: sums of losses, and of batch normalisation there and back */
    double weights; /* numbers that averages are of */
    double overhead;                  /* of a step, whatever the batch: as much as so many samples take */
    uint32_t batch;                   /* M */
    double samples;                   /* that are trained on, all epochs together */
    double fixed_bytes, sample_bytes; /* memory: of a member, and of each sample of its share */
    double data_bytes;                /* that every node has a copy of */
    uint32_t local_steps;             /* batches between two averages */
};

/* A network cut into stages for the nodes at hand. */
struct plan_stages {
    uint32_t n, groups;                 /* stages; groups of samples that a batch goes through in */
    uint32_t members[PLAN_STAGES_MOST]; /* whose groups they are, in the platform */
    double seconds[PLAN_STAGES_MOST];   /* that a group takes, there and back */
    double bytes[PLAN_STAGES_MOST];     /* of a group, that go on behind a stage, and come back */
    double memory[PLAN_STAGES_MOST];
};

struct plan_forest {
    double trees;
    double tree_bytes; /* of a tree, as it is handed in */
    double data_bytes; /* of the codes that every node needs */
};

#endif
