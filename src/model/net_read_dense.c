/* Gemm and MatMul. */
#include <string.h>

#include "model/net_read.h"

/* x W, where W is a known K x N, or N x K when `turned`. */
struct dense {
    struct view x; /* its last axis has K */
    const struct known *weight;
    const char *weight_source;
    bool turned;
    double factor;
    const struct known *bias; /* NULL: none */
    const char *bias_source;
    double bias_factor;
    uint32_t inner, outer; /* K, N */
};

/* A weight for rows that lie in memory in another order than ONNX has them: K as factors. */
struct moved_rows {
    uint32_t n;
    uint32_t size[VIEW_FACTORS_MAX];   /* in memory's order */
    uint32_t stride[VIEW_FACTORS_MAX]; /* each one's, in ONNX's order */
    uint32_t inner, outer;
    bool turned;
};

static size_t moved_place(const void *context, size_t place)
{
    const struct moved_rows *rows = context;
    size_t k = rows->turned ? place % rows->inner : place / rows->outer;
    size_t n = rows->turned ? place / rows->inner : place % rows->outer, from = 0;
    for (uint32_t f = rows->n; f-- > 0; k /= rows->size[f]) from += k % rows->size[f] * rows->stride[f];
    return rows->turned ? n * rows->inner + from : from * rows->outer + n;
}

/* True when K's factors lie in memory in another order; then rows says how. */
static bool find_moved_rows(const struct dense *dense, struct moved_rows *rows)
{
    const struct view *x = &dense->x;
    uint32_t begin = x->first[x->n_axes - 1], end = x->first[x->n_axes], stride = dense->inner;
    bool moved = false;
    *rows = (struct moved_rows){
        .n = end - begin, .inner = dense->inner, .outer = dense->outer, .turned = dense->turned};
    for (uint32_t f = begin; f < end; f++) {
        uint32_t before = 0;
        for (uint32_t g = begin; g < end; g++) before += x->factors[g].place < x->factors[f].place;
        stride /= x->factors[f].size;
        rows->size[before] = x->factors[f].size;
        rows->stride[before] = stride;
        moved = moved || before != f - begin;
    }
    return moved;
}

/* The factors of the last axis, sorted as they lie. */
static void sort_last_axis(struct view *x)
{
    for (uint32_t f = x->first[x->n_axes - 1] + 1u; f < x->first[x->n_axes]; f++)
        for (uint32_t g = f; g > x->first[x->n_axes - 1] && x->factors[g - 1].place > x->factors[g].place;
             g--) {
            struct view_factor swapped = x->factors[g];
            x->factors[g] = x->factors[g - 1];
            x->factors[g - 1] = swapped;
        }
}

static bramble_status add_dense_weight(struct net_reader *r, struct dense *dense, uint32_t *value)
{
    struct moved_rows rows;
    const struct named *named = dense->weight_source ? reader_named(r, dense->weight_source) : NULL;
    bool moved = find_moved_rows(dense, &rows) && (!named || named->uses <= 1);
    if (moved) sort_last_axis(&dense->x);
    uint32_t rank = 2, dims[2] = {dense->turned ? dense->outer : dense->inner,
                                  dense->turned ? dense->inner : dense->outer};
    return reader_add_weight(r,
                             &(struct reader_weight){.known = dense->weight,
                                                     .source = dense->weight_source,
                                                     .suffix = "weight",
                                                     .kind = NET_PARAMETER,
                                                     .shape = {rank, {dims[0], dims[1]}},
                                                     .place = moved ? moved_place : NULL,
                                                     .context = &rows,
                                                     .factor = dense->factor == 1 ? 0 : dense->factor,
                                                     .filler = NET_FILL_KAIMING,
                                                     .fan_in = dense->inner,
                                                     .decays = true},
                             value);
}

static bramble_status add_dense_bias(struct net_reader *r, const struct dense *dense, uint32_t *value)
{
    *value = NET_NONE;
    if (!dense->bias) return BRAMBLE_OK;
    return reader_add_weight(
        r,
        &(struct reader_weight){.known = dense->bias,
                                .source = dense->bias_source,
                                .suffix = "bias",
                                .kind = NET_PARAMETER,
                                .shape = {1, {dense->outer}},
                                .factor = dense->bias_factor == 1 ? 0 : dense->bias_factor,
                                .filler = NET_FILL_KAIMING,
                                .fan_in = dense->inner},
        value);
}

/* Brings x with its last axis last, the others as they lie. *axes: the memory's order. */
static bramble_status bring_rows(struct net_reader *r, const struct view *x, uint8_t *axes, uint32_t *n,
                                 uint32_t *value)
{
    uint8_t last = (uint8_t)(x->n_axes - 1);
    uint32_t kept = 0;
    *n = view_memory_axes(x, axes);
    for (uint32_t a = 0; a < *n; a++)
        if (axes[a] != last && view_axis_length(x, axes[a]) > 1) axes[kept++] = axes[a];
    axes[kept++] = last;
    *n = kept;
    return reader_bring(r, x, axes, kept, value);
}

static bramble_status read_dense(struct net_reader *r, struct dense *dense, struct view *out)
{
    uint32_t inputs[3], n, value;
    uint8_t axes[VIEW_AXES_MAX];
    if (view_axis_has_batch(&dense->x, dense->x.n_axes - 1))
        return reader_refuse(r, "multiplies along the batch, which must be an axis of its own; mark it as "
                                "dynamic when exporting");
    if (view_axis_length(&dense->x, dense->x.n_axes - 1) != dense->inner)
        return reader_refuse(r, "multiplies rows of %u numbers by a matrix of %u rows",
                             view_axis_length(&dense->x, dense->x.n_axes - 1), dense->inner);
    bramble_status status = add_dense_weight(r, dense, &inputs[1]);
    if (!status) status = add_dense_bias(r, dense, &inputs[2]);
    if (!status) status = bring_rows(r, &dense->x, axes, &n, &inputs[0]);
    if (status) return status;
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.transpose_b = dense->turned;
    status = reader_add(r, "Gemm", inputs, dense->bias ? 3 : 2, 1, &attributes, &value);
    if (status) return status;
    view_begin(out, value);
    for (uint32_t a = 0; a + 1 < dense->x.n_axes; a++) view_copy_axis(out, &dense->x, a);
    view_add_axis(out, dense->outer);
    view_settle(out, axes, n);
    return BRAMBLE_OK;
}

/* C of a Gemm as a bias: N numbers, or one for all; else what it is added as is not known. */
static bramble_status gemm_bias(struct net_reader *r, struct dense *dense)
{
    struct operand bias;
    bramble_status status = reader_operand(r, 2, &bias);
    if (status || (!bias.known && !bias.view)) return status;
    dense->bias_factor = reader_float(r, "beta", 1);
    if (dense->bias_factor == 0) return BRAMBLE_OK;
    if (!bias.known || bias.known->n != dense->outer)
        return reader_unsupported(r, "adds something other than one number for each of its %u outputs",
                                  dense->outer);
    dense->bias = bias.known;
    dense->bias_source = reader_source(r, 2);
    return BRAMBLE_OK;
}

bramble_status read_gemm(struct net_reader *r)
{
    static const uint8_t swapped[2] = {1, 0};
    const struct view *x;
    struct dense dense = {.factor = reader_float(r, "alpha", 1), .turned = reader_int(r, "transB", 0) != 0};
    struct view out;
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = reader_known(r, 1, &dense.weight);
    if (status) return status;
    if (x->n_axes != 2 || dense.weight->rank != 2) return reader_refuse(r, "multiplies what is no matrix");
    dense.x = *x;
    if (reader_int(r, "transA", 0)) view_permute(&dense.x, x, swapped);
    dense.weight_source = reader_source(r, 1);
    dense.inner = dense.weight->dim[dense.turned ? 1 : 0];
    dense.outer = dense.weight->dim[dense.turned ? 0 : 1];
    if (dense.factor == 0) return reader_unsupported(r, "multiplies by 0");
    status = gemm_bias(r, &dense);
    if (!status) status = read_dense(r, &dense, &out);
    return status ? status : reader_define_view(r, 0, &out);
}

/* When nothing but an Add of N numbers reads the product, that is its bias. *name: what the sum is called. */
static void find_bias(struct net_reader *r, struct dense *dense, const char **name)
{
    size_t number;
    const Onnx__NodeProto *sum = reader_only_reader(r, r->node->output[0], &number);
    if (!sum || !reader_is(sum, "Add") || sum->n_input != 2 || sum->n_output != 1) return;
    const char *other = sum->input[strcmp(sum->input[0], r->node->output[0]) == 0];
    const struct named *named = reader_named(r, other);
    if (!named || named->is_view || named->known.n != dense->outer || !named->known.trained) return;
    if (!named->known.rank || named->known.dim[named->known.rank - 1] != dense->outer) return;
    dense->bias = &named->known;
    dense->bias_source = other;
    dense->bias_factor = 1;
    *name = sum->output[0];
    r->done[number] = true;
}

static bramble_status read_matmul_weight(struct net_reader *r, const struct view *x)
{
    struct dense dense = {.x = *x, .factor = 1, .weight_source = reader_source(r, 1)};
    const char *name = r->node->output[0];
    struct view out;
    bramble_status status = reader_known(r, 1, &dense.weight);
    if (status) return status;
    if (dense.weight->rank != 2)
        return reader_unsupported(r, "multiplies by a constant with %u dimensions; 2 are supported",
                                  dense.weight->rank);
    dense.inner = dense.weight->dim[0];
    dense.outer = dense.weight->dim[1];
    find_bias(r, &dense, &name);
    status = read_dense(r, &dense, &out);
    return status ? status : reader_define(r, name, &out, NULL);
}

/* The axes but the last two as one, the first. */
static bool merge_leading(struct view *view)
{
    return view_merge_axes(view, 0, view->n_axes - 2);
}

/* Whether axis b of a view lies before its axis a. */
static bool lies_before(const struct view *view, uint32_t b, uint32_t a)
{
    uint32_t fb = view->first[b], fa = view->first[a];
    return fb < view->first[b + 1] && fa < view->first[a + 1] &&
           view->factors[fb].place < view->factors[fa].place;
}

bramble_status read_matmul(struct net_reader *r)
{
    struct operand x, y;
    bramble_status status = reader_operand(r, 0, &x);
    if (!status) status = reader_operand(r, 1, &y);
    if (status) return status;
    if (r->node->n_output != 1) return reader_refuse(r, "has not one output");
    if (x.view && y.known && x.view->n_axes >= 2) return read_matmul_weight(r, x.view);
    if (!x.view || !y.view) return reader_unsupported(r, "multiplies a constant by what is computed");
    if (x.view->n_axes < 2 || x.view->n_axes != y.view->n_axes)
        return reader_unsupported(r, "multiplies what has not the same number of axes");
    struct view a = *x.view, b = *y.view, out;
    uint32_t leading = a.n_axes - 2;
    for (uint32_t d = 0; d < leading; d++)
        if (view_axis_size(&a, d) != view_axis_size(&b, d))
            return reader_unsupported(r, "multiplies stacks of matrices of different sizes");
    view_begin(&out, 0);
    for (uint32_t d = 0; d <= leading; d++) view_copy_axis(&out, &a, d);
    if (!view_copy_axis(&out, &b, leading + 1) || !merge_leading(&a) || !merge_leading(&b))
        return reader_unsupported(r, "multiplies what has too many axes");
    if (view_axis_has_batch(&a, 1) || view_axis_has_batch(&a, 2) || view_axis_has_batch(&b, 1) ||
        view_axis_has_batch(&b, 2))
        return reader_unsupported(r, "multiplies along the batch");
    uint8_t as_is[3] = {0, 1, 2}, turned[3] = {0, 2, 1}, skip = view_axis_length(&a, 0) == 1;
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.transpose_b = lies_before(&b, 2, 1);
    uint32_t inputs[2];
    status = reader_bring(r, &a, as_is + skip, 3u - skip, &inputs[0]);
    if (!status)
        status = reader_bring(r, &b, (attributes.transpose_b ? turned : as_is) + skip, 3u - skip, &inputs[1]);
    if (!status) status = reader_add(r, "MatMul", inputs, 2, 1, &attributes, &out.value);
    if (status) return status;
    view_settle_straight(&out);
    return reader_define_view(r, 0, &out);
}
