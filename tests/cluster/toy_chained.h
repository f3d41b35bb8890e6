/* A program whose tasks build on each other, for tests of the engine: task t adds t squared to a sum that all
 * members keep, and hands it on in the journal now and then. Every task they tell each other, on both ways,
 * what they have. */
#ifndef TESTS_TOY_CHAINED_H
#define TESTS_TOY_CHAINED_H

#include "cluster/program.h"

struct toy_chain {
    uint64_t tasks, sum; /* done, and what of */
};

extern const struct program toy_chained;

#endif
