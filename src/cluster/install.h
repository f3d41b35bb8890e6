/*
 * bramble's program onto nodes, over ssh: to ~/.local/bin/bramble, or where the cluster file says the program
 * is. It appears there whole, checked by its SHA-256 and able to start, or not at all.
 */
#ifndef CLUSTER_INSTALL_H
#define CLUSTER_INSTALL_H

#include "cluster/remote.h"

enum install_outcome { INSTALL_DONE, INSTALL_THERE, INSTALL_FAILED };

struct install_result {
    enum install_outcome outcome;
    char arch[16];  /* the node's; empty when it did not answer */
    char text[256]; /* one line: where it is now, or what went wrong and what to do */
};

/* Names a program file's processor as uname -m does, from its ELF header; NULL when it is no program. */
const char *program_arch(const char *path);

/*
 * Copies to each node the first of programs[] that is made for its processor, unless that very one is there.
 * A local node is left alone. results: one a node. Fails only when nothing could be begun here.
 */
bramble_status install_on_nodes(struct remote *remote, const struct node *nodes, size_t n,
                                const char *const *programs, size_t n_programs,
                                struct install_result *results, bool (*go_on)(void *context), void *context,
                                bramble_error *error);

#endif
