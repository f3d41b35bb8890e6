/*
 * How fast this machine is at what training does: the two figures of a node's report that a planner divides
 * work by. Real kernels on made-up data; nothing is learned.
 */
#ifndef TRAIN_NODE_SPEED_H
#define TRAIN_NODE_SPEED_H

#include <stdint.h>

#include <bramble/error.h>

struct node_speed {
    double tree_rate;   /* histograms and their cuts: million row-features a second, all threads together */
    double gemm_gflops; /* sgemm of OpenBLAS, all threads together; NaN where OpenBLAS is not installed */
};

/* About a second each. Takes 10 MB, and 5 MB a thread. */
bramble_status node_speed_measure(struct node_speed *speed, uint32_t threads, bramble_error *error);

/* The second figure alone: square matrices, a product a thread at a time. */
double gemm_speed_measure(uint32_t threads, double seconds);

#endif
