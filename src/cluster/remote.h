/*
 * Commands on other machines, through the person's own ssh: keys, agent and ~/.ssh/config as they are,
 * never a password of ours (BatchMode). Connections are opened once and shared (ssh's ControlMaster, sockets
 * in a private folder), so that a second command, or mpiexec's, takes milliseconds. A local node's command
 * runs without ssh; one of a Slurm job runs through srun (srun.h).
 *
 * The environment variable BRAMBLE_SSH may name another ssh with options ("ssh -F lab/ssh_config"); it is cut
 * at blanks. Several threads may use one struct remote.
 */
#ifndef CLUSTER_REMOTE_H
#define CLUSTER_REMOTE_H

#include "base/str.h"
#include "cluster/cluster.h"

struct remote;

/* Makes a private folder for the sockets. */
bramble_status remote_open(struct remote **out, bramble_error *error);
/* Ends the shared connections and removes the folder. NULL is fine. */
void remote_close(struct remote *remote);

/* The command line that mpiexec's plm_rsh_agent takes to use the same connections; borrowed. */
const char *remote_agent(const struct remote *remote);

/* Ends the shared connection to a node that stopped answering, so that the next command opens a new one. */
void remote_forget(struct remote *remote, const struct node *node);

enum remote_outcome {
    REMOTE_DONE,        /* it ran; see exit_code */
    REMOTE_UNREACHABLE, /* no route, refused, or no answer by the deadline */
    REMOTE_UNKNOWN_HOST,
    REMOTE_HOST_KEY,      /* changed, or not yet known */
    REMOTE_NOT_PERMITTED, /* no key of ours was accepted */
    REMOTE_GONE,          /* the Slurm job is over, and with it our way to the node */
    REMOTE_TIMED_OUT,     /* reached, but the command did not end by the deadline */
    REMOTE_CANCELLED,
};

struct remote_command {
    const struct node *node;
    const char *command; /* for /bin/sh there, whatever shell the person has; words made by remote_quote */
    int input;           /* file descriptor to be its standard input, or -1 */

    enum remote_outcome outcome; /* from here on: filled in */
    int exit_code;               /* 128 + signal when a signal ended it; over ssh a 255 becomes 254 */
    double seconds;              /* that it took */
    double ended;                /* when, by our clock: seconds since 1970 */
    struct str output, errors;   /* str_fini them; at most 1 MB each is kept */
};

/* Runs all n at once and returns when the last has ended or `deadline_seconds` are over. go_on (may be NULL)
 * is asked some times a second; false ends them all. Fails only when nothing could be started here. `remote`
 * may be NULL when all nodes are local. */
bramble_status remote_run(struct remote *remote, struct remote_command *commands, size_t n,
                          double deadline_seconds, bool (*go_on)(void *context), void *context,
                          bramble_error *error);

/* Appends `word` so that a shell takes it as one word, whatever is in it. */
void remote_quote(struct str *out, const char *word);

/* The program of a node as a shell's word: "~/" at its front stays the home folder there. */
void remote_quote_program(struct str *out, const char *path);

/* One line that says what went wrong with a command and what to do, to follow the node's name, into buffer.
 */
void remote_explain(const struct remote_command *command, char *buffer, size_t size);

#endif
