/*
 * Nodes that compute with tensors known before the network runs: reading computes them at once. What reads
 * numbers of one tensor in another order is here; arithmetic is in net_read_fold_arithmetic.c.
 */
#include "model/net_read_fold.h"

#include <string.h>

#include "base/mem.h"

enum { UNIFORM_LOOK = 1 << 16 }; /* numbers looked through for whether all are equal */

bool fold_uniform(const struct known *known, double *number)
{
    if (!known->n || known->n > UNIFORM_LOOK) {
        *number = known->fill;
        return known->n && !known->numbers && !known->proto;
    }
    *number = known_number(known, 0);
    if (!known->numbers && !known->proto) return true;
    for (size_t i = 1; i < known->n; i++)
        if (known_number(known, i) != *number) return false;
    return true;
}

bramble_status fold_begin_output(struct net_reader *r, struct known *out, const int64_t *dims, uint32_t rank,
                                 bool integer)
{
    *out = (struct known){.integer = integer};
    if (!known_set_shape(out, dims, rank))
        return reader_refuse(r, "makes a tensor with dimensions that no tensor has");
    return BRAMBLE_OK;
}

bramble_status fold_reserve(struct net_reader *r, struct known *out)
{
    if (out->n > r->fold_left)
        return reader_unsupported(r, "computes too many numbers that are always the same; export the network "
                                     "with constants folded");
    r->fold_left -= out->n;
    return known_reserve(out) ? BRAMBLE_OK : reader_memory(r);
}

bramble_status fold_walk(struct net_reader *r, struct known *out, const struct known *in,
                         const int64_t *strides, int64_t base)
{
    if (out->n && fold_uniform(in, &out->fill)) return BRAMBLE_OK;
    bramble_status status = fold_reserve(r, out);
    if (status) return status;
    uint32_t at[KNOWN_RANK_MAX] = {0};
    int64_t from = base;
    for (size_t i = 0; i < out->n; i++) {
        out->numbers[i] = known_number(in, (size_t)from);
        for (uint32_t d = out->rank; d-- > 0;) {
            from += strides[d];
            if (++at[d] < out->dim[d]) break;
            from -= strides[d] * (int64_t)out->dim[d];
            at[d] = 0;
        }
    }
    return BRAMBLE_OK;
}

void fold_strides(const struct known *known, int64_t *strides)
{
    int64_t stride = 1;
    for (uint32_t d = known->rank; d-- > 0;) {
        strides[d] = stride;
        stride *= known->dim[d];
    }
}

static void copy_dims(const struct known *known, int64_t *dims)
{
    for (uint32_t d = 0; d < known->rank; d++) dims[d] = known->dim[d];
}

/* Input 0 under other dimensions. */
static bramble_status reshaped(struct net_reader *r, const struct known *in, const int64_t *dims,
                               uint32_t rank)
{
    struct known out;
    int64_t strides[KNOWN_RANK_MAX];
    bramble_status status = fold_begin_output(r, &out, dims, rank, in->integer);
    if (status) return status;
    if (out.n != in->n) return reader_refuse(r, "reshapes %zu numbers to %zu", in->n, out.n);
    out.trained = in->trained;
    if (in->proto) {
        out.proto = in->proto;
        return reader_define_known(r, 0, &out);
    }
    fold_strides(&out, strides);
    status = fold_walk(r, &out, in, strides, 0);
    return status ? status : reader_define_known(r, 0, &out);
}

static bramble_status fold_identity(struct net_reader *r)
{
    const struct known *in;
    int64_t dims[KNOWN_RANK_MAX];
    bramble_status status = reader_known(r, 0, &in);
    if (status) return status;
    copy_dims(in, dims);
    return reshaped(r, in, dims, in->rank);
}

static bramble_status fold_reshape(struct net_reader *r)
{
    const struct known *in;
    int64_t dims[KNOWN_RANK_MAX];
    uint32_t n;
    bramble_status status = reader_known(r, 0, &in);
    if (!status) status = reader_ints(r, "shape", 1, dims, KNOWN_RANK_MAX, &n);
    if (status) return status;
    size_t known_part = 1;
    uint32_t open = n;
    for (uint32_t d = 0; d < n; d++) {
        if (dims[d] == 0 && d < in->rank) dims[d] = in->dim[d];
        if (dims[d] == -1)
            open = d;
        else if (dims[d] < 0 || __builtin_mul_overflow(known_part, (size_t)dims[d], &known_part))
            return reader_refuse(r, "reshapes to a size below 0, or to more numbers than there can be");
    }
    if (open < n) dims[open] = known_part ? (int64_t)(in->n / known_part) : 0;
    return reshaped(r, in, dims, n);
}

static bramble_status fold_squeeze(struct net_reader *r)
{
    const struct known *in;
    int64_t axes[KNOWN_RANK_MAX], dims[KNOWN_RANK_MAX];
    uint32_t n, rank = 0, gone = 0;
    bramble_status status = reader_known(r, 0, &in);
    if (!status) status = reader_ints(r, "axes", 1, axes, KNOWN_RANK_MAX, &n);
    for (uint32_t i = 0; !status && i < n; i++) {
        uint32_t axis;
        status = reader_axis(r, axes[i], in->rank, &axis);
        if (!status) gone |= 1u << axis;
    }
    if (status) return status;
    for (uint32_t d = 0; d < in->rank; d++)
        if (n ? !(gone >> d & 1) : in->dim[d] != 1) dims[rank++] = in->dim[d];
    return reshaped(r, in, dims, rank);
}

static bramble_status fold_unsqueeze(struct net_reader *r)
{
    const struct known *in;
    int64_t axes[KNOWN_RANK_MAX], dims[2 * KNOWN_RANK_MAX];
    uint32_t n, from = 0, new = 0;
    bramble_status status = reader_known(r, 0, &in);
    if (!status) status = reader_ints(r, "axes", 1, axes, KNOWN_RANK_MAX, &n);
    for (uint32_t i = 0; !status && i < n; i++) {
        uint32_t axis;
        status = reader_axis(r, axes[i], in->rank + n, &axis);
        if (!status) new |= 1u << axis;
    }
    if (status) return status;
    for (uint32_t d = 0; d < in->rank + n; d++) {
        bool is_new = new >> d & 1;
        if (!is_new && from == in->rank) return reader_refuse(r, "names an axis twice");
        dims[d] = is_new ? 1 : in->dim[from++];
    }
    return reshaped(r, in, dims, in->rank + n);
}

static bramble_status fold_transpose(struct net_reader *r)
{
    const struct known *in;
    int64_t perm[KNOWN_RANK_MAX], dims[KNOWN_RANK_MAX], strides[KNOWN_RANK_MAX], moved[KNOWN_RANK_MAX];
    uint32_t n, seen = 0;
    struct known out;
    bramble_status status = reader_known(r, 0, &in);
    if (!status) status = reader_ints(r, "perm", 0, perm, KNOWN_RANK_MAX, &n);
    if (status) return status;
    for (uint32_t d = 0; !n && d < in->rank; d++) perm[d] = (int64_t)in->rank - 1 - d;
    if (n && n != in->rank) return reader_refuse(r, "permutes %u axes of %u", n, in->rank);
    fold_strides(in, strides);
    for (uint32_t d = 0; d < in->rank; d++) {
        if (perm[d] < 0 || perm[d] >= in->rank || (seen >> perm[d] & 1))
            return reader_refuse(r, "\"perm\" is no permutation");
        seen |= 1u << perm[d];
        dims[d] = in->dim[perm[d]];
        moved[d] = strides[perm[d]];
    }
    status = fold_begin_output(r, &out, dims, in->rank, in->integer);
    out.trained = in->trained;
    if (!status) status = fold_walk(r, &out, in, moved, 0);
    return status ? status : reader_define_known(r, 0, &out);
}

static bramble_status fold_gather(struct net_reader *r)
{
    const struct known *in, *places;
    int64_t dims[2 * KNOWN_RANK_MAX];
    uint32_t axis, rank = 0;
    struct known out;
    bramble_status status = reader_known(r, 0, &in);
    if (!status) status = reader_known(r, 1, &places);
    if (!status) status = reader_axis(r, reader_int(r, "axis", 0), in->rank, &axis);
    if (status) return status;
    size_t inner = 1, length = in->dim[axis];
    for (uint32_t d = 0; d < in->rank; d++) {
        if (d > axis) inner *= in->dim[d];
        if (d != axis) dims[rank++] = in->dim[d];
        for (uint32_t p = 0; d == axis && p < places->rank; p++) dims[rank++] = places->dim[p];
    }
    status = fold_begin_output(r, &out, dims, rank, in->integer);
    if (!status) status = fold_reserve(r, &out);
    for (size_t i = 0; !status && i < out.n; i++) {
        int64_t place = known_integer(places, i / inner % places->n);
        if (place < 0) place += (int64_t)length;
        if (place < 0 || place >= (int64_t)length)
            status = reader_refuse(r, "gathers from place %lld of %zu", (long long)place, length);
        else
            out.numbers[i] =
                known_number(in, (i / inner / places->n * length + (size_t)place) * inner + i % inner);
    }
    if (!status) return reader_define_known(r, 0, &out);
    known_fini(&out);
    return status;
}

/* A start or end as Slice counts them, within 0..length. */
static int64_t clamp(int64_t place, int64_t length, int64_t least, int64_t most)
{
    if (place < 0) place += length;
    return place < least ? least : place > most ? most : place;
}

static bramble_status fold_slice(struct net_reader *r)
{
    const struct known *in;
    struct reader_slices slices;
    int64_t dims[KNOWN_RANK_MAX], strides[KNOWN_RANK_MAX], base = 0;
    struct known out;
    bramble_status status = reader_known(r, 0, &in);
    if (status) return status;
    copy_dims(in, dims);
    status = reader_slices(r, dims, in->rank, &slices);
    if (status) return status;
    fold_strides(in, strides);
    for (uint32_t d = 0; d < in->rank; d++) {
        base += slices.start[d] * strides[d];
        strides[d] *= slices.step[d];
    }
    status = fold_begin_output(r, &out, slices.length, in->rank, in->integer);
    out.trained = in->trained;
    if (!status) status = fold_walk(r, &out, in, strides, base);
    return status ? status : reader_define_known(r, 0, &out);
}

bramble_status reader_slices(struct net_reader *r, const int64_t *dims, uint32_t rank,
                             struct reader_slices *out)
{
    int64_t starts[KNOWN_RANK_MAX], ends[KNOWN_RANK_MAX], axes[KNOWN_RANK_MAX], steps[KNOWN_RANK_MAX];
    uint32_t n, n_ends, n_axes, n_steps;
    bramble_status status = reader_ints(r, "starts", 1, starts, KNOWN_RANK_MAX, &n);
    if (!status) status = reader_ints(r, "ends", 2, ends, KNOWN_RANK_MAX, &n_ends);
    if (!status) status = reader_ints(r, "axes", 3, axes, KNOWN_RANK_MAX, &n_axes);
    if (!status) status = reader_ints(r, "steps", 4, steps, KNOWN_RANK_MAX, &n_steps);
    if (status) return status;
    if (n_ends != n || (n_axes && n_axes != n) || (n_steps && n_steps != n) || n > rank)
        return reader_refuse(r, "starts, ends, axes and steps do not go together");
    for (uint32_t d = 0; d < rank; d++) {
        out->start[d] = 0;
        out->step[d] = 1;
        out->length[d] = dims[d];
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t d;
        status = reader_axis(r, n_axes ? axes[i] : i, rank, &d);
        if (status) return status;
        int64_t step = n_steps ? steps[i] : 1, length = dims[d];
        if (step == 0 || step > INT32_MAX || step < -INT32_MAX)
            return reader_refuse(r, "slices with a step that makes no sense");
        int64_t start = clamp(starts[i], length, 0, step > 0 ? length : length - 1);
        int64_t end = clamp(ends[i], length, step > 0 ? 0 : -1, step > 0 ? length : length - 1);
        int64_t span = step > 0 ? end - start : start - end, stride = step > 0 ? step : -step;
        out->start[d] = start;
        out->step[d] = step;
        out->length[d] = length && span > 0 ? (span + stride - 1) / stride : 0;
    }
    return BRAMBLE_OK;
}

static bramble_status fold_shape(struct net_reader *r)
{
    struct operand operand;
    struct known out;
    bramble_status status = reader_operand(r, 0, &operand);
    if (status) return status;
    if (!operand.view && !operand.known) return reader_refuse(r, "has no input");
    uint32_t rank = operand.view ? operand.view->n_axes : operand.known->rank;
    int64_t start = clamp(reader_int(r, "start", 0), rank, 0, rank);
    int64_t end = clamp(reader_int(r, "end", rank), rank, 0, rank);
    int64_t n = end > start ? end - start : 0;
    status = fold_begin_output(r, &out, &n, 1, true);
    if (!status) status = fold_reserve(r, &out);
    if (status) return status;
    for (int64_t d = 0; d < n; d++)
        out.numbers[d] = operand.view ? (double)view_axis_size(operand.view, (uint32_t)(start + d))
                                      : operand.known->dim[start + d];
    return reader_define_known(r, 0, &out);
}

static const struct fold_entry movers[] = {
    {"Identity", fold_identity},   {"Reshape", fold_reshape},     {"Squeeze", fold_squeeze},
    {"Unsqueeze", fold_unsqueeze}, {"Transpose", fold_transpose}, {"Gather", fold_gather},
    {"Slice", fold_slice},         {"Dropout", fold_identity},    {NULL, NULL},
};

static net_read_fn *find(const struct fold_entry *entries, const char *op_type)
{
    while (entries->op_type && strcmp(entries->op_type, op_type) != 0) entries++;
    return entries->fold;
}

bramble_status reader_fold(struct net_reader *r, bool *folded)
{
    const char *op_type = r->node->op_type;
    *folded = true;
    if (strcmp(op_type, "Shape") == 0) return fold_shape(r);
    net_read_fn *fold = find(movers, op_type);
    if (!fold) fold = find(fold_arithmetic, op_type);
    *folded = false;
    for (size_t i = 0; fold && i < r->node->n_input; i++) {
        struct operand operand;
        bramble_status status = reader_operand(r, i, &operand);
        if (status) return status;
        if (operand.view) return BRAMBLE_OK;
    }
    if (!fold) return BRAMBLE_OK;
    *folded = true;
    return fold(r);
}
