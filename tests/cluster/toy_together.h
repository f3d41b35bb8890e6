/* A program that nodes run together, for tests of the engine: each holds some bytes of the data; the sum of
 * all, which they exchange for every task, is in each part. A task's answer is its square, if that sum is
 * right. */
#ifndef TESTS_TOY_TOGETHER_H
#define TESTS_TOY_TOGETHER_H

#include "cluster/program.h"

extern const struct program toy_together;

#endif
