/* What changes how numbers are seen, and moves none, or few. */
#include <string.h>

#include "model/net_read.h"

bramble_status read_same(struct net_reader *r)
{
    const struct view *x;
    bramble_status status = reader_view(r, 0, &x);
    if (status) return status;
    struct view out = *x;
    return reader_define_view(r, 0, &out);
}

bramble_status read_transpose(struct net_reader *r)
{
    const struct view *x;
    int64_t perm[VIEW_AXES_MAX];
    uint8_t axes[VIEW_AXES_MAX];
    uint32_t n, seen = 0;
    struct view out;
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = reader_ints(r, "perm", 0, perm, VIEW_AXES_MAX, &n);
    if (status) return status;
    for (uint32_t a = 0; !n && a < x->n_axes; a++) perm[a] = (int64_t)x->n_axes - 1 - a;
    if (n && n != x->n_axes) return reader_refuse(r, "permutes %u axes of %u", n, x->n_axes);
    for (uint32_t a = 0; a < x->n_axes; a++) {
        if (perm[a] < 0 || perm[a] >= x->n_axes || (seen >> perm[a] & 1))
            return reader_refuse(r, "\"perm\" is no permutation");
        seen |= 1u << perm[a];
        axes[a] = (uint8_t)perm[a];
    }
    view_permute(&out, x, axes);
    return reader_define_view(r, 0, &out);
}

/* All factors but the batch's as one, where nothing stands before the batch. */
static bool merge_factors(struct view *view)
{
    uint64_t size = 1;
    for (uint32_t f = 0; f < view->n_factors; f++) {
        if (view->factors[f].place != VIEW_BATCH)
            size *= view->factors[f].size;
        else if (f)
            return false;
    }
    uint32_t value = view->value;
    view_begin(view, value);
    view_add_batch(view);
    view_add_axis(view, (uint32_t)size);
    view_settle_straight(view);
    return size <= UINT32_MAX;
}

/* Defines output 0 as x under axes of other sizes. */
static bramble_status define_reshaped(struct net_reader *r, const struct view *x, const uint64_t *sizes,
                                      uint32_t n)
{
    struct view out;
    if (!view_reshape(&out, x, sizes, n)) {
        bramble_status status = reader_straighten(r, x, &out);
        if (status) return status;
        if (!merge_factors(&out) || !view_reshape(&out, &out, sizes, n))
            return reader_unsupported(r, "reshapes across the batch, or to another number of numbers");
    }
    return reader_define_view(r, 0, &out);
}

static uint64_t size_before_batch(const struct view *x)
{
    uint64_t size = 1;
    for (uint32_t f = 0; f < x->n_factors && x->factors[f].place != VIEW_BATCH; f++)
        size *= x->factors[f].size;
    return size;
}

/* A shape that a file exported for one size of batch has as a number: that number stands for the batch. */
static void free_literal_batch(const struct net_reader *r, const struct view *x, int64_t *sizes, uint32_t n)
{
    uint64_t before = 1, wanted = size_before_batch(x);
    if (!r->literal_batch) return;
    for (uint32_t a = 0; a < n; a++)
        if (sizes[a] > 0 && sizes[a] % BATCH_SIZE == 0) return;
    for (uint32_t a = 0; a < n && sizes[a] > 0 && before <= wanted; a++) {
        uint64_t until = before * (uint64_t)sizes[a];
        bool here = before == wanted || until > wanted; /* the batch's place is in this axis */
        if (here && sizes[a] % r->literal_batch == 0) {
            if (!__builtin_mul_overflow(sizes[a] / r->literal_batch, (int64_t)BATCH_SIZE, &sizes[a])) return;
            sizes[a] = -1;
            return;
        }
        before = until;
    }
}

bramble_status read_reshape(struct net_reader *r)
{
    const struct view *x;
    int64_t wanted[VIEW_AXES_MAX];
    uint64_t sizes[VIEW_AXES_MAX], total = 1, product = 1;
    uint32_t n, open = VIEW_AXES_MAX;
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = reader_ints(r, "shape", 1, wanted, VIEW_AXES_MAX, &n);
    if (status) return status;
    for (uint32_t a = 0; a < n; a++)
        if (wanted[a] == 0 && a < x->n_axes) wanted[a] = (int64_t)view_axis_size(x, a);
    free_literal_batch(r, x, wanted, n);
    for (uint32_t f = 0; f < x->n_factors; f++) total *= x->factors[f].size;
    for (uint32_t a = 0; a < n; a++) {
        sizes[a] = wanted[a] > 0 ? (uint64_t)wanted[a] : 1;
        if (wanted[a] == -1 && open == VIEW_AXES_MAX)
            open = a;
        else if (wanted[a] < 1 || __builtin_mul_overflow(product, sizes[a], &product))
            return reader_refuse(r, "reshapes to a size of %lld", (long long)wanted[a]);
    }
    if (open < n) sizes[open] = total / product;
    return define_reshaped(r, x, sizes, n);
}

bramble_status read_flatten(struct net_reader *r)
{
    const struct view *x;
    uint64_t sizes[2] = {1, 1};
    uint32_t axis = 0;
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = reader_axis(r, reader_int(r, "axis", 1), x->n_axes + 1, &axis);
    if (status) return status;
    for (uint32_t a = 0; a < x->n_axes; a++) sizes[a >= axis] *= view_axis_size(x, a);
    return define_reshaped(r, x, sizes, 2);
}

static bramble_status read_axes(struct net_reader *r, uint32_t n_axes, uint32_t *set)
{
    int64_t axes[VIEW_AXES_MAX];
    uint32_t n;
    bramble_status status = reader_ints(r, "axes", 1, axes, VIEW_AXES_MAX, &n);
    *set = 0;
    for (uint32_t i = 0; !status && i < n; i++) {
        uint32_t axis;
        status = reader_axis(r, axes[i], n_axes, &axis);
        if (!status) *set |= 1u << axis;
    }
    return status;
}

bramble_status read_squeeze(struct net_reader *r)
{
    const struct view *x;
    struct view out;
    uint32_t gone;
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = read_axes(r, x->n_axes, &gone);
    if (status) return status;
    view_begin(&out, x->value);
    out.integer = x->integer;
    for (uint32_t a = 0; a < x->n_axes; a++) {
        bool single = view_axis_size(x, a) == 1, named = gone >> a & 1;
        if (named && !single)
            return reader_unsupported(r, "takes away axis %u, which has more than one place", a);
        if (!(gone ? named : single)) view_copy_axis(&out, x, a);
    }
    return reader_define_view(r, 0, &out);
}

bramble_status read_unsqueeze(struct net_reader *r)
{
    const struct view *x;
    struct view out;
    int64_t axes[VIEW_AXES_MAX];
    uint32_t n, set, from = 0;
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = reader_ints(r, "axes", 1, axes, VIEW_AXES_MAX, &n);
    if (!status) status = read_axes(r, x->n_axes + n, &set);
    if (status) return status;
    if (__builtin_popcount(set) != (int)n || x->n_axes + n > VIEW_AXES_MAX)
        return reader_refuse(r, "names an axis twice, or makes more than %d axes", VIEW_AXES_MAX);
    view_begin(&out, x->value);
    out.integer = x->integer;
    for (uint32_t a = 0; a < x->n_axes + n; a++) {
        if (set >> a & 1)
            view_add_axis(&out, 1);
        else
            view_copy_axis(&out, x, from++);
    }
    return reader_define_view(r, 0, &out);
}
