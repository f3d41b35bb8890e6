/* Arithmetic with tensors known before the network runs, and tensors that come from nothing. */
#include <math.h>
#include <string.h>

#include "model/net_read_fold.h"

typedef double number_fn(double a, double b, bool integer);

static double add(double a, double b, bool integer)
{
    (void)integer;
    return a + b;
}

static double subtract(double a, double b, bool integer)
{
    (void)integer;
    return a - b;
}

static double multiply(double a, double b, bool integer)
{
    (void)integer;
    return a * b;
}

static double divide(double a, double b, bool integer)
{
    if (integer) return b == 0 ? 0 : trunc(a / b);
    return a / b;
}

static double power(double a, double b, bool integer)
{
    (void)integer;
    return pow(a, b);
}

static double equal(double a, double b, bool integer)
{
    (void)integer;
    return a == b;
}

static double larger(double a, double b, bool integer)
{
    (void)integer;
    return a > b ? a : b;
}

static double smaller(double a, double b, bool integer)
{
    (void)integer;
    return a < b ? a : b;
}

static const struct {
    const char *op_type;
    number_fn *compute;
} operations[] = {{"Add", add},   {"Sub", subtract}, {"Mul", multiply}, {"Div", divide},
                  {"Pow", power}, {"Equal", equal},  {"Max", larger},   {"Min", smaller}};

/* The dimensions of two tensors side by side, and how each is walked through for them. */
static bool broadcast(const struct known *a, int64_t *dims, uint32_t *rank, int64_t *strides)
{
    int64_t own[KNOWN_RANK_MAX];
    fold_strides(a, own);
    for (uint32_t d = 0; d < *rank; d++) {
        bool there = d + a->rank >= *rank;
        uint32_t size = there ? a->dim[d + a->rank - *rank] : 1;
        strides[d] = size == 1 ? 0 : own[d + a->rank - *rank];
        if (dims[d] == 1) dims[d] = size;
        if (size != 1 && size != dims[d]) return false;
    }
    return true;
}

static bramble_status broadcast_all(struct net_reader *r, const struct known *const *in, uint32_t n,
                                    struct known *spread)
{
    int64_t dims[KNOWN_RANK_MAX], strides[KNOWN_RANK_MAX];
    uint32_t rank = 0;
    bramble_status status = BRAMBLE_OK;
    for (uint32_t i = 0; i < n; i++) rank = in[i]->rank > rank ? in[i]->rank : rank;
    for (uint32_t d = 0; d < rank; d++) dims[d] = 1;
    for (uint32_t i = 0; i < n; i++)
        if (!broadcast(in[i], dims, &rank, strides))
            return reader_refuse(r, "its inputs' dimensions do not go together");
    for (uint32_t i = 0; !status && i < n; i++) {
        broadcast(in[i], dims, &rank, strides);
        status = fold_begin_output(r, &spread[i], dims, rank, in[i]->integer);
        if (!status) status = fold_walk(r, &spread[i], in[i], strides, 0);
    }
    for (uint32_t i = 0; status && i < n; i++) known_fini(&spread[i]);
    return status;
}

static number_fn *operation(const char *op_type)
{
    for (size_t o = 0; o < sizeof operations / sizeof *operations; o++)
        if (strcmp(operations[o].op_type, op_type) == 0) return operations[o].compute;
    return NULL;
}

/* Works in a's room; b is released. */
static bramble_status combine(struct net_reader *r, struct known *a, struct known *b)
{
    number_fn *compute = operation(r->node->op_type);
    bool integer = a->integer && b->integer;
    bramble_status status = BRAMBLE_OK;
    if (!a->numbers && !b->numbers)
        a->fill = compute(a->fill, b->fill, integer);
    else {
        double fill = a->fill;
        bool filled = !a->numbers;
        if (filled) status = fold_reserve(r, a);
        for (size_t i = 0; !status && i < a->n; i++)
            a->numbers[i] = compute(filled ? fill : a->numbers[i], known_number(b, i), integer);
    }
    if (compute == equal) a->integer = true;
    known_fini(b);
    if (status) known_fini(a);
    return status;
}

static bramble_status fold_binary(struct net_reader *r)
{
    const struct known *in[2];
    struct known spread[2] = {{0}, {0}};
    bramble_status status = reader_known(r, 0, &in[0]);
    if (!status) status = reader_known(r, 1, &in[1]);
    if (!status && r->node->n_input != 2) status = reader_refuse(r, "has not two inputs");
    if (!status) status = broadcast_all(r, in, 2, spread);
    if (!status) status = combine(r, &spread[0], &spread[1]);
    return status ? status : reader_define_known(r, 0, &spread[0]);
}

static bramble_status fold_where(struct net_reader *r)
{
    const struct known *in[3];
    struct known spread[3] = {{0}, {0}, {0}};
    bramble_status status = BRAMBLE_OK;
    for (size_t i = 0; !status && i < 3; i++) status = reader_known(r, i, &in[i]);
    if (!status) status = broadcast_all(r, in, 3, spread);
    if (status) return status;
    struct known out = spread[1];
    out.numbers = NULL;
    status = fold_reserve(r, &out);
    for (size_t i = 0; !status && i < out.n; i++)
        out.numbers[i] = known_number(&spread[known_number(&spread[0], i) != 0 ? 1 : 2], i);
    for (uint32_t i = 0; i < 3; i++) known_fini(&spread[i]);
    return status ? status : reader_define_known(r, 0, &out);
}

static double compute_unary(const char *op_type, double x, bool to_integer)
{
    if (strcmp(op_type, "Neg") == 0) return -x;
    if (strcmp(op_type, "Sqrt") == 0) return sqrt(x);
    if (strcmp(op_type, "Floor") == 0) return floor(x);
    if (strcmp(op_type, "Ceil") == 0) return ceil(x);
    if (strcmp(op_type, "Reciprocal") == 0) return 1 / x;
    return to_integer ? trunc(x) : x; /* Cast */
}

static bool cast_to_integer(const struct net_reader *r)
{
    int64_t to = reader_int(r, "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    return to != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT && to != ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE &&
           to != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 && to != ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16;
}

static bramble_status fold_unary(struct net_reader *r)
{
    const struct known *in;
    int64_t dims[KNOWN_RANK_MAX];
    struct known out;
    bramble_status status = reader_known(r, 0, &in);
    if (status) return status;
    bool cast = strcmp(r->node->op_type, "Cast") == 0, to_integer = cast && cast_to_integer(r);
    for (uint32_t d = 0; d < in->rank; d++) dims[d] = in->dim[d];
    status = fold_begin_output(r, &out, dims, in->rank, cast ? to_integer : in->integer);
    if (status) return status;
    out.trained = cast && in->trained;
    if (fold_uniform(in, &out.fill)) {
        out.fill = compute_unary(r->node->op_type, out.fill, to_integer);
        return reader_define_known(r, 0, &out);
    }
    status = fold_reserve(r, &out);
    if (status) return status;
    for (size_t i = 0; i < out.n; i++)
        out.numbers[i] = compute_unary(r->node->op_type, known_number(in, i), to_integer);
    return reader_define_known(r, 0, &out);
}

/* Copies input i in behind what stands along the axis already: *from is how far. */
static void concat_one(struct known *out, const struct known *in, uint32_t axis, size_t *from)
{
    size_t inner = 1;
    for (uint32_t d = axis + 1; d < in->rank; d++) inner *= in->dim[d];
    size_t length = in->dim[axis] * inner, step = out->dim[axis] * inner;
    for (size_t i = 0; i < in->n; i++)
        out->numbers[i / length * step + *from * inner + i % length] = known_number(in, i);
    *from += in->dim[axis];
}

static bramble_status fold_concat(struct net_reader *r)
{
    const struct known *in, *first;
    int64_t dims[KNOWN_RANK_MAX];
    uint32_t axis;
    struct known out;
    bramble_status status = reader_known(r, 0, &first);
    if (!status) status = reader_axis(r, reader_int(r, "axis", 0), first->rank, &axis);
    if (status) return status;
    for (uint32_t d = 0; d < first->rank; d++) dims[d] = first->dim[d];
    dims[axis] = 0;
    bool trained = true;
    for (size_t i = 0; i < r->node->n_input; i++) {
        status = reader_known(r, i, &in);
        if (status) return status;
        bool fits = in->rank == first->rank;
        for (uint32_t d = 0; fits && d < in->rank; d++) fits = d == axis || in->dim[d] == first->dim[d];
        if (!fits) return reader_refuse(r, "its inputs' dimensions do not go together");
        dims[axis] += in->dim[axis];
        trained = trained && in->trained;
    }
    status = fold_begin_output(r, &out, dims, first->rank, first->integer);
    if (!status) status = fold_reserve(r, &out);
    if (status) return status;
    out.trained = trained;
    size_t from = 0;
    for (size_t i = 0; i < r->node->n_input; i++)
        if (!reader_known(r, i, &in)) concat_one(&out, in, axis, &from);
    return reader_define_known(r, 0, &out);
}

/* A tensor of equal numbers that was made for the batch a file was exported with, where any batch is wanted.
 */
static void free_literal_batch(const struct net_reader *r, struct known *known, const struct known *wanted)
{
    double number;
    if (!r->literal_batch || known->rank != wanted->rank || !fold_uniform(known, &number)) return;
    for (uint32_t d = 0; d < known->rank; d++) {
        if (known->dim[d] != r->literal_batch || wanted->dim[d] != BATCH_SIZE) continue;
        int64_t dims[KNOWN_RANK_MAX];
        for (uint32_t k = 0; k < known->rank; k++) dims[k] = k == d ? BATCH_SIZE : known->dim[k];
        struct known any = {.integer = known->integer, .fill = number};
        if (known_set_shape(&any, dims, known->rank)) *known = any;
        return;
    }
}

static bramble_status fold_expand(struct net_reader *r)
{
    const struct known *in;
    int64_t dims[KNOWN_RANK_MAX], strides[KNOWN_RANK_MAX];
    uint32_t rank;
    struct known out, wanted = {0};
    bramble_status status = reader_known(r, 0, &in);
    if (!status) status = reader_ints(r, "shape", 1, dims, KNOWN_RANK_MAX, &rank);
    if (!status && !known_set_shape(&wanted, dims, rank))
        status = reader_refuse(r, "expands to dimensions that no tensor has");
    if (status) return status;
    uint32_t most = rank > in->rank ? rank : in->rank;
    struct known freed = *in;
    free_literal_batch(r, &freed, &wanted);
    in = &freed;
    for (uint32_t d = 0; d < most; d++) dims[d] = 1;
    if (!broadcast(&wanted, dims, &most, strides) || !broadcast(in, dims, &most, strides))
        return reader_refuse(r, "expands to dimensions that do not go with its own");
    status = fold_begin_output(r, &out, dims, most, in->integer);
    if (!status) status = fold_walk(r, &out, in, strides, 0);
    return status ? status : reader_define_known(r, 0, &out);
}

static bramble_status fold_constant_of_shape(struct net_reader *r)
{
    int64_t dims[KNOWN_RANK_MAX];
    uint32_t rank;
    struct known out, value = {0};
    const struct known *shape;
    bramble_status status = reader_known(r, 0, &shape);
    if (status) return status;
    if (shape->n > KNOWN_RANK_MAX) return reader_refuse(r, "makes a tensor with more than 8 dimensions");
    for (rank = 0; rank < shape->n; rank++) dims[rank] = known_integer(shape, rank);
    const Onnx__AttributeProto *attribute = reader_attribute(r, "value");
    if (attribute && attribute->t) {
        const char *wrong = known_from_proto(&value, attribute->t);
        if (wrong || value.n != 1)
            return reader_refuse(r, "its value %s", wrong ? wrong : "is not one number");
    }
    status = fold_begin_output(r, &out, dims, rank, value.n && value.integer);
    if (status) return status;
    out.fill = value.n ? known_number(&value, 0) : 0;
    return reader_define_known(r, 0, &out);
}

static bramble_status constant_list(struct net_reader *r, const Onnx__AttributeProto *attribute)
{
    bool integer = attribute->n_ints != 0, one = attribute->has_i || attribute->has_f;
    int64_t n = (int64_t)(integer ? attribute->n_ints : attribute->n_floats);
    struct known out;
    bramble_status status = fold_begin_output(r, &out, &n, one ? 0 : 1, integer || attribute->has_i);
    if (!status && !one) status = fold_reserve(r, &out);
    if (status) return status;
    out.fill = attribute->has_i ? (double)attribute->i : (double)attribute->f;
    for (int64_t i = 0; !one && i < n; i++)
        out.numbers[i] = integer ? (double)attribute->ints[i] : (double)attribute->floats[i];
    return reader_define_known(r, 0, &out);
}

static bramble_status fold_constant(struct net_reader *r)
{
    static const char *const names[] = {"value_float", "value_floats", "value_int", "value_ints"};
    const Onnx__AttributeProto *attribute = reader_attribute(r, "value");
    if (!attribute || !attribute->t) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            attribute = reader_attribute(r, names[i]);
            if (attribute) return constant_list(r, attribute);
        }
        return reader_refuse(r, "has no value that is read here; export tensors as \"value\"");
    }
    struct known out;
    const char *wrong = known_from_proto(&out, attribute->t);
    return wrong ? reader_refuse(r, "its value %s", wrong) : reader_define_known(r, 0, &out);
}

const struct fold_entry fold_arithmetic[] = {
    {"Add", fold_binary},        {"Sub", fold_binary},
    {"Mul", fold_binary},        {"Div", fold_binary},
    {"Pow", fold_binary},        {"Equal", fold_binary},
    {"Max", fold_binary},        {"Min", fold_binary},
    {"Where", fold_where},       {"Neg", fold_unary},
    {"Sqrt", fold_unary},        {"Floor", fold_unary},
    {"Ceil", fold_unary},        {"Reciprocal", fold_unary},
    {"Cast", fold_unary},        {"Concat", fold_concat},
    {"Expand", fold_expand},     {"ConstantOfShape", fold_constant_of_shape},
    {"Constant", fold_constant}, {NULL, NULL},
};
