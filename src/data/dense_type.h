/* Decoding the numbers of dense arrays. */
#ifndef DATA_DENSE_TYPE_H
#define DATA_DENSE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dense_kind { DENSE_UNSIGNED = 0, DENSE_SIGNED, DENSE_FLOAT, DENSE_BOOL };

/* Unsigned and signed: 1, 2, 4 or 8 bytes; float: 2 (IEEE half), 4 or 8; bool: 1. */
struct dense_type {
    enum dense_kind kind;
    uint8_t size;
    bool big_endian;
};

/* n values at `bytes` as doubles. */
void dense_type_decode(struct dense_type type, const uint8_t *bytes, size_t n, double *out);

/* True when the values are bytes already, as a table stores them. */
bool dense_type_is_byte(struct dense_type type);

#endif
