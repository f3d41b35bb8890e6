/* Command lines that reach nodes, and what ssh's last words mean. */
#ifndef CLUSTER_REMOTE_WORDS_H
#define CLUSTER_REMOTE_WORDS_H

#include "cluster/remote.h"

enum { REMOTE_WORDS_MAX = 48 };

/* A command line, NULL at the end. */
struct remote_words {
    char *words[REMOTE_WORDS_MAX + 1];
    size_t n;
    char *agent,
        *command; /* what the words point into, besides the node and text that stands in the program */
    char timeout[32];
};

/* `command` on a node, or by /bin/sh here for a local one; connect_seconds bounds the way to its sshd, where
 * it has one. remote_words_fini either way; false when out of memory. */
bool remote_words_run(struct remote_words *out, const struct remote *remote, const struct node *node,
                      const char *command, double connect_seconds);

/* ssh's own word with a shared connection: "check" or "exit". The same rules. */
bool remote_words_control(struct remote_words *out, const struct remote *remote, const struct node *node,
                          const char *question);
void remote_words_fini(struct remote_words *words);

/* What an ssh that ended by itself says: REMOTE_DONE when the command's own exit code came through. */
enum remote_outcome remote_classify(int exit_code, const struct str *errors);

bool remote_uses_ssh(const struct node *node);

/* Keeps in mind that there may be a connection to the node, for remote_close. False when out of memory. */
bool remote_note(struct remote *remote, const struct node *node);

/* True when a shared connection to the node stands. */
bool remote_connected(struct remote *remote, const struct node *node);

#endif
