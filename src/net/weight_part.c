#include "net/weight_part.h"

#include "net/operator.h"

void weight_part_begin(struct weight_part *part, const struct net_kernels *kernels, void *scratch,
                       size_t size, uint64_t samples)
{
    part->kernels = net_kernels_or_best(kernels);
    part->microbatches = (samples + MICROBATCH - 1) / MICROBATCH;
    fold_begin(&part->fold, scratch, size);
}

static struct net_outer placed(struct weight_part *part, const struct net_outer *o, size_t at, bool first,
                               bool last)
{
    struct net_outer outer = *o;
    bool total = last && part->fold.count + 1 == part->microbatches;
    float *leaf = fold_leaf(&part->fold) + at;
    outer.start = first ? NULL : leaf;
    outer.levels = part->fold.levels + at;
    outer.level_stride = part->fold.size;
    outer.carry_levels = total ? fold_pending(&part->fold) : last ? fold_carries(&part->fold) : 0;
    if (total) return outer;
    outer.g = leaf;
    outer.g_stride = o->sums_stride;
    return outer;
}

void weight_part_outer(struct weight_part *part, const struct net_outer *o, size_t at, bool first, bool last)
{
    const struct net_outer outer = placed(part, o, at, first, last);
    part->kernels->outer(&outer);
}

void weight_part_channel_outer(struct weight_part *part, const struct net_outer *o, size_t at, bool first,
                               bool last)
{
    const struct net_outer outer = placed(part, o, at, first, last);
    part->kernels->channel_outer(&outer);
}

void weight_part_sum(struct weight_part *part, const struct net_outer *o, size_t at, bool first, bool last)
{
    static const float one = 1;
    struct net_outer outer = placed(part, o, at, first, last);
    outer.a = &one;
    outer.a_inner = outer.a_outer = 0;
    outer.n_rows = 1;
    part->kernels->outer(&outer);
}

void weight_part_next(struct weight_part *part)
{
    fold_added(&part->fold);
}
