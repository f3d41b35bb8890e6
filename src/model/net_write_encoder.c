#include "model/net_write_encoder.h"

#include <string.h>

typedef struct proto_builder builder;

static char *constant(builder *b, const float *numbers, const int64_t *dims, size_t n_dims)
{
    return proto_floats(b, proto_name(b, "c", NULL), numbers, dims, n_dims);
}

static char *add_gather(builder *b, const char *input, const int64_t *places, size_t n)
{
    char *output = proto_add_binary(b, "Gather", input, proto_integers(b, places, n));
    proto_int(b, proto_last(b), "axis", 1);
    return output;
}

static char *add_cast(builder *b, const char *input)
{
    char *output = proto_add_unary(b, "Cast", input);
    proto_int(b, proto_last(b), "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    return output;
}

static char *add_where(builder *b, const char *condition, const char *yes, const char *no)
{
    char *output = proto_name(b, "t", NULL);
    proto_add_node(b, "Where", (const char *[]){condition, yes, no}, 3, (const char *[]){output}, 1);
    return output;
}

/* What is gathered from the rows for one kind of encoding, and where its numbers belong. */
struct part {
    size_t n, room;
    int64_t *from; /* features */
    int64_t *to;   /* places among the network's inputs */
    float *a, *b;  /* means and deviations, or categories */
};

static bool part_init(struct part *part, builder *b, const struct encoder *encoder)
{
    size_t n = encoder->n_inputs;
    part->n = 0;
    part->from = proto_alloc(b, n, sizeof *part->from);
    part->to = proto_alloc(b, n, sizeof *part->to);
    part->a = proto_alloc(b, n, sizeof *part->a);
    part->b = proto_alloc(b, n, sizeof *part->b);
    return !b->failed;
}

static void part_add(struct part *part, uint32_t from, uint32_t to, float first, float second)
{
    part->from[part->n] = from;
    part->to[part->n] = to;
    part->a[part->n] = first;
    part->b[part->n++] = second;
}

enum { PART_NUMBERS, PART_ONE_HOT, PART_INDICATORS, PARTS };

static void add_feature(struct part *parts, uint32_t f, const struct encoded_feature *feature)
{
    uint32_t width = feature->encoding == ENCODING_ONE_HOT ? feature->n_categories : 1;
    if (feature->encoding == ENCODING_NUMBER)
        part_add(&parts[PART_NUMBERS], f, feature->first, feature->mean, feature->deviation);
    else if (feature->encoding == ENCODING_PLACE)
        part_add(&parts[PART_NUMBERS], f, feature->first, -(float)feature->base, 1);
    else
        for (uint32_t c = 0; c < width; c++)
            part_add(&parts[PART_ONE_HOT], f, feature->first + c, (float)c, 0);
    if (feature->indicator) part_add(&parts[PART_INDICATORS], f, feature->first + width, 0, 0);
}

static char *encode_part(builder *b, const struct part *part, int kind)
{
    int64_t dim = (int64_t)part->n;
    char *x = add_gather(b, "X", part->from, part->n);
    if (kind == PART_ONE_HOT)
        return add_cast(b, proto_add_binary(b, "Equal", x, constant(b, part->a, &dim, 1)));
    char *missing = proto_add_unary(b, "IsNaN", x);
    if (kind == PART_INDICATORS) return add_cast(b, missing);
    char *scaled = proto_add_binary(b, "Sub", x, constant(b, part->a, &dim, 1));
    scaled = proto_add_binary(b, "Div", scaled, constant(b, part->b, &dim, 1));
    return add_where(b, missing, proto_number(b, 0), scaled);
}

/* The parts behind each other, then in the order of the network's inputs. */
static char *join_parts(builder *b, const struct encoder *encoder, const struct part *parts)
{
    const char *pieces[PARTS];
    int64_t *order = proto_alloc(b, encoder->n_inputs, sizeof *order);
    size_t n = 0, at = 0;
    bool sorted = true;
    for (int p = 0; order && p < PARTS; p++) {
        if (!parts[p].n) continue;
        pieces[n++] = encode_part(b, &parts[p], p);
        for (size_t i = 0; i < parts[p].n; i++, at++) {
            sorted = sorted && parts[p].to[i] == (int64_t)at;
            order[parts[p].to[i]] = (int64_t)at;
        }
    }
    if (b->failed) return NULL;
    char *joined = (char *)pieces[0];
    if (n > 1) {
        joined = proto_name(b, "t", NULL);
        proto_int(b, proto_add_node(b, "Concat", pieces, n, (const char *[]){joined}, 1), "axis", 1);
    }
    return sorted ? joined : add_gather(b, joined, order, encoder->n_inputs);
}

static char *encode_table(builder *b, const struct encoder *encoder)
{
    struct part parts[PARTS];
    for (int p = 0; p < PARTS; p++)
        if (!part_init(&parts[p], b, encoder)) return NULL;
    for (uint32_t f = 0; f < encoder->n_features; f++) add_feature(parts, f, &encoder->features[f]);
    return join_parts(b, encoder, parts);
}

static char *shape_rows(builder *b, const char *rows, const struct net_shape *shape)
{
    int64_t dims[NET_RANK_MAX + 1] = {-1};
    for (uint32_t d = 0; d < shape->rank; d++) dims[d + 1] = shape->dim[d];
    return proto_add_reshape(b, rows, dims, shape->rank + 1);
}

char *write_encoder(builder *b, const struct encoder *encoder, const struct net_shape *input,
                    bool *channels_first)
{
    static const int64_t to_lying[4] = {0, 2, 3, 1};
    const uint32_t *shape = encoder->shape;
    *channels_first = false;
    if (!encoder->pixels) {
        int64_t n = encoder->n_features;
        proto_add_value(b, true, "X", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, &n, 1);
        char *rows = encode_table(b, encoder);
        return input->rank == 1 ? rows : shape_rows(b, rows, input);
    }
    int64_t dims[3] = {shape[2], shape[0], shape[1]};
    proto_add_value(b, true, "X", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, dims, 3);
    char *image = proto_add_binary(b, "Div", "X", proto_number(b, 255));
    *channels_first = input->rank == 3 && memcmp(input->dim, shape, 3 * sizeof *shape) == 0;
    if (*channels_first) return image;
    return shape_rows(b, shape[2] == 1 ? image : proto_add_transpose(b, image, to_lying, 4), input);
}
