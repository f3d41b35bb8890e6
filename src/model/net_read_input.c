#include "model/net_read_input.h"

#include <string.h>

#include "model/net_read.h"

enum { CHANNELS_FEW = 4 };

static bool is_initialiser(struct net_reader *r, const char *name)
{
    return reader_named(r, name) != NULL;
}

static bramble_status find_input(struct net_reader *r, const Onnx__ValueInfoProto **out)
{
    const Onnx__ValueInfoProto *found = NULL;
    for (size_t i = 0; i < r->proto->n_input; i++) {
        const Onnx__ValueInfoProto *input = r->proto->input[i];
        if (!input->name || is_initialiser(r, input->name) || !names_find(&r->readers, input->name)) continue;
        if (found)
            return reader_unsupported(
                r,
                "has two inputs, \"%.60s\" and \"%.60s\"; a network that is trained here "
                "has one",
                found->name, input->name);
        found = input;
    }
    if (!found) return reader_refuse(r, "its output depends on no input; export the network again");
    if (!found->type || !found->type->tensor_type || !found->type->tensor_type->shape)
        return reader_refuse(r, "input \"%.60s\" has no shape; export the network with one", found->name);
    *out = found;
    return BRAMBLE_OK;
}

/* Sizes, 0 for those left open. */
static bramble_status read_dims(struct net_reader *r, const Onnx__ValueInfoProto *input, uint32_t *dims,
                                uint32_t *n, uint32_t *batch)
{
    const Onnx__TensorShapeProto *shape = input->type->tensor_type->shape;
    if (shape->n_dim < 1 || shape->n_dim > VIEW_AXES_MAX || shape->n_dim > NET_RANK_MAX + 1)
        return reader_unsupported(r, "input \"%.60s\" has %zu axes; 1 to %d are supported", input->name,
                                  shape->n_dim, NET_RANK_MAX + 1);
    *n = *batch = (uint32_t)shape->n_dim;
    for (uint32_t a = 0; a < *n; a++) {
        const Onnx__TensorShapeProto__Dimension *dim = shape->dim[a];
        bool given =
            dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && dim->dim_value > 0;
        if (given && dim->dim_value > READER_SAMPLE_MAX)
            return reader_refuse(r, "input \"%.60s\" has an axis of %lld", input->name,
                                 (long long)dim->dim_value);
        dims[a] = given ? (uint32_t)dim->dim_value : 0;
        if (given) continue;
        if (*batch < *n)
            return reader_unsupported(
                r,
                "input \"%.60s\" leaves the sizes of axes %u and %u open; export it with "
                "one open axis, the batch",
                input->name, *batch, a);
        *batch = a;
    }
    if (*batch == *n) {
        *batch = 0;
        r->literal_batch = dims[0];
    }
    return BRAMBLE_OK;
}

/* Whether what reads the input first puts channels first. */
static bool turned_first(const struct net_reader *r, const char *name)
{
    int64_t perm[VIEW_AXES_MAX];
    uint32_t n = 0;
    size_t number;
    const Onnx__NodeProto *node = reader_only_reader(r, name, &number);
    if (!node || !reader_is(node, "Transpose")) return false;
    struct net_reader look = *r;
    look.node = node;
    look.error = NULL;
    return !reader_ints(&look, "perm", 0, perm, VIEW_AXES_MAX, &n) && n == 4 && perm[0] == 0 && perm[1] == 3;
}

static bramble_status add_input(struct net_reader *r, const Onnx__ValueInfoProto *input, const uint32_t *dims,
                                uint32_t n, uint32_t batch, const uint8_t *order)
{
    int type = input->type->tensor_type->elem_type;
    struct net_value_new value = {.name = input->name, .kind = NET_INPUT};
    struct view view;
    for (uint32_t i = 0; i + 1 < n; i++) value.shape.dim[value.shape.rank++] = dims[order[i]];
    if (n == 1) value.shape = (struct net_shape){1, {1}};
    if (shape_size(&value.shape) > READER_SAMPLE_MAX)
        return reader_refuse(r, "input \"%.60s\" has more than %d numbers a sample", input->name,
                             READER_SAMPLE_MAX);
    view_begin(&view, 0);
    view.integer =
        type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64 || type == ONNX__TENSOR_PROTO__DATA_TYPE__INT32;
    for (uint32_t a = 0; a < n; a++) {
        if (a == batch)
            view_add_batch(&view);
        else
            view_add_axis(&view, dims[a]);
    }
    view_settle(&view, order, n - 1);
    bramble_status status = graph_add_value(r->graph, &value, &view.value, r->error);
    return status ? status : reader_define(r, input->name, &view, NULL);
}

bramble_status read_input(struct net_reader *r)
{
    static const uint8_t image[3] = {2, 3, 1};
    const Onnx__ValueInfoProto *input = NULL;
    uint32_t dims[VIEW_AXES_MAX], n = 0, batch = 0, k = 0;
    uint8_t order[VIEW_AXES_MAX];
    bramble_status status = find_input(r, &input);
    if (!status) status = read_dims(r, input, dims, &n, &batch);
    if (status) return status;
    for (uint32_t a = 0; a < n; a++)
        if (a != batch) order[k++] = (uint8_t)a;
    bool few_last = n == 4 && dims[3] <= CHANNELS_FEW && dims[1] > CHANNELS_FEW;
    if (n == 4 && batch == 0 && !few_last && !turned_first(r, input->name))
        memcpy(order, image, sizeof image);
    return add_input(r, input, dims, n, batch, order);
}

bramble_status read_output(struct net_reader *r, const char *name, uint32_t *value)
{
    const struct named *named = reader_named(r, name);
    uint8_t axes[VIEW_AXES_MAX];
    uint32_t n = 0;
    if (!named || !named->is_view)
        return reader_refuse(r, "its output \"%.60s\" is not computed from its input", name);
    struct view view = named->view;
    for (uint32_t a = 0; a < view.n_axes; a++)
        if (view_axis_length(&view, a) > 1) axes[n++] = (uint8_t)a;
    if (view_batch_axis(&view) == view.n_axes)
        return reader_refuse(r, "its output \"%.60s\" is the same for every sample", name);
    if (n) return reader_bring(r, &view, axes, n, value);
    return reader_shape(r, view.value, &(struct net_shape){1, {1}}, value);
}
