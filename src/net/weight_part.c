#include "net/weight_part.h"

void weight_part_begin(struct weight_part *part, const struct net_kernels *kernels, void *scratch,
                       size_t size)
{
    part->kernels = net_kernels_or_best(kernels);
    part->total = scratch;
    fold_begin(&part->fold, part->total + size, size);
}

static struct net_outer placed(struct weight_part *part, const struct net_outer *o, size_t at, bool first,
                               bool last)
{
    struct net_outer outer = *o;
    outer.g = fold_leaf(&part->fold) + at;
    outer.add = !first;
    outer.carries = part->fold.levels + at;
    outer.carry_stride = part->fold.size;
    outer.n_carries = last ? fold_carries(&part->fold) : 0;
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

void weight_part_end(struct weight_part *part)
{
    fold_end(&part->fold, part->total);
}
