/*
 * A forest grown on many machines none of which holds the data whole: each gets the codes of some features,
 * and they grow all trees together (sharded_forest.h). Job text and results are those of tree_farm, bit for
 * bit.
 */
#ifndef TRAIN_SHARDED_FARM_H
#define TRAIN_SHARDED_FARM_H

#include "cluster/program.h"

extern const struct program sharded_farm;

#endif
