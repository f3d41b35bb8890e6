/* Messages that wait in line; not for several threads. */
#ifndef CLUSTER_LETTERS_H
#define CLUSTER_LETTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct letter {
    uint32_t member; /* whom it is for, or from */
    uint8_t *message;
    size_t length;
};

struct letters {
    struct letter *line; /* n, the first at `begin`, round and round */
    size_t begin, n, capacity;
};

void letters_fini(struct letters *letters); /* zeroed ones too; their messages as well */

/* At the end; the message (mem_alloc) becomes theirs. False: out of memory, and it stays the caller's. */
bool letters_put(struct letters *letters, const struct letter *letter);
/* The first, which becomes the caller's; false: there is none. */
bool letters_take(struct letters *letters, struct letter *out);
/* How many are this member's. */
size_t letters_of(const struct letters *letters, uint32_t member);

#endif
