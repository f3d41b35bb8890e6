/*
 * Two operands whose shapes are brought together as NumPy does it: sample shapes are aligned at their last
 * axes, an axis of 1 is repeated. A weight is the same for all samples. What comes out is walked in rows,
 * along which an operand goes on by one number or stays where it is; axes that can be are taken as one, so
 * equal shapes are a single row.
 */
#ifndef NET_BROADCAST_H
#define NET_BROADCAST_H

#include "net/operator.h"

struct broadcast {
    size_t rows, n;    /* rows of all samples, numbers of each */
    uint32_t inner[2]; /* 1: an operand goes on along a row; 0: it stays */
    uint32_t rank;     /* axes outside of a row */
    size_t dim[NET_RANK_MAX + 1], step[2][NET_RANK_MAX + 1];
};

/* The shape that comes out of inputs 0 and 1, at least one of which is an activation. */
bramble_status broadcast_infer(const struct net_graph *graph, const struct net_node *node,
                               struct net_shape *shapes, bramble_error *error);

/* What broadcast_infer allowed, over so many samples. */
void broadcast_init(struct broadcast *b, const struct net_graph *graph, const struct net_node *node,
                    uint32_t samples);

/* Where the operands' numbers for a row begin. */
void broadcast_at(const struct broadcast *b, size_t row, size_t at[2]);

#endif
