/*
 * Conv: images H x W x C, a weight kh x kw x (C / group) x output channels, perhaps a bias. Reads stride,
 * pad, dilation, group and relu; kernel, when it is not 1 x 1, must be the weight's.
 */
#include <string.h>

#include "base/error.h"
#include "net/conv.h"
#include "net/kernels/products.h"
#include "net/operators.h"

static struct conv_axis axis_of(const struct net_node *node, const struct net_shape *x,
                                const struct net_shape *w, uint32_t axis)
{
    const struct net_attributes *a = &node->attributes;
    struct conv_axis c = {.in = x->dim[axis],
                          .taps = w->dim[axis],
                          .stride = a->stride[axis],
                          .dilation = a->dilation[axis],
                          .before = a->pad[axis],
                          .after = a->pad[axis + 2]};
    int64_t room = (int64_t)c.in + c.before + c.after - ((int64_t)c.taps - 1) * c.dilation - 1;
    c.out = room < 0 ? 0 : (uint32_t)(room / c.stride) + 1;
    return c;
}

struct conv conv_of(const struct net_graph *graph, const struct net_node *node)
{
    const struct net_value *x = &graph->values[node->inputs[0]], *w = &graph->values[node->inputs[1]];
    struct conv c = {.channels = x->shape.dim[2],
                     .out_channels = w->shape.dim[3],
                     .group = node->attributes.group,
                     .relu = node->attributes.relu,
                     .wants_dx = x->kind == NET_ACTIVATION || x->trained,
                     .trains = w->kind == NET_PARAMETER};
    c.y = axis_of(node, &x->shape, &w->shape, 0);
    c.x = axis_of(node, &x->shape, &w->shape, 1);
    c.in_group = c.channels / c.group;
    c.out_group = c.out_channels / c.group;
    c.depthwise = c.group > 1 && c.in_group == 1 && c.out_group == 1;
    c.bias = node->n_inputs > 2 && node->inputs[2] != NET_NONE;
    return c;
}

static bool per_sample(const struct net_value *value)
{
    return value->kind == NET_INPUT || value->kind == NET_ACTIVATION;
}

/* Everything that conv_of divides by or counts with. */
static bramble_status check_attributes(const struct net_node *node, const struct net_shape *w,
                                       bramble_error *error)
{
    enum { MOST = 1 << 20 };
    const struct net_attributes *a = &node->attributes;
    for (uint32_t axis = 0; axis < 2; axis++) {
        if (!a->stride[axis] || a->stride[axis] > MOST || !a->dilation[axis] || a->dilation[axis] > MOST ||
            a->pad[axis] > MOST || a->pad[axis + 2] > MOST)
            return error_set(
                error, BRAMBLE_ERR_DATA,
                "stride and dilation must be 1 to %d, pad 0 to %d: here they are %u, %u, %u and %u", MOST,
                MOST, a->stride[axis], a->dilation[axis], a->pad[axis], a->pad[axis + 2]);
        if (a->kernel[axis] != 1 && a->kernel[axis] != w->dim[axis])
            return error_set(error, BRAMBLE_ERR_DATA,
                             "the kernel is said to be %u x %u, the weight is %u x %u", a->kernel[0],
                             a->kernel[1], w->dim[0], w->dim[1]);
    }
    return BRAMBLE_OK;
}

static bramble_status check_channels(const struct net_node *node, const struct net_shape *x,
                                     const struct net_shape *w, bramble_error *error)
{
    uint32_t group = node->attributes.group;
    if (!group || x->dim[2] % group || w->dim[3] % group)
        return error_set(error, BRAMBLE_ERR_DATA, "%u channels in and %u out cannot be cut into %u groups",
                         x->dim[2], w->dim[3], group);
    if (x->dim[2] / group != w->dim[2])
        return error_set(error, BRAMBLE_ERR_DATA, "the input has %u channels a group, the weight takes %u",
                         x->dim[2] / group, w->dim[2]);
    return BRAMBLE_OK;
}

static bramble_status check_inputs(const struct net_graph *graph, const struct net_node *node,
                                   bramble_error *error)
{
    const struct net_value *x = &graph->values[node->inputs[0]], *w = &graph->values[node->inputs[1]];
    char text[64];
    if (!per_sample(x) || per_sample(w))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "the first input must come from the data, the second be a weight");
    if (x->shape.rank != 3 || !x->size)
        return error_set(error, BRAMBLE_ERR_DATA, "the input is %s, it must be height x width x channels",
                         shape_text(&x->shape, text));
    if (w->shape.rank != 4 || !w->size || w->size > UINT32_MAX)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "the weight is %s, it must be height x width x channels in x channels out",
                         shape_text(&w->shape, text));
    bramble_status status = check_attributes(node, &w->shape, error);
    if (status == BRAMBLE_OK) status = check_channels(node, &x->shape, &w->shape, error);
    return status;
}

static bool too_large(const struct conv *conv)
{
    const size_t most = UINT32_MAX / MICROBATCH;
    struct conv_pass forward = conv_pass_of(conv, false);
    struct conv_pass backward = conv_pass_of(conv, true);
    return (uint64_t)conv->y.out * conv->x.out > most / conv->out_channels ||
           conv_pass_image(&forward) > most || conv_pass_image(&backward) > most;
}

static bramble_status infer(const struct net_graph *graph, const struct net_node *node,
                            struct net_shape *shapes, bramble_error *error)
{
    bramble_status status = check_inputs(graph, node, error);
    if (status != BRAMBLE_OK) return status;
    struct conv c = conv_of(graph, node);
    if (!c.y.out || !c.x.out)
        return error_set(error, BRAMBLE_ERR_DATA, "a kernel of %u x %u does not fit into %u x %u pixels",
                         c.y.taps, c.x.taps, c.y.in, c.x.in);
    if (c.bias) {
        const struct net_value *bias = &graph->values[node->inputs[2]];
        if (per_sample(bias) || bias->shape.rank != 1 || bias->size != c.out_channels)
            return error_set(error, BRAMBLE_ERR_DATA, "the bias must be a weight of %u numbers",
                             c.out_channels);
    }
    if (too_large(&c)) return error_set(error, BRAMBLE_ERR_DATA, "a sample has too many numbers");
    shapes[0] = (struct net_shape){3, {c.y.out, c.x.out, c.out_channels}};
    return BRAMBLE_OK;
}

static size_t prepared_bytes(const struct net_graph *graph, const struct net_node *node)
{
    struct conv c = conv_of(graph, node);
    return conv_pass_bytes(&c, false) + (c.wants_dx ? conv_pass_bytes(&c, true) : 0);
}

static struct conv_pass pass_in(const struct conv *c, bool backward, void *prepared)
{
    return conv_pass_at(c, backward, (char *)prepared + (backward ? conv_pass_bytes(c, false) : 0));
}

static void prepare(const struct net_graph *graph, const struct net_node *node, void *prepared, bool training)
{
    struct conv c = conv_of(graph, node);
    const float *weight = graph_numbers(graph, node->inputs[1]);
    struct conv_pass pass = pass_in(&c, false, prepared);
    conv_pass_fill(&pass, weight);
    if (!training || !c.wants_dx) return;
    pass = pass_in(&c, true, prepared);
    conv_pass_fill(&pass, weight);
}

/* An image with its border; or what the gradient that backward keeps takes. */
static size_t scratch_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    (void)samples;
    struct conv c = conv_of(graph, node);
    struct conv_pass forward = conv_pass_of(&c, false);
    struct conv_pass backward = conv_pass_of(&c, true);
    size_t numbers = forward.copies ? conv_pass_image(&forward) : 0;
    if (c.wants_dx && backward.copies && conv_pass_image(&backward) > numbers)
        numbers = conv_pass_image(&backward);
    size_t bytes = numbers * sizeof(float);
    if (!conv_kept_by_backward(graph, node)) return bytes;
    size_t gradient = conv_gradient_scratch(&c);
    return bytes < gradient ? gradient : bytes;
}

/* One image; p has what is the same for all phases. */
static void run_phases(const struct net_kernels *kernels, const struct conv_pass *pass,
                       const struct net_product *all, const float *image, float *out)
{
    struct net_product p = *all;
    for (uint32_t i = 0; i < pass->n_phases; i++) {
        const struct conv_phase *phase = &pass->phases[i];
        const float *packed = pass->packed + phase->packed;
        p.rows = pass->rows + phase->first_row;
        p.y_rows = pass->targets ? pass->targets + phase->first_row : NULL;
        p.n_rows = phase->n_rows;
        p.segments = pass->segments + phase->first_segment;
        p.n_segments = phase->n_segments;
        p.length = phase->length;
        p.n = pass->depthwise ? pass->channels : pass->out_group;
        size_t weights = pass->depthwise ? 0 : packed_size(p.n_segments * p.length, p.n);
        for (uint32_t g = 0; g < (pass->depthwise ? 1 : pass->group); g++) {
            p.a = image + (size_t)g * pass->in_group;
            p.b = packed + g * weights;
            p.bias = all->bias ? all->bias + (size_t)g * p.n : NULL;
            p.y = out + (size_t)g * p.n;
            (pass->depthwise ? kernels->channel_product : kernels->product)(&p);
        }
    }
}

static void run_pass(const struct net_call *call, const struct conv_pass *pass, const struct net_product *all,
                     const float *images, float *out)
{
    const struct net_kernels *kernels = net_kernels_or_best(call->kernels);
    size_t size = (size_t)pass->h * pass->w * pass->channels, out_size = pass->n_channels;
    out_size *= pass->backward ? (size_t)pass->y.in * pass->x.in : (size_t)pass->y.out * pass->x.out;
    if (pass->copies) memset(call->scratch, 0, conv_pass_image(pass) * sizeof(float));
    for (uint32_t i = 0; i < call->samples; i++) {
        const float *image = images + i * size;
        if (pass->copies) {
            conv_pass_copy(pass, call->scratch, image);
            image = call->scratch;
        }
        run_phases(kernels, pass, all, image, out + i * out_size);
    }
}

static void forward(const struct net_call *call)
{
    struct conv c = conv_of(call->graph, call->node);
    struct conv_pass pass = pass_in(&c, false, call->prepared);
    const struct net_product all = {
        .bias = c.bias ? call->x[2] : NULL, .relu = c.relu, .y_stride = c.out_channels};
    run_pass(call, &pass, &all, call->x[0], call->y[0]);
}

static void backward(const struct net_call *call)
{
    struct conv c = conv_of(call->graph, call->node);
    size_t outputs = (size_t)c.y.out * c.x.out * c.out_channels;
    if (c.relu) gate_numbers(call->dy[0], call->y[0], call->samples * outputs);
    conv_keep_gradient(call);
    if (!call->dx[0]) return;
    struct conv_pass pass = pass_in(&c, true, call->prepared);
    const struct net_product all = {.add = call->add[0]};
    run_pass(call, &pass, &all, call->dy[0], call->dx[0]);
}

static uint64_t macs(const struct net_graph *graph, const struct net_node *node)
{
    struct conv c = conv_of(graph, node);
    return (uint64_t)c.y.out * c.x.out * c.y.taps * c.x.taps * c.in_group * c.out_channels;
}

const struct net_operator op_conv = {
    .name = "Conv",
    .min_inputs = 2,
    .max_inputs = 3,
    .max_outputs = 1,
    .backward_reads = NET_READS_INPUTS | NET_READS_RELU,
    .takes_relu = true,
    .infer = infer,
    .prepared_bytes = prepared_bytes,
    .scratch_bytes = scratch_bytes,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .kept_bytes = conv_kept_bytes,
    .kept_by_backward = conv_kept_by_backward,
    .gradient_parts = conv_parameter_parts,
    .gradient_scratch_bytes = conv_parameter_scratch_bytes,
    .parameter_gradient = conv_parameter_gradient,
    .macs = macs,
};
