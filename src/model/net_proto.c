#include "model/net_proto.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { BLOCK_BYTES = 1 << 16, NODE_ATTRIBUTES_MAX = 16 };

struct proto_block {
    struct proto_block *next;
    size_t used, room;
    _Alignas(64) char bytes[];
};

void proto_init(struct proto_builder *builder)
{
    *builder = (struct proto_builder){0};
    onnx__graph_proto__init(&builder->graph);
}

void proto_fini(struct proto_builder *builder)
{
    while (builder->blocks) {
        struct proto_block *next = builder->blocks->next;
        mem_free(builder->blocks);
        builder->blocks = next;
    }
}

void *proto_alloc(struct proto_builder *builder, size_t count, size_t size)
{
    size_t bytes;
    if (builder->failed) return NULL;
    builder->failed = __builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - BLOCK_BYTES;
    if (builder->failed) return NULL;
    bytes = (bytes + 15) / 16 * 16;
    struct proto_block *block = builder->blocks;
    if (!block || block->room - block->used < bytes) {
        size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        block = mem_alloc_aligned(1, sizeof *block + room);
        if (!block) {
            builder->failed = true;
            return NULL;
        }
        *block = (struct proto_block){.next = builder->blocks, .room = room};
        builder->blocks = block;
    }
    void *piece = block->bytes + block->used;
    block->used += bytes;
    return memset(piece, 0, bytes);
}

char *proto_name(struct proto_builder *builder, const char *kind, const char *name)
{
    char number[16];
    if (!name) {
        snprintf(number, sizeof number, "%u", builder->n_names++);
        name = number;
    }
    size_t length = strlen(kind) + strlen(name) + 2;
    char *text = proto_alloc(builder, length, 1);
    if (text) snprintf(text, length, "%s.%s", kind, name);
    return text;
}

/* One more place in a repeated field; NULL: no memory. */
static void **more(struct proto_builder *builder, void ***items, size_t *n, size_t *room)
{
    if (*n == *room) {
        size_t wanted = *room ? *room * 2 : 16;
        void **larger = proto_alloc(builder, wanted, sizeof *larger);
        if (!larger) return NULL;
        if (*n) memcpy(larger, *items, *n * sizeof *larger);
        *items = larger;
        *room = wanted;
    }
    return &(*items)[(*n)++];
}

static char **copy_names(struct proto_builder *builder, const char *const *names, size_t n)
{
    char **copy = proto_alloc(builder, n ? n : 1, sizeof *copy);
    for (size_t i = 0; copy && i < n; i++) copy[i] = names[i] ? (char *)names[i] : "";
    return copy;
}

Onnx__NodeProto *proto_add_node(struct proto_builder *builder, const char *op_type, const char *const *inputs,
                                size_t n_inputs, const char *const *outputs, size_t n_outputs)
{
    Onnx__NodeProto *node = proto_alloc(builder, 1, sizeof *node);
    char **in = copy_names(builder, inputs, n_inputs), **out = copy_names(builder, outputs, n_outputs);
    Onnx__AttributeProto **attributes = proto_alloc(builder, NODE_ATTRIBUTES_MAX, sizeof *attributes);
    if (builder->failed) return NULL;
    void **place = more(builder, (void ***)&builder->graph.node, &builder->graph.n_node, &builder->node_room);
    if (!place) return NULL;
    onnx__node_proto__init(node);
    node->op_type = (char *)op_type;
    node->n_input = n_inputs;
    node->input = in;
    node->n_output = n_outputs;
    node->output = out;
    node->attribute = attributes;
    *place = node;
    return node;
}

static char *add_one_output(struct proto_builder *builder, const char *op_type, const char *const *inputs,
                            size_t n)
{
    char *output = proto_name(builder, "t", NULL);
    proto_add_node(builder, op_type, inputs, n, (const char *[]){output}, 1);
    return output;
}

char *proto_add_unary(struct proto_builder *builder, const char *op_type, const char *input)
{
    return add_one_output(builder, op_type, &input, 1);
}

char *proto_add_binary(struct proto_builder *builder, const char *op_type, const char *a, const char *b)
{
    return add_one_output(builder, op_type, (const char *[]){a, b}, 2);
}

char *proto_add_transpose(struct proto_builder *builder, const char *input, const int64_t *perm, size_t n)
{
    char *output = proto_add_unary(builder, "Transpose", input);
    proto_ints(builder, proto_last(builder), "perm", perm, n);
    return output;
}

char *proto_add_reshape(struct proto_builder *builder, const char *input, const int64_t *dims, size_t n)
{
    return proto_add_binary(builder, "Reshape", input, proto_integers(builder, dims, n));
}

Onnx__NodeProto *proto_last(struct proto_builder *builder)
{
    return builder->failed || !builder->graph.n_node ? NULL : builder->graph.node[builder->graph.n_node - 1];
}

void proto_rename_last(struct proto_builder *builder, const char *name)
{
    Onnx__NodeProto *node = proto_last(builder);
    if (node) node->output[0] = (char *)name;
}

static Onnx__AttributeProto *add_attribute(struct proto_builder *builder, Onnx__NodeProto *node,
                                           const char *name, int type)
{
    Onnx__AttributeProto *attribute = node ? proto_alloc(builder, 1, sizeof *attribute) : NULL;
    if (!attribute || node->n_attribute == NODE_ATTRIBUTES_MAX) return NULL;
    onnx__attribute_proto__init(attribute);
    attribute->name = (char *)name;
    attribute->has_type = 1;
    attribute->type = (Onnx__AttributeProto__AttributeType)type;
    node->attribute[node->n_attribute++] = attribute;
    return attribute;
}

void proto_int(struct proto_builder *builder, Onnx__NodeProto *node, const char *name, int64_t number)
{
    Onnx__AttributeProto *attribute =
        add_attribute(builder, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    if (!attribute) return;
    attribute->has_i = 1;
    attribute->i = number;
}

void proto_float(struct proto_builder *builder, Onnx__NodeProto *node, const char *name, float number)
{
    Onnx__AttributeProto *attribute =
        add_attribute(builder, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    if (!attribute) return;
    attribute->has_f = 1;
    attribute->f = number;
}

void proto_text(struct proto_builder *builder, Onnx__NodeProto *node, const char *name, const char *text)
{
    Onnx__AttributeProto *attribute =
        add_attribute(builder, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    if (!attribute) return;
    attribute->has_s = 1;
    attribute->s = (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

void proto_ints(struct proto_builder *builder, Onnx__NodeProto *node, const char *name,
                const int64_t *numbers, size_t n)
{
    Onnx__AttributeProto *attribute =
        add_attribute(builder, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    int64_t *copy = attribute ? proto_alloc(builder, n ? n : 1, sizeof *copy) : NULL;
    if (!copy) return;
    memcpy(copy, numbers, n * sizeof *copy);
    attribute->n_ints = n;
    attribute->ints = copy;
}

static Onnx__TensorProto *add_tensor(struct proto_builder *builder, const char *name, int type,
                                     const int64_t *dims, size_t n)
{
    Onnx__TensorProto *tensor = proto_alloc(builder, 1, sizeof *tensor);
    int64_t *copy = proto_alloc(builder, n ? n : 1, sizeof *copy);
    if (builder->failed) return NULL;
    void **place = more(builder, (void ***)&builder->graph.initializer, &builder->graph.n_initializer,
                        &builder->initialiser_room);
    if (!place) return NULL;
    if (n) memcpy(copy, dims, n * sizeof *copy);
    onnx__tensor_proto__init(tensor);
    tensor->name = (char *)name;
    tensor->has_data_type = 1;
    tensor->data_type = type;
    tensor->n_dims = n;
    tensor->dims = copy;
    *place = tensor;
    return tensor;
}

char *proto_floats(struct proto_builder *builder, const char *name, const float *numbers, const int64_t *dims,
                   size_t n_dims)
{
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw data are little-endian");
    Onnx__TensorProto *tensor = add_tensor(builder, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, dims, n_dims);
    size_t bytes = sizeof *numbers;
    for (size_t d = 0; d < n_dims; d++) bytes *= (size_t)dims[d];
    if (!tensor) return NULL;
    tensor->has_raw_data = 1;
    tensor->raw_data = (ProtobufCBinaryData){bytes, (uint8_t *)numbers};
    return (char *)name;
}

char *proto_integers(struct proto_builder *builder, const int64_t *numbers, size_t n)
{
    char *name = proto_name(builder, "c", NULL);
    int64_t dim = (int64_t)n, *copy = proto_alloc(builder, n ? n : 1, sizeof *copy);
    Onnx__TensorProto *tensor =
        copy ? add_tensor(builder, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, &dim, 1) : NULL;
    if (!tensor) return NULL;
    if (n) memcpy(copy, numbers, n * sizeof *copy);
    tensor->n_int64_data = n;
    tensor->int64_data = copy;
    return name;
}

char *proto_number(struct proto_builder *builder, float number)
{
    char *name = proto_name(builder, "c", NULL);
    float *copy = proto_alloc(builder, 1, sizeof *copy);
    if (!copy) return NULL;
    *copy = number;
    return proto_floats(builder, name, copy, NULL, 0);
}

static void fill_dim(Onnx__TensorShapeProto__Dimension *dim, int64_t size)
{
    onnx__tensor_shape_proto__dimension__init(dim);
    dim->value_case = size < 0 ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                               : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    if (size < 0)
        dim->dim_param = "N";
    else
        dim->dim_value = size;
}

void proto_add_value(struct proto_builder *builder, bool input, const char *name, int type,
                     const int64_t *dims, size_t n)
{
    struct piece {
        Onnx__ValueInfoProto info;
        Onnx__TypeProto type;
        Onnx__TypeProto__Tensor tensor;
        Onnx__TensorShapeProto shape;
        Onnx__TensorShapeProto__Dimension dims[6], *dim[6];
    } *piece = proto_alloc(builder, 1, sizeof *piece);
    Onnx__GraphProto *graph = &builder->graph;
    void **place = NULL;
    if (piece)
        place = input ? more(builder, (void ***)&graph->input, &graph->n_input, &builder->input_room)
                      : more(builder, (void ***)&graph->output, &graph->n_output, &builder->output_room);
    if (!place) return;
    onnx__value_info_proto__init(&piece->info);
    onnx__type_proto__init(&piece->type);
    onnx__type_proto__tensor__init(&piece->tensor);
    onnx__tensor_shape_proto__init(&piece->shape);
    for (size_t d = 0; d <= n; d++) {
        fill_dim(&piece->dims[d], d ? dims[d - 1] : -1);
        piece->dim[d] = &piece->dims[d];
    }
    piece->shape.n_dim = n + 1;
    piece->shape.dim = piece->dim;
    piece->tensor.has_elem_type = 1;
    piece->tensor.elem_type = type;
    piece->tensor.shape = &piece->shape;
    piece->type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    piece->type.tensor_type = &piece->tensor;
    piece->info.name = (char *)name;
    piece->info.type = &piece->type;
    *place = &piece->info;
}
