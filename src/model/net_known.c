#include "model/net_known.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { DIM_MAX = INT32_MAX };

typedef Onnx__TensorProto tensor;

static size_t element_bytes(int type)
{
    switch (type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT32: return 4;
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT64: return 8;
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16:
    case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16:
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT16:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT16: return 2;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT8:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT8:
    case ONNX__TENSOR_PROTO__DATA_TYPE__BOOL: return 1;
    default: return 0;
    }
}

static bool is_integer(int type)
{
    return type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT && type != ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE &&
           type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16 && type != ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16;
}

/* Numbers in the typed field that a type's data are in when they are not raw. */
static size_t typed_count(const tensor *proto)
{
    switch (proto->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT: return proto->n_float_data;
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE: return proto->n_double_data;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64: return proto->n_int64_data;
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT32:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT64: return proto->n_uint64_data;
    default: return proto->n_int32_data;
    }
}

bool known_set_shape(struct known *known, const int64_t *dims, uint32_t rank)
{
    size_t n = 1;
    if (rank > KNOWN_RANK_MAX) return false;
    for (uint32_t d = 0; d < rank; d++) {
        if (dims[d] < 0 || dims[d] > DIM_MAX || __builtin_mul_overflow(n, (size_t)dims[d], &n)) return false;
        known->dim[d] = (uint32_t)dims[d];
    }
    if (n > PTRDIFF_MAX / sizeof(double)) return false;
    known->rank = rank;
    known->n = n;
    return true;
}

const char *known_from_proto(struct known *out, const tensor *proto)
{
    struct known known = {.proto = proto};
    size_t bytes = element_bytes(proto->data_type);
    if (!bytes) return "has numbers of a type that is not read here (float, double, float16, integers are)";
    if (proto->has_data_location && proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
        return "keeps its numbers in another file; export the network into one file";
    if (proto->n_dims > KNOWN_RANK_MAX) return "has more than 8 dimensions";
    if (!known_set_shape(&known, proto->dims, (uint32_t)proto->n_dims))
        return "has dimensions that no tensor has";
    size_t n = proto->has_raw_data && proto->raw_data.len ? proto->raw_data.len / bytes : typed_count(proto);
    if (n != known.n || (proto->has_raw_data && proto->raw_data.len % bytes))
        return "has not as many numbers as its dimensions say";
    known.integer = is_integer(proto->data_type);
    *out = known;
    return NULL;
}

void known_fini(struct known *known)
{
    mem_free(known->numbers);
    known->numbers = NULL;
}

bool known_reserve(struct known *known)
{
    known->numbers = mem_alloc(known->n, sizeof *known->numbers);
    return known->numbers != NULL;
}

/* sign 1, exponent 5, fraction 10. */
static double half_number(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 31 ? (fraction ? NAN : INFINITY)
                  : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                 : ldexp(fraction, -24);
    return bits >> 15 ? -size : size;
}

static double single_number(uint32_t bits)
{
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static uint64_t raw_bits(const uint8_t *bytes, size_t n)
{
    uint64_t bits = 0;
    for (size_t b = 0; b < n; b++) bits |= (uint64_t)bytes[b] << 8 * b;
    return bits;
}

static double raw_number(const tensor *proto, size_t i)
{
    size_t n = element_bytes(proto->data_type);
    uint64_t bits = raw_bits(proto->raw_data.data + i * n, n);
    double number;
    switch (proto->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT: return single_number((uint32_t)bits);
    case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16: return single_number((uint32_t)bits << 16);
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16: return half_number((uint16_t)bits);
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE: memcpy(&number, &bits, sizeof number); return number;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64: return (double)(int64_t)bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32: return (int32_t)bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT16: return (int16_t)bits;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT8: return (int8_t)bits;
    default: return (double)bits;
    }
}

static double typed_number(const tensor *proto, size_t i)
{
    switch (proto->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT: return proto->float_data[i];
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE: return proto->double_data[i];
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64: return (double)proto->int64_data[i];
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT32:
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT64: return (double)proto->uint64_data[i];
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16: return half_number((uint16_t)proto->int32_data[i]);
    case ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16: return single_number((uint32_t)proto->int32_data[i] << 16);
    default: return proto->int32_data[i];
    }
}

double known_number(const struct known *known, size_t i)
{
    if (known->numbers) return known->numbers[i];
    if (!known->proto) return known->fill;
    return known->proto->has_raw_data && known->proto->raw_data.len ? raw_number(known->proto, i)
                                                                    : typed_number(known->proto, i);
}

int64_t known_integer(const struct known *known, size_t i)
{
    static const double largest = 9007199254740992.0;
    double number = known_number(known, i);
    if (!(number == number)) return 0;
    return (int64_t)(number > largest ? largest : number < -largest ? -largest : number);
}
