/*
 * Bytes from everybody to everybody, for work that members do together step by step, and letters from one to
 * another, for work that each does at its own pace. The engine does it over MPI; tests do it between threads.
 */
#ifndef CLUSTER_EXCHANGE_H
#define CLUSTER_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

/* What one member sent, or is sent. */
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
    /* The same with bytes of their own for each: mine[m] goes to member m, theirs[m] is what m had for us;
     * theirs[rank] is mine[rank]. Counts as a call of all_gather does. */
    bramble_status (*all_to_all)(void *context, const struct exchanged *mine, struct exchanged *theirs,
                                 bramble_error *error);
    /* A letter for one member, ourselves too, which takes it with `receive` from the same way; those of one
     * sender come in order. Does not wait. One thread sends, another may receive. */
    bramble_status (*send)(void *context, uint32_t member, const void *bytes, size_t length,
                           bramble_error *error);
    /* Waits for the next letter to us, whoever sent it; borrowed until the next call. */
    bramble_status (*receive)(void *context, uint32_t *from, struct exchanged *letter, bramble_error *error);
    /* From now on all exchanges fail here, on every way to these members, and so does one that another thread
     * is in. */
    void (*leave)(void *context);
};

#endif
