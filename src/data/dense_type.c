#include "data/dense_type.h"

#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

bool dense_type_is_byte(struct dense_type type)
{
    return type.size == 1 && type.kind == DENSE_UNSIGNED;
}

/* IEEE 754 binary16. */
static double half_value(uint64_t bits)
{
    int exponent = bits >> 10 & 31;
    double fraction = (double)(bits & 1023), value;
    if (exponent == 31)
        value = fraction > 0 ? NAN : INFINITY;
    else
        value = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);
    return bits >> 15 ? -value : value;
}

INLINE uint64_t load(const uint8_t *bytes, unsigned size, bool big_endian)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < size; i++) bits |= (uint64_t)bytes[i] << 8 * (big_endian ? size - 1 - i : i);
    return bits;
}

INLINE double float_value(uint64_t bits, unsigned size)
{
    if (size == 2) return half_value(bits);
    if (size == 4) {
        uint32_t low = (uint32_t)bits;
        float single;
        memcpy(&single, &low, sizeof single);
        return single;
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE double value_at(const uint8_t *bytes, enum dense_kind kind, unsigned size, bool big_endian)
{
    uint64_t bits = load(bytes, size, big_endian);
    unsigned above = 64 - 8 * size;
    switch (kind) {
    case DENSE_UNSIGNED: return (double)bits;
    case DENSE_SIGNED: return (double)((int64_t)(bits << above) >> above);
    case DENSE_FLOAT: return float_value(bits, size);
    case DENSE_BOOL: return bits != 0;
    }
    return 0;
}

/* Kind and size are constants where this is used, so that each use is its own tight loop. */
INLINE void decode(const uint8_t *bytes, size_t n, enum dense_kind kind, unsigned size, bool big_endian,
                   double *out)
{
    if (big_endian)
        for (size_t i = 0; i < n; i++) out[i] = value_at(bytes + i * size, kind, size, true);
    else
        for (size_t i = 0; i < n; i++) out[i] = value_at(bytes + i * size, kind, size, false);
}

void dense_type_decode(struct dense_type type, const uint8_t *bytes, size_t n, double *out)
{
    bool big = type.big_endian;
    switch (type.kind << 4 | type.size) {
    case DENSE_UNSIGNED << 4 | 1: decode(bytes, n, DENSE_UNSIGNED, 1, big, out); break;
    case DENSE_UNSIGNED << 4 | 2: decode(bytes, n, DENSE_UNSIGNED, 2, big, out); break;
    case DENSE_UNSIGNED << 4 | 4: decode(bytes, n, DENSE_UNSIGNED, 4, big, out); break;
    case DENSE_UNSIGNED << 4 | 8: decode(bytes, n, DENSE_UNSIGNED, 8, big, out); break;
    case DENSE_SIGNED << 4 | 1: decode(bytes, n, DENSE_SIGNED, 1, big, out); break;
    case DENSE_SIGNED << 4 | 2: decode(bytes, n, DENSE_SIGNED, 2, big, out); break;
    case DENSE_SIGNED << 4 | 4: decode(bytes, n, DENSE_SIGNED, 4, big, out); break;
    case DENSE_SIGNED << 4 | 8: decode(bytes, n, DENSE_SIGNED, 8, big, out); break;
    case DENSE_FLOAT << 4 | 2: decode(bytes, n, DENSE_FLOAT, 2, big, out); break;
    case DENSE_FLOAT << 4 | 4: decode(bytes, n, DENSE_FLOAT, 4, big, out); break;
    case DENSE_FLOAT << 4 | 8: decode(bytes, n, DENSE_FLOAT, 8, big, out); break;
    case DENSE_BOOL << 4 | 1: decode(bytes, n, DENSE_BOOL, 1, big, out); break;
    default: break;
    }
}
