/* What the files of a pipeline share: pipeline.c (its beginning and end), pipeline_step.c, pipeline_state.c
 * and pipeline_score.c. */
#ifndef TRAIN_PIPELINE_INTERNAL_H
#define TRAIN_PIPELINE_INTERNAL_H

#include "net/stage.h"
#include "train/mover.h"
#include "train/pipeline.h"

enum { PIPELINE_SUMMARY = 4 /* doubles before the squares that a member hands in */ };

struct pipeline {
    const struct net_graph *graph; /* whole, but for weights */
    struct pipeline_options options;
    const struct exchange *exchanges;
    struct mover *there, *back; /* over one each */
    struct pipeline_layout layout;
    uint32_t own;            /* stage; NET_NONE: none */
    uint32_t before, behind; /* members that have the stages beside it, or MOVER_NOBODY */
    struct net_part part;
    struct stage *stage;
    struct exchanged *mine, *theirs; /* n_members */
    uint32_t *stage_of;              /* of each value: whose weight it is; NET_NONE: nobody's */
    double *summary, *squares;       /* what this member hands in; of all ranges in order */
    size_t n_ranges;
    bramble_error error;
};

static inline bool pipeline_is_first(const struct pipeline *p)
{
    return p->own == 0;
}

static inline bool pipeline_is_last(const struct pipeline *p)
{
    return p->own + 1 == p->layout.stages.n;
}

/* Numbers of a sample that come in, and go out. */
static inline size_t pipeline_in(const struct pipeline *p)
{
    return p->part.graph.values[p->part.graph.input].size;
}

static inline size_t pipeline_out(const struct pipeline *p)
{
    return p->part.graph.values[p->part.graph.output].size;
}

bramble_status pipeline_wrong(uint32_t member, bramble_error *error); /* it sent something else */

/* Gathers bytes over the first exchange, into theirs. */
bramble_status pipeline_all_gather(struct pipeline *p, const void *mine, size_t length, bramble_error *error);

#endif
