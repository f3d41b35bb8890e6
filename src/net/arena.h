/*
 * Where tensors lie in one block of memory when those that do not live at the same time may share a place.
 * Greedy by size: the largest first, each at the lowest place that is free for as long as it lives, as
 * Pisarchyk and Lee found it hard to beat ("Efficient memory management for deep neural net inference",
 * 2020).
 */
#ifndef NET_ARENA_H
#define NET_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Lives are intervals, both ends included. A tensor of a whole batch is worked on by several threads at once,
 * each at another step of the same phase: so it shares bytes with another only if they live in different
 * phases (wide_begin to wide_end), except that one of the same size may take its very place between two steps
 * (begin to end): there a thread meets no microbatch but its own.
 */
struct arena_item {
    size_t bytes; /* a multiple of 64 */
    uint64_t begin, end, wide_begin, wide_end;
    size_t offset; /* out */
};

enum { ARENA_ITEMS_MAX = 8192 }; /* more share nothing: looking for places takes items^2 */

/* Fills the offsets; *bytes is what all take together. False: out of memory, or more than a size_t counts. */
bool arena_place(struct arena_item *items, size_t n, size_t *bytes);

#endif
