/* Which rows of a table a network is trained on, and which judge it. */
#ifndef TRAIN_NET_ROWS_H
#define TRAIN_NET_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

/* Numbers of rows, rising. */
struct net_rows {
    uint32_t *train, *validation; /* validation begins where train ends */
    uint32_t n_train, n_validation;
};

/* Draws max_samples (0: all) of n_rows, and of those the share `validation` (0: none, else at least one row
 * on each side). The seed decides. O(n_rows). */
bramble_status net_rows_draw(struct net_rows *out, size_t n_rows, uint32_t max_samples, double validation,
                             uint64_t seed, bramble_error *error);
void net_rows_fini(struct net_rows *rows);

#endif
