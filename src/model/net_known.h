/*
 * Tensors whose numbers are known before a network runs: a file's initialisers and constants, and what is
 * computed from them and from shapes. Exporters describe a reshape as a small program over whole numbers
 * (Shape, Gather, Concat ...), which reading runs once.
 */
#ifndef MODEL_NET_KNOWN_H
#define MODEL_NET_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

#include "model/onnx.pb-c.h"

enum { KNOWN_RANK_MAX = 8 };

struct known {
    uint32_t rank;
    uint32_t dim[KNOWN_RANK_MAX];
    size_t n;     /* numbers in it */
    bool integer; /* whole numbers or truth values */
    bool trained; /* made of an initialiser: training changes it where an operator has weights */
    const Onnx__TensorProto *proto; /* where its numbers lie, or NULL; borrowed */
    double *numbers;                /* where they lie else, or NULL; owned */
    double fill;                    /* what all are when both are NULL */
};

/* What is wrong with the tensor, or NULL: then *out borrows from it. `external` data are refused. */
const char *known_from_proto(struct known *out, const Onnx__TensorProto *proto);
void known_fini(struct known *known);

/* Number i < n. O(1). Whole numbers beyond 2^53 come rounded. */
double known_number(const struct known *known, size_t i);
/* The same cut to a whole number within +-2^53; NaN is 0. */
int64_t known_integer(const struct known *known, size_t i);

/* Sets rank, dims and n, checked; false: too many numbers. */
bool known_set_shape(struct known *known, const int64_t *dims, uint32_t rank);

/* Room for n numbers; false: out of memory. */
bool known_reserve(struct known *known);

#endif
