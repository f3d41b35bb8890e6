/* A lab's own description of its nodes (lab/README.md), for commands that run on one of them. */
#ifndef CLI_EMULATED_H
#define CLI_EMULATED_H

#include <bramble/bramble.h>

/* n machines, in the order of the lab's file; `fastest` is the first of the fastest ones. */
struct emulated {
    size_t n, fastest;
    bramble_scaling_machine *machines; /* their texts are ours */
};

/* Reads a lab.json. emulated_fini it; one of zeros is fine there. */
bramble_status emulated_read(struct emulated *out, const char *path, bramble_error *error);
void emulated_fini(struct emulated *emulated);

/* The cluster of all its nodes. */
bramble_status emulated_cluster(bramble_cluster **out, const struct emulated *emulated, bramble_error *error);

#endif
