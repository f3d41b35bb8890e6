/* Convolutions and pools, along one axis or two: one axis is an image of height 1. */
#include <string.h>

#include "model/net_read.h"

enum { WINDOW_MAX = 1 << 15 };

/* A window over an image, from a node's attributes. */
struct window {
    uint32_t axes; /* 1 or 2 */
    struct net_attributes attributes;
};

/* `n` positive numbers of an attribute into the last of out[2]. */
static bramble_status read_sizes(struct net_reader *r, const char *name, const struct window *window,
                                 uint32_t out[2])
{
    int64_t sizes[2];
    uint32_t n;
    bramble_status status = reader_ints(r, name, 0, sizes, 2, &n);
    if (status || !n) return status;
    if (n != window->axes)
        return reader_refuse(r, "\"%s\" has %u numbers for %u axes", name, n, window->axes);
    for (uint32_t d = 0; d < n; d++) {
        if (sizes[d] < 1 || sizes[d] > WINDOW_MAX)
            return reader_refuse(r, "\"%s\" is %lld, not 1 to %d", name, (long long)sizes[d], WINDOW_MAX);
        out[2 - n + d] = (uint32_t)sizes[d];
    }
    return BRAMBLE_OK;
}

/* TensorFlow's "same": as many outputs as inputs by stride. */
static void pad_same(struct window *window, const struct view *x, bool lower)
{
    struct net_attributes *attributes = &window->attributes;
    for (uint32_t d = 2 - window->axes; d < 2; d++) {
        uint32_t size = view_axis_length(x, x->n_axes - 2 + d), stride = attributes->stride[d];
        int64_t reach = (int64_t)(attributes->kernel[d] - 1) * attributes->dilation[d] + 1;
        int64_t total = (int64_t)((size + stride - 1) / stride - 1) * stride + reach - size;
        if (total < 0) total = 0;
        attributes->pad[d] = (uint32_t)(lower ? total - total / 2 : total / 2);
        attributes->pad[d + 2] = (uint32_t)total - attributes->pad[d];
    }
}

static bramble_status read_pads(struct net_reader *r, struct window *window, const struct view *x)
{
    int64_t pads[4];
    uint32_t n, axes = window->axes;
    bool upper = reader_text_is(r, "auto_pad", "SAME_UPPER", false);
    bool lower = reader_text_is(r, "auto_pad", "SAME_LOWER", false);
    if (upper || lower) {
        pad_same(window, x, lower);
        return BRAMBLE_OK;
    }
    bramble_status status = reader_ints(r, "pads", 0, pads, 4, &n);
    if (status || !n || reader_text_is(r, "auto_pad", "VALID", false)) return status;
    if (n != 2 * axes) return reader_refuse(r, "\"pads\" has %u numbers for %u axes", n, axes);
    for (uint32_t d = 0; d < n; d++) {
        if (pads[d] < 0 || pads[d] > WINDOW_MAX)
            return reader_refuse(r, "\"pads\" is %lld, not 0 to %d", (long long)pads[d], WINDOW_MAX);
        window->attributes.pad[d / axes * 2 + 2 - axes + d % axes] = (uint32_t)pads[d];
    }
    return BRAMBLE_OK;
}

static bramble_status read_window(struct net_reader *r, const struct view *x, struct window *window)
{
    struct net_attributes *attributes = &window->attributes;
    bramble_status status = read_sizes(r, "kernel_shape", window, attributes->kernel);
    if (!status) status = read_sizes(r, "strides", window, attributes->stride);
    if (!status) status = read_sizes(r, "dilations", window, attributes->dilation);
    return status ? status : read_pads(r, window, x);
}

/* Input 0 as an image in memory, H x W x C. */
static bramble_status bring_image(struct net_reader *r, const struct view *x, uint32_t *value)
{
    static const uint8_t line[2] = {2, 1}, image[3] = {2, 3, 1};
    if ((x->n_axes != 3 && x->n_axes != 4) || !view_axis_is_batch(x, 0))
        return reader_unsupported(r,
                                  "works on an input with %u axes; images [batch, channels, height, width] "
                                  "and [batch, channels, length] are supported",
                                  x->n_axes);
    if (x->n_axes == 4) return reader_bring(r, x, image, 3, value);
    bramble_status status = reader_bring(r, x, line, 2, value);
    struct net_shape shape = {3, {1, view_axis_length(x, 2), view_axis_length(x, 1)}};
    return status ? status : reader_shape(r, *value, &shape, value);
}

/* How ONNX sees a value H x W x C in memory. */
static void image_view(const struct net_reader *r, uint32_t value, uint32_t axes, struct view *out)
{
    static const uint8_t line[2] = {2, 1}, image[3] = {2, 3, 1};
    const uint32_t *dim = r->graph->values[value].shape.dim;
    view_begin(out, value);
    view_add_batch(out);
    view_add_axis(out, dim[2]);
    if (axes == 2) view_add_axis(out, dim[0]);
    view_add_axis(out, dim[1]);
    view_settle(out, axes == 2 ? image : line, axes + 1);
}

struct kernel_order {
    uint32_t height, width, depth, outputs;
};

/* Height, width, depth, output in memory; output, depth, height, width in the file. */
static size_t kernel_place(const void *context, size_t place)
{
    const struct kernel_order *order = context;
    size_t o = place % order->outputs, rest = place / order->outputs;
    size_t c = rest % order->depth, at = rest / order->depth;
    return (o * order->depth + c) * order->height * order->width + at;
}

static bramble_status add_kernel(struct net_reader *r, const struct known *weight, struct window *window,
                                 uint32_t *value)
{
    uint32_t *kernel = window->attributes.kernel;
    if (weight->rank != window->axes + 2)
        return reader_refuse(r, "its weight has %u dimensions, not %u", weight->rank, window->axes + 2);
    uint32_t height = window->axes == 2 ? weight->dim[2] : 1, width = weight->dim[weight->rank - 1];
    uint32_t said[2] = {height, width};
    bramble_status status = read_sizes(r, "kernel_shape", window, said);
    if (status) return status;
    if (said[0] != height || said[1] != width)
        return reader_refuse(r, "its weight is not of the size that \"kernel_shape\" says");
    if (!height || !width || height > WINDOW_MAX || width > WINDOW_MAX)
        return reader_refuse(r, "its weight has a side of 0, or of more than %d", WINDOW_MAX);
    kernel[0] = height;
    kernel[1] = width;
    struct kernel_order order = {height, width, weight->dim[1], weight->dim[0]};
    size_t fan_in = (size_t)height * width * weight->dim[1];
    return reader_add_weight(
        r,
        &(struct reader_weight){.known = weight,
                                .source = reader_source(r, 1),
                                .suffix = "weight",
                                .kind = NET_PARAMETER,
                                .shape = {4, {height, width, order.depth, order.outputs}},
                                .place = kernel_place,
                                .context = &order,
                                .filler = NET_FILL_KAIMING,
                                .fan_in = (uint32_t)(fan_in > UINT32_MAX ? UINT32_MAX : fan_in),
                                .decays = true},
        value);
}

static bramble_status add_kernel_bias(struct net_reader *r, uint32_t weight, uint32_t *value)
{
    const struct net_value *kernel = &r->graph->values[weight];
    const struct known *bias;
    bramble_status status = reader_known(r, 2, &bias);
    if (status) return status;
    return reader_add_weight(r,
                             &(struct reader_weight){.known = bias,
                                                     .source = reader_source(r, 2),
                                                     .suffix = "bias",
                                                     .kind = NET_PARAMETER,
                                                     .shape = {1, {kernel->shape.dim[3]}},
                                                     .filler = NET_FILL_KAIMING,
                                                     .fan_in = kernel->fan_in},
                             value);
}

/* Padding by nothing, which PyTorch puts before its average pools; other padding belongs to what follows. */
bramble_status read_pad(struct net_reader *r)
{
    int64_t pads[2 * VIEW_AXES_MAX];
    uint32_t n;
    bramble_status status = reader_ints(r, "pads", 1, pads, 2 * VIEW_AXES_MAX, &n);
    if (status) return status;
    for (uint32_t i = 0; i < n; i++)
        if (pads[i] != 0)
            return reader_unsupported(r, "pads on its own; export the network with padding in its "
                                         "convolutions and pools");
    return read_same(r);
}

bramble_status read_conv(struct net_reader *r)
{
    const struct view *x;
    const struct known *weight;
    uint32_t inputs[3], value;
    struct view out;
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = reader_known(r, 1, &weight);
    if (status) return status;
    struct window window = {x->n_axes == 3 ? 1 : 2, NET_ATTRIBUTES_INIT};
    int64_t group = reader_int(r, "group", 1);
    if (group < 1 || group > INT32_MAX) return reader_refuse(r, "\"group\" is %lld", (long long)group);
    window.attributes.group = (uint32_t)group;
    status = add_kernel(r, weight, &window, &inputs[1]);
    if (!status) status = read_window(r, x, &window);
    bool has_bias = reader_has_input(r, 2);
    if (!status && has_bias) status = add_kernel_bias(r, inputs[1], &inputs[2]);
    if (!status) status = bring_image(r, x, &inputs[0]);
    if (!status) status = reader_add(r, "Conv", inputs, has_bias ? 3 : 2, 1, &window.attributes, &value);
    if (status) return status;
    image_view(r, value, window.axes, &out);
    return reader_define_view(r, 0, &out);
}

bramble_status read_pool(struct net_reader *r)
{
    const struct view *x;
    uint32_t image, value;
    struct view out;
    bramble_status status = reader_view(r, 0, &x);
    if (status) return status;
    struct window window = {x->n_axes == 3 ? 1 : 2, NET_ATTRIBUTES_INIT};
    if (!reader_attribute(r, "kernel_shape")) return reader_refuse(r, "does not say how large its window is");
    status = read_window(r, x, &window);
    if (!status) status = bring_image(r, x, &image);
    if (status) return status;
    window.attributes.ceil_mode = reader_int(r, "ceil_mode", 0) != 0;
    window.attributes.count_include_pad = reader_int(r, "count_include_pad", 0) != 0;
    status = reader_add_unary(r, r->node->op_type, image, &window.attributes, &value);
    if (status) return status;
    image_view(r, value, window.axes, &out);
    return reader_define_view(r, 0, &out);
}

static bramble_status global_average(struct net_reader *r, const struct view *x, struct view *out)
{
    uint32_t image, value;
    bramble_status status = bring_image(r, x, &image);
    if (!status) status = reader_add_unary(r, "GlobalAveragePool", image, NULL, &value);
    if (status) return status;
    view_begin(out, value);
    view_add_batch(out);
    view_add_axis(out, view_axis_length(x, 1));
    view_settle_straight(out);
    return BRAMBLE_OK;
}

static bramble_status global_max(struct net_reader *r, const struct view *x, struct view *out)
{
    uint32_t image, value;
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    bramble_status status = bring_image(r, x, &image);
    if (status) return status;
    memcpy(attributes.kernel, r->graph->values[image].shape.dim, sizeof attributes.kernel);
    status = reader_add_unary(r, "MaxPool", image, &attributes, &value);
    if (status) return status;
    view_begin(out, value);
    view_add_batch(out);
    view_add_axis(out, view_axis_length(x, 1));
    view_settle_straight(out);
    return BRAMBLE_OK;
}

bramble_status read_global_pool(struct net_reader *r)
{
    const struct view *x;
    struct view out;
    bramble_status status = reader_view(r, 0, &x);
    if (status) return status;
    uint32_t axes = x->n_axes;
    status = reader_is(r->node, "GlobalMaxPool") ? global_max(r, x, &out) : global_average(r, x, &out);
    while (!status && out.n_axes < axes) view_add_axis(&out, 1);
    return status ? status : reader_define_view(r, 0, &out);
}

/* The mean over an image: what global average pooling does. */
bramble_status read_reduce_mean(struct net_reader *r)
{
    const struct view *x;
    struct view out, seen;
    int64_t axes[VIEW_AXES_MAX];
    uint32_t n, reduced = 0;
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = reader_ints(r, "axes", 1, axes, VIEW_AXES_MAX, &n);
    for (uint32_t i = 0; !status && i < n; i++) {
        uint32_t axis;
        status = reader_axis(r, axes[i], x->n_axes, &axis);
        reduced |= status ? 0 : 1u << axis;
    }
    if (status) return status;
    seen = *x;
    uint8_t to_first[4] = {0, 3, 1, 2}, line_first[3] = {0, 2, 1};
    bool last_kept = x->n_axes == 4 ? reduced == 6 : x->n_axes == 3 && reduced == 2;
    if (last_kept) view_permute(&seen, x, x->n_axes == 4 ? to_first : line_first);
    if (!last_kept && !(x->n_axes == 4 && reduced == 12) && !(x->n_axes == 3 && reduced == 4))
        return reader_unsupported(r, "takes a mean over axes other than an image's or a sequence's");
    bool keep = reader_int(r, "keepdims", 1) != 0;
    uint32_t rank = x->n_axes;
    status = global_average(r, &seen, &out);
    if (status) return status;
    struct view kept;
    view_begin(&kept, out.value);
    for (uint32_t a = 0; a < rank; a++) {
        if (!(reduced >> a & 1))
            view_copy_axis(&kept, &out, a == 0 ? 0 : 1);
        else if (keep)
            view_add_axis(&kept, 1);
    }
    return reader_define_view(r, 0, &kept);
}
