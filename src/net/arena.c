#include "net/arena.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SHARED_TRIES = 16 }; /* places of equal size that are looked at before a new one is taken */

static bool meet_widely(const struct arena_item *a, const struct arena_item *b)
{
    return a->wide_begin <= b->wide_end && b->wide_begin <= a->wide_end;
}

static bool meet(const struct arena_item *a, const struct arena_item *b)
{
    return a->begin <= b->end && b->begin <= a->end;
}

/* Largest first; among equals the order of the items. */
static int compare(const void *a, const void *b)
{
    const struct arena_item *x = *(struct arena_item *const *)a, *y = *(struct arena_item *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x < y ? -1 : x > y;
}

/* The lowest gap among those that live in the same phases. `placed` is in the order of offsets. */
static size_t find_gap(struct arena_item *const *placed, size_t n, const struct arena_item *item)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        const struct arena_item *other = placed[i];
        if (!meet_widely(item, other)) continue;
        if (other->offset >= at && other->offset - at >= item->bytes) break;
        if (other->offset + other->bytes > at) at = other->offset + other->bytes;
    }
    return at;
}

/* Whether the item can lie exactly where `twin`, as large, does. */
static bool can_share(struct arena_item *const *placed, size_t n, const struct arena_item *item,
                      const struct arena_item *twin)
{
    for (size_t i = 0; i < n && placed[i]->offset < twin->offset + twin->bytes; i++) {
        const struct arena_item *other = placed[i];
        if (other->offset + other->bytes <= twin->offset || !meet_widely(item, other)) continue;
        if (other->offset != twin->offset || other->bytes != item->bytes || meet(item, other)) return false;
    }
    return true;
}

/* A place of equal size below `limit`, else limit. */
static size_t find_shared(struct arena_item *const *placed, size_t n, const struct arena_item *item,
                          size_t limit)
{
    size_t tried = SIZE_MAX;
    int tries = 0;
    for (size_t i = 0; i < n && placed[i]->offset < limit && tries < SHARED_TRIES; i++) {
        const struct arena_item *twin = placed[i];
        if (twin->bytes != item->bytes || twin->offset == tried) continue;
        if (can_share(placed, n, item, twin)) return twin->offset;
        tried = twin->offset;
        tries++;
    }
    return limit;
}

static void insert(struct arena_item **placed, size_t n, struct arena_item *item)
{
    size_t at = n;
    while (at > 0 && placed[at - 1]->offset > item->offset) at--;
    memmove(placed + at + 1, placed + at, (n - at) * sizeof(*placed));
    placed[at] = item;
}

static bool place_apart(struct arena_item *items, size_t n, size_t *bytes)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        items[i].offset = at;
        if (__builtin_add_overflow(at, items[i].bytes, &at)) return false;
    }
    *bytes = at;
    return true;
}

bool arena_place(struct arena_item *items, size_t n, size_t *bytes)
{
    size_t apart; /* if all fit beside each other, no sum below overflows */
    if (!place_apart(items, n, &apart)) return false;
    *bytes = apart;
    if (n > ARENA_ITEMS_MAX) return true;
    struct arena_item **order = mem_alloc(n, sizeof(*order)), **placed = mem_alloc(n, sizeof(*placed));
    if (order && placed) {
        *bytes = 0;
        for (size_t i = 0; i < n; i++) order[i] = &items[i];
        qsort(order, n, sizeof(*order), compare);
        for (size_t i = 0; i < n; i++) {
            order[i]->offset = find_shared(placed, i, order[i], find_gap(placed, i, order[i]));
            insert(placed, i, order[i]);
            size_t end = order[i]->offset + order[i]->bytes;
            if (end > *bytes) *bytes = end;
        }
    }
    bool done = order && placed;
    mem_free(order);
    mem_free(placed);
    return done;
}
