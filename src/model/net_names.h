/* What is known under each name of an ONNX graph: hashed, names borrowed. */
#ifndef MODEL_NET_NAMES_H
#define MODEL_NET_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct name_entry {
    const char *name; /* NULL: free */
    uint32_t number;
};

struct net_names {
    struct name_entry *entries;
    size_t room, n; /* room is a power of 2 */
};

bool names_init(struct net_names *names, size_t expected); /* false: out of memory */
void names_fini(struct net_names *names);

/* NULL: not there. */
const struct name_entry *names_find(const struct net_names *names, const char *name);
/* False: no memory. `name` must not be there yet. */
bool names_add(struct net_names *names, const char *name, uint32_t number);
/* Whether it is there or not. */
bool names_set(struct net_names *names, const char *name, uint32_t number);

#endif
