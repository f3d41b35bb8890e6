/* BatchNormalization, LayerNormalization, Softmax. */
#include <string.h>

#include "model/net_read.h"

/* Scale, bias, mean and variance of input 1 to 4. */
static bramble_status add_statistics(struct net_reader *r, uint32_t channels, uint32_t *inputs)
{
    static const char *const suffixes[] = {"", "scale", "bias", "mean", "variance"};
    bramble_status status = BRAMBLE_OK;
    for (size_t i = 1; !status && i <= 4; i++) {
        const struct known *known;
        status = reader_known(r, i, &known);
        if (status) break;
        struct reader_weight weight = {.known = known,
                                       .source = reader_source(r, i),
                                       .suffix = suffixes[i],
                                       .kind = i <= 2 ? NET_PARAMETER : NET_STATE,
                                       .shape = {1, {channels}},
                                       .filler = i == 1 || i == 4 ? NET_FILL_ONE : NET_FILL_ZERO,
                                       .fan_in = channels};
        status = reader_add_weight(r, &weight, &inputs[i]);
    }
    return status;
}

bramble_status read_batch_normalization(struct net_reader *r)
{
    const struct view *x;
    uint8_t axes[VIEW_AXES_MAX];
    uint32_t inputs[5], n = 0;
    bramble_status status = reader_view(r, 0, &x);
    if (status) return status;
    if (x->n_axes < 2 || x->n_axes > NET_RANK_MAX || !view_axis_is_batch(x, 0))
        return reader_unsupported(r, "wants an input [batch, channels, ...]");
    struct view out = *x;
    for (uint32_t a = 2; a < x->n_axes; a++) axes[n++] = (uint8_t)a;
    axes[n++] = 1;
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.epsilon = reader_float(r, "epsilon", 1e-5f);
    attributes.momentum = reader_float(r, "momentum", 0.9f);
    status = add_statistics(r, view_axis_length(x, 1), inputs);
    if (!status) status = reader_bring(r, &out, axes, n, &inputs[0]);
    if (!status) status = reader_add(r, "BatchNormalization", inputs, 5, 1, &attributes, &out.value);
    if (status) return status;
    view_settle(&out, axes, n);
    return reader_define_view(r, 0, &out);
}

/* Brings x with the axes from `axis` on last; *n axes in memory, `first` of them before. */
static bramble_status bring_last(struct net_reader *r, struct view *x, uint32_t axis, uint32_t *first,
                                 uint32_t *n)
{
    uint8_t axes[VIEW_AXES_MAX], lying[VIEW_AXES_MAX];
    uint32_t n_lying = view_memory_axes(x, lying);
    *n = 0;
    for (uint32_t a = 0; a < n_lying; a++)
        if (lying[a] < axis && view_axis_length(x, lying[a]) > 1) axes[(*n)++] = lying[a];
    *first = *n;
    for (uint32_t a = axis; a < x->n_axes; a++) {
        if (view_axis_has_batch(x, a))
            return reader_unsupported(r, "normalises across the batch, which is not supported");
        axes[(*n)++] = (uint8_t)a;
    }
    bramble_status status = reader_bring(r, x, axes, *n, &x->value);
    if (!status) view_settle(x, axes, *n);
    return status;
}

static bramble_status add_scale(struct net_reader *r, const struct known *known, const char *source,
                                const char *suffix, const struct view *x, uint32_t axis, uint32_t *value)
{
    struct reader_weight weight = {.known = known,
                                   .source = source,
                                   .suffix = suffix,
                                   .kind = NET_PARAMETER,
                                   .filler = suffix[0] == 's' ? NET_FILL_ONE : NET_FILL_ZERO};
    for (uint32_t a = axis; a < x->n_axes; a++)
        weight.shape.dim[weight.shape.rank++] = view_axis_length(x, a);
    return reader_add_weight(r, &weight, value);
}

bramble_status add_layer_normalization(struct net_reader *r, struct view *x, uint32_t axis, const char *scale,
                                       const char *bias, float epsilon)
{
    uint32_t inputs[3], first, n;
    bramble_status status = bring_last(r, x, axis, &first, &n);
    if (status) return status;
    inputs[0] = x->value;
    status = add_scale(r, &reader_named(r, scale)->known, scale, "scale", x, axis, &inputs[1]);
    if (!status && bias)
        status = add_scale(r, &reader_named(r, bias)->known, bias, "bias", x, axis, &inputs[2]);
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.epsilon = epsilon;
    attributes.axis = first;
    if (!status)
        status = reader_add(r, "LayerNormalization", inputs, bias ? 3 : 2, 1, &attributes, &x->value);
    return status;
}

bramble_status read_layer_normalization(struct net_reader *r)
{
    const struct view *x;
    const struct known *known;
    uint32_t axis = 0;
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = reader_axis(r, reader_int(r, "axis", -1), x->n_axes, &axis);
    if (!status) status = reader_known(r, 1, &known);
    if (!status && reader_has_input(r, 2)) status = reader_known(r, 2, &known);
    if (status) return status;
    struct view out = *x;
    status = add_layer_normalization(r, &out, axis, reader_source(r, 1), reader_source(r, 2),
                                     reader_float(r, "epsilon", 1e-5f));
    return status ? status : reader_define_view(r, 0, &out);
}

/* Where axis `axis` is last, its view in `last`, and how to see that one as before. */
static void put_last(const struct view *x, uint32_t axis, struct view *last, uint8_t *back)
{
    uint8_t order[VIEW_AXES_MAX];
    uint32_t n = 0;
    for (uint32_t a = 0; a < x->n_axes; a++)
        if (a != axis) order[n++] = (uint8_t)a;
    order[n] = (uint8_t)axis;
    view_permute(last, x, order);
    for (uint32_t a = 0; a < x->n_axes; a++) back[a] = (uint8_t)(a < axis ? a : a == axis ? n : a - 1);
}

/* Before opset 13: over all axes from `axis` on, as if they were one. */
static bramble_status softmax_all(struct net_reader *r, const struct view *x, uint32_t axis, struct view *out)
{
    struct view flat = *x;
    uint32_t first, n;
    view_merge_axes(&flat, axis, x->n_axes - axis);
    bramble_status status = bring_last(r, &flat, axis, &first, &n);
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.axis = status ? 0 : first;
    if (!status) status = reader_add_unary(r, r->node->op_type, flat.value, &attributes, &flat.value);
    if (status) return status;
    *out = flat;
    out->n_axes = x->n_axes;
    memcpy(out->first, x->first, sizeof out->first);
    return BRAMBLE_OK;
}

bramble_status read_softmax(struct net_reader *r)
{
    const struct view *x;
    struct view last, out;
    uint8_t back[VIEW_AXES_MAX];
    uint32_t axis = 0;
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = reader_axis(r, reader_int(r, "axis", r->opset < 13 ? 1 : -1), x->n_axes, &axis);
    if (status) return status;
    if (r->opset < 13) {
        status = softmax_all(r, x, axis, &out);
    } else {
        put_last(x, axis, &last, back);
        status = softmax_all(r, &last, x->n_axes - 1, &out);
        if (!status) {
            last = out;
            view_permute(&out, &last, back);
        }
    }
    return status ? status : reader_define_view(r, 0, &out);
}
