/* Machines and networks on paper, for tests of the planner. */
#ifndef TESTS_PAPER_H
#define TESTS_PAPER_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plan/simulate.h"

/* A node that takes `sample` seconds a sample, with links of `rate` bytes a second and no other cost. */
static inline struct plan_group paper_group(uint32_t n, double sample, double rate)
{
    return (struct plan_group){.name = "paper",
                               .n = n,
                               .sample_seconds = sample,
                               .tree_seconds = 1,
                               .processors = 4,
                               .memory = 1e12,
                               .link = {rate, rate, 0}};
}

/* One bucket of so many numbers, which is ready when all work is done. */
static inline struct plan_net paper_net(uint32_t batch, double numbers)
{
    return (struct plan_net){.n_buckets = 1,
                             .buckets = {{numbers, 1}},
                             .together = 1,
                             .weights = numbers,
                             .batch = batch,
                             .samples = 60000,
                             .local_steps = 32};
}

static inline void assert_near(double a, double b)
{
    if (fabs(a - b) > 1e-6 * (fabs(a) + fabs(b))) fail_msg("%.9g is not %.9g", a, b);
}

static inline double paper_draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / (1 << 24);
}

#endif
