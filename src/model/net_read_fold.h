/* What the files that compute with known tensors share. */
#ifndef MODEL_NET_READ_FOLD_H
#define MODEL_NET_READ_FOLD_H

#include "model/net_reader.h"

struct fold_entry {
    const char *op_type;
    net_read_fn *fold;
};

extern const struct fold_entry fold_arithmetic[]; /* ends with NULLs */

/* Whether all numbers are the same one; looks at not too many. */
bool fold_uniform(const struct known *known, double *number);
/* An output with dimensions and no numbers yet: all of them are its `fill`, 0. */
bramble_status fold_begin_output(struct net_reader *r, struct known *out, const int64_t *dims, uint32_t rank,
                                 bool integer);
bramble_status fold_reserve(struct net_reader *r, struct known *out);
/* Fills out: number (i, j, ...) is that of `in` at base + i strides[0] + j strides[1] + ... */
bramble_status fold_walk(struct net_reader *r, struct known *out, const struct known *in,
                         const int64_t *strides, int64_t base);
/* Row-major. */
void fold_strides(const struct known *known, int64_t *strides);

/* What a Slice node takes of each axis; checked against dims. */
struct reader_slices {
    int64_t start[KNOWN_RANK_MAX], step[KNOWN_RANK_MAX], length[KNOWN_RANK_MAX];
};
bramble_status reader_slices(struct net_reader *r, const int64_t *dims, uint32_t rank,
                             struct reader_slices *out);

#endif
