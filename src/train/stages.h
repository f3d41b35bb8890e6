/*
 * Which layers of a network go to which member of a pipeline: the pieces between the places where it can be
 * cut, some that follow each other to each member. Members keep their order; one that would not help gets
 * none.
 *
 * For each number of stages the slowest stage is made as fast as can be, by dynamic programming over places
 * and members (PipeDream, Narayanan et al. 2019, section 3.1); of those that number is taken for which a
 * batch takes least: the slowest stage once for each group of microbatches but one, and all stages once.
 */
#ifndef TRAIN_STAGES_H
#define TRAIN_STAGES_H

#include <stdint.h>

#include <bramble/error.h>

enum { STAGES_MOST = 16 };

/* What lies between two places. */
struct stages_piece {
    double work;     /* of a sample, there and back: multiply-adds */
    double settling; /* of a bundle of groups, whatever they are: multiply-adds */
    double fixed;    /* bytes that it takes whatever the batch: weights and what training keeps of them */
    double a_sample; /* bytes that a sample keeps until its bundle's backward work is done */
};

struct stages_member {
    double rate;   /* work a second */
    double memory; /* bytes it may take */
};

struct stages_task {
    uint32_t n_pieces, n_members;
    uint32_t groups; /* of a batch */
    uint32_t bundle; /* groups whose gradients of weights are worked out at once */
    double samples;  /* of a group */
    const struct stages_piece *pieces;
    const double *crossing; /* [n_pieces + 1]: bytes of a sample that cross there; nothing at the ends */
    const struct stages_member *members;
    double wire;    /* bytes a second between two members */
    double latency; /* seconds that an exchange takes without any */
};

struct stages {
    uint32_t n;
    uint32_t places[STAGES_MOST + 1]; /* rising; stage s has pieces places[s]..places[s + 1] - 1 */
    uint32_t members[STAGES_MOST];    /* rising */
    double seconds;                   /* that a batch takes */
};

/* Bundles that are on their way at once in one of the last `left` stages (1: the last). */
uint32_t stages_slots(uint32_t left, uint32_t groups, uint32_t bundle);

/* What a stage takes for a group, and the memory it needs when it is one of the last `left` (1: the last). */
double stages_seconds(const struct stages_task *task, uint32_t member, uint32_t from, uint32_t to);
double stages_bytes(const struct stages_task *task, uint32_t left, uint32_t from, uint32_t to);

/* BRAMBLE_ERR_UNSUPPORTED when it fits the members in no way. O(stages x members x pieces^2). */
bramble_status stages_cut(struct stages *out, const struct stages_task *task, bramble_error *error);

#endif
