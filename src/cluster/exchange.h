/*
 * Bytes from everybody to everybody, for work that members do together step by step. The engine does it over
 * MPI; tests do it between threads.
 */
#ifndef CLUSTER_EXCHANGE_H
#define CLUSTER_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

/* What one member sent. */
struct exchanged {
    const void *bytes;
    size_t length;
};

struct exchange {
    uint32_t rank, n_members; /* rank < n_members; the same members all along */
    void *context;
    /* Every member calls it as often as the others, from one thread. theirs[n_members] is filled with what
     * each sent, our own at [rank]; borrowed until the next call. An error means that the members cannot go
     * on together. */
    bramble_status (*all_gather)(void *context, const void *mine, size_t length, struct exchanged *theirs,
                                 bramble_error *error);
};

#endif
