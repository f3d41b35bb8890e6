/*
 * NPY, NumPy's format for one array: a magic, a version (1.0, 2.0, 3.0), the length of a header, the header
 * (a Python dictionary of descr, fortran_order and shape), the values. (NumPy Enhancement Proposal 1.)
 */
#ifndef DATA_NPY_H
#define DATA_NPY_H

#include "data/dense.h"

/*
 * Reads the header and measures the array. What NumPy would not write is refused; so are arrays of texts,
 * objects, records and complex numbers, and single values.
 */
bramble_status npy_header_read(struct dense_array *out, struct byte_source *source, bramble_error *error);

#endif
