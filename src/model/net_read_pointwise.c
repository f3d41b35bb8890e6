/* Operators that work on each number alone, and sums and products of two values. */
#include <math.h>
#include <string.h>

#include "model/net_read.h"

static bramble_status add_pointwise(struct net_reader *r, const char *op,
                                    const struct net_attributes *attributes)
{
    const struct view *x;
    bramble_status status = reader_view(r, 0, &x);
    if (status) return status;
    struct view out = *x;
    out.integer = false;
    status = reader_add_unary(r, op, x->value, attributes, &out.value);
    return status ? status : reader_define_view(r, 0, &out);
}

bramble_status read_unary(struct net_reader *r)
{
    return add_pointwise(r, r->node->op_type, NULL);
}

bramble_status read_leaky_relu(struct net_reader *r)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.alpha = reader_float(r, "alpha", 0.01f);
    return add_pointwise(r, "LeakyRelu", &attributes);
}

bramble_status read_gelu(struct net_reader *r)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.approximate = reader_text_is(r, "approximate", "tanh", false);
    return add_pointwise(r, "Gelu", &attributes);
}

static bramble_status clip_bound(struct net_reader *r, const char *name, size_t i, float fallback,
                                 float *bound)
{
    const struct known *known;
    *bound = reader_float(r, name, fallback);
    if (!reader_has_input(r, i)) return BRAMBLE_OK;
    bramble_status status = reader_known(r, i, &known);
    if (status) return status;
    if (known->n != 1) return reader_refuse(r, "\"%s\" is not one number", name);
    *bound = (float)known_number(known, 0);
    return BRAMBLE_OK;
}

/* `op` with one number that is the same for all: x + number, x * number. */
static bramble_status add_number(struct net_reader *r, const char *op, double number, uint32_t *value)
{
    struct known known = {.n = 1, .fill = number};
    struct reader_weight weight = {
        .known = &known, .suffix = "number", .kind = NET_CONSTANT, .shape = {1, {1}}};
    uint32_t inputs[2] = {*value, 0};
    bramble_status status = reader_add_weight(r, &weight, &inputs[1]);
    return status ? status : reader_add(r, op, inputs, 2, 1, NULL, value);
}

/* A constant number for input `i` of an operator; NET_NONE when `number` is infinite. */
static bramble_status add_bound(struct net_reader *r, float number, uint32_t *value)
{
    struct known known = {.n = 1, .fill = (double)number};
    *value = NET_NONE;
    if (isinf(number)) return BRAMBLE_OK;
    return reader_add_weight(
        r,
        &(struct reader_weight){.known = &known, .suffix = "bound", .kind = NET_CONSTANT, .shape = {1, {1}}},
        value);
}

bramble_status read_clip(struct net_reader *r)
{
    const struct view *x;
    float minimum, maximum;
    uint32_t inputs[3];
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = clip_bound(r, "min", 1, -INFINITY, &minimum);
    if (!status) status = clip_bound(r, "max", 2, INFINITY, &maximum);
    if (status) return status;
    if (!(minimum < maximum)) return reader_refuse(r, "clips to an empty range");
    struct view out = *x;
    if (minimum == 0 && isinf(maximum)) return add_pointwise(r, "Relu", NULL);
    inputs[0] = x->value;
    status = add_bound(r, minimum, &inputs[1]);
    if (!status) status = add_bound(r, maximum, &inputs[2]);
    if (!status) status = reader_add(r, "Clip", inputs, 3, 1, NULL, &out.value);
    return status ? status : reader_define_view(r, 0, &out);
}

bramble_status read_hard_sigmoid(struct net_reader *r)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.alpha = reader_float(r, "alpha", 0.2f);
    attributes.beta = reader_float(r, "beta", 0.5f);
    return add_pointwise(r, "HardSigmoid", &attributes);
}

bramble_status read_dropout(struct net_reader *r)
{
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    const struct known *rate;
    bramble_status status = BRAMBLE_OK;
    attributes.rate = reader_float(r, "ratio", 0.5f);
    if (reader_has_input(r, 1)) {
        status = reader_known(r, 1, &rate);
        if (!status && rate->n != 1) status = reader_refuse(r, "its ratio is not one number");
        if (!status) attributes.rate = (float)known_number(rate, 0);
    }
    if (status) return status;
    if (!(attributes.rate >= 0 && attributes.rate < 1))
        return reader_refuse(r, "its ratio is not at least 0 and below 1");
    return add_pointwise(r, "Dropout", &attributes);
}

/* How a known tensor's numbers lie once its axes are in memory's order. */
struct spread {
    uint32_t n;
    size_t size[KNOWN_RANK_MAX], stride[KNOWN_RANK_MAX];
};

static size_t spread_place(const void *context, size_t place)
{
    const struct spread *spread = context;
    size_t from = 0;
    for (uint32_t d = spread->n; d-- > 0; place /= spread->size[d])
        from += place % spread->size[d] * spread->stride[d];
    return from;
}

/* The known's shape along the view's axes as they lie in memory, without leading ones. */
static bool spread_known(const struct known *known, const struct view *x, const uint8_t *axes, uint32_t n,
                         struct spread *spread, struct net_shape *shape)
{
    if (known->rank > x->n_axes) return false;
    *spread = (struct spread){.n = n};
    *shape = (struct net_shape){0};
    for (uint32_t i = 0; i < n; i++) {
        uint32_t behind = x->n_axes - 1 - axes[i]; /* axes behind this one in the file */
        size_t stride = 1;
        spread->size[i] = behind < known->rank ? known->dim[known->rank - 1 - behind] : 1;
        for (uint32_t d = 0; d < behind && d < known->rank; d++) stride *= known->dim[known->rank - 1 - d];
        spread->stride[i] = stride;
        if (spread->size[i] != 1 && spread->size[i] != view_axis_length(x, axes[i])) return false;
        if (shape->rank || spread->size[i] != 1) shape->dim[shape->rank++] = (uint32_t)spread->size[i];
    }
    return true;
}

/* What the known is in the sum or product: for Sub and Div its opposite, which has a factor or is made here.
 */
struct constant_term {
    const char *op; /* Add or Mul */
    struct known inverse;
    const struct known *known;
    double factor;
};

static bramble_status find_term(struct net_reader *r, const struct known *known, struct constant_term *term)
{
    bool subtract = reader_is(r->node, "Sub"), divide = reader_is(r->node, "Div");
    *term = (struct constant_term){.op = subtract || reader_is(r->node, "Add") ? "Add" : "Mul",
                                   .known = known,
                                   .factor = subtract ? -1 : 0};
    if (!divide) return BRAMBLE_OK;
    term->inverse = *known;
    if (known->n > READER_FOLD_MAX || !known_reserve(&term->inverse)) return reader_memory(r);
    for (size_t i = 0; i < known->n; i++) term->inverse.numbers[i] = 1 / known_number(known, i);
    term->inverse.trained = false;
    term->known = &term->inverse;
    return BRAMBLE_OK;
}

/* x + or * a known tensor, along axes in memory. */
static bramble_status add_with_known(struct net_reader *r, const struct view *x, const struct known *known,
                                     const char *source, struct view *out)
{
    uint8_t axes[VIEW_AXES_MAX];
    uint32_t n = view_memory_axes(x, axes), inputs[2];
    struct spread spread;
    struct constant_term term;
    struct reader_weight weight = {
        .suffix = "constant", .kind = NET_PARAMETER, .place = spread_place, .context = &spread};
    if (!spread_known(known, x, axes, n, &spread, &weight.shape))
        return reader_unsupported(r,
                                  "combines its input with a constant that has other dimensions; exporting "
                                  "with a batch of 1, or a dynamic one, may help");
    bramble_status status = reader_bring(r, x, axes, n, &inputs[0]);
    if (!status) status = find_term(r, known, &term);
    if (status) return status;
    bool one = known->n == 1 || !known->trained || term.known != known;
    weight.known = term.known;
    weight.source = term.factor != 0 || term.known != known ? NULL : source;
    weight.factor = term.factor;
    weight.kind = one ? NET_CONSTANT : NET_PARAMETER;
    weight.filler = strcmp(term.op, "Add") == 0 ? NET_FILL_ZERO : NET_FILL_ONE;
    status = reader_add_weight(r, &weight, &inputs[1]);
    known_fini(&term.inverse);
    *out = *x;
    if (!status) status = reader_add(r, term.op, inputs, 2, 1, NULL, &out->value);
    if (!status) view_settle(out, axes, n);
    return status;
}

/* Brings b, aligned with a's last axes, to lie as a does; axes that it has not got are of size 1. */
static bramble_status bring_like(struct net_reader *r, const struct view *a, const struct view *b,
                                 const uint8_t *axes, uint32_t n, uint32_t *value)
{
    struct view wide = *b;
    while (wide.n_axes < a->n_axes)
        if (!view_merge_axes(&wide, 0, 0)) return reader_unsupported(r, "works on too many axes");
    for (uint32_t d = 0; d < a->n_axes; d++) {
        uint64_t size = view_axis_size(&wide, d);
        if (size != 1 && size != view_axis_size(a, d))
            return reader_unsupported(
                r, "combines values of different dimensions; the first must be the larger");
        if (size == 1 && view_axis_has_batch(a, d))
            return reader_unsupported(r, "combines a value of the batch with one that is not");
    }
    return reader_bring(r, &wide, axes, n, value);
}

static bramble_status combine_views(struct net_reader *r, const struct view *a, const struct view *b,
                                    const char *op, struct view *out)
{
    uint8_t axes[VIEW_AXES_MAX];
    uint32_t n = view_memory_axes(a, axes), inputs[2];
    struct view seen = *a;
    if (view_same(a, b) &&
        shape_equal(&r->graph->values[a->value].shape, &r->graph->values[b->value].shape)) {
        inputs[0] = a->value;
        inputs[1] = b->value;
    } else {
        bramble_status status = reader_bring(r, a, axes, n, &inputs[0]);
        if (!status) status = bring_like(r, &seen, b, axes, n, &inputs[1]);
        if (status) return status;
        view_settle(&seen, axes, n);
    }
    *out = seen;
    return reader_add(r, op, inputs, 2, 1, NULL, &out->value);
}

/* The smaller of the two second. */
static bool is_wider(const struct view *a, const struct view *b)
{
    uint64_t sizes[2] = {1, 1};
    for (uint32_t f = 0; f < a->n_factors; f++) sizes[0] *= a->factors[f].size;
    for (uint32_t f = 0; f < b->n_factors; f++) sizes[1] *= b->factors[f].size;
    return a->n_axes > b->n_axes || (a->n_axes == b->n_axes && sizes[0] > sizes[1]);
}

bramble_status read_binary(struct net_reader *r)
{
    struct operand a, b;
    struct view out;
    bool subtract = reader_is(r->node, "Sub"), divide = reader_is(r->node, "Div");
    bramble_status status =
        r->node->n_input == 2 ? reader_operand(r, 0, &a) : reader_refuse(r, "has not two inputs");
    if (!status) status = reader_operand(r, 1, &b);
    if (status) return status;
    if (a.view && b.known) {
        status = add_with_known(r, a.view, b.known, reader_source(r, 1), &out);
        return status ? status : reader_define_view(r, 0, &out);
    }
    if (divide) return reader_unsupported(r, "divides by what is computed, which is not supported");
    if (!(a.known && b.view) && !(a.view && b.view)) return reader_refuse(r, "has inputs that are not there");
    struct view second = *b.view;
    if (subtract) status = add_number(r, "Mul", -1, &second.value);
    if (status) return status;
    if (a.known) {
        Onnx__NodeProto sum = *r->node;
        const Onnx__NodeProto *here = r->node;
        sum.op_type = subtract ? "Add" : r->node->op_type;
        r->node = &sum;
        status = add_with_known(r, &second, a.known, here->input[0], &out);
        r->node = here;
    } else {
        bool swap = is_wider(&second, a.view);
        status = combine_views(r, swap ? &second : a.view, swap ? a.view : &second,
                               reader_is(r->node, "Mul") ? "Mul" : "Add", &out);
    }
    return status ? status : reader_define_view(r, 0, &out);
}
