/*
 * A forest from data that no member holds whole: each has all rows' targets and weights, and the codes of
 * some features (docs/decisions/0010). The trees are those that one machine with all of it would grow.
 */
#ifndef TRAIN_SHARDED_FOREST_H
#define TRAIN_SHARDED_FOREST_H

#include "cluster/exchange.h"
#include "data/binned_file.h"
#include "forest/forest.h"

struct sharded_job {
    const struct exchange *exchange;
    const struct binned_file *shard; /* the members' hold every feature once between them */
    const bramble_forest_options *options;
    const uint32_t *trees; /* numbers of the trees to grow, the same for all members */
    uint32_t n_trees;
    uint32_t threads; /* of this member */
    bool (*go_on)(void *context);
    /* Told of each tree when it is done, at every member in the same order, with the tree's own importances
     * (F, fixed point, grow.h); both borrowed. From the calling thread. */
    bramble_status (*done)(void *context, uint32_t number, const struct tree *tree,
                           const uint64_t *importances, bramble_error *error);
    void *context;
};

/*
 * Grows the trees together with the other members, who must all call it. When one of them gives up, the
 * others fail too, with BRAMBLE_ERR_CANCELLED and a line that says whose fault it was. Sends for each node
 * some 13 bytes a member, and a bit for each row of a node that splits. Memory besides the shard: 48 bytes a
 * row drawn for each of up to 16 trees in flight.
 */
bramble_status sharded_forest_grow(const struct sharded_job *job, bramble_error *error);

#endif
