/*
 * Counter-based random numbers (Philox4x32-10; Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy
 * as 1, 2, 3", SC11; package librandom123-dev).
 *
 * A number is a pure function of what it is for (seed, purpose, two 64-bit names such as tree and node) and
 * of its place in that stream: no state is shared, so no order of work can change it.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

enum rng_purpose {
    RNG_BOOTSTRAP = 1, /* a: tree */
    RNG_NODE_KEY,      /* a: tree (root) or parent's key (child) */
    RNG_FEATURES,      /* a: node key */
    RNG_THRESHOLD,     /* a: node key, b: feature */
    RNG_HOLDOUT,
    RNG_BATCH_ORDER = 16, /* a: epoch */
    RNG_AUGMENT = 18,     /* a: sample, b: epoch */
    RNG_WEIGHTS = 24,     /* a: hash of the value's name */
    RNG_DROPOUT = 32,     /* a: step and sample, b: node */
    RNG_MAX_SAMPLES = 28,
    RNG_VALIDATION,
};

struct rng {
    uint32_t key[2];
    uint32_t counter[4]; /* [0]: block number; [1]: purpose and b's low half; [2..3]: a */
    uint32_t block[4];
    unsigned used; /* numbers of `block` handed out */
};

/* The stream for (seed, purpose, a, b). `b` below 2^24. */
void rng_init(struct rng *r, uint64_t seed, enum rng_purpose purpose, uint64_t a, uint32_t b);

uint32_t rng_u32(struct rng *r);
uint64_t rng_u64(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n); /* uniform in 0..n-1, unbiased (Lemire 2019); n >= 1 */
double rng_double(struct rng *r);              /* uniform in [0, 1), 53 bits */

#endif
