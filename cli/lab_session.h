/* A lab (lab/README.md) for the length of one command, which then runs on its fastest node. */
#ifndef CLI_LAB_SESSION_H
#define CLI_LAB_SESSION_H

#include <bramble/bramble.h>

struct lab_session {
    char *scripts; /* the folder with up, run and down */
    char *folder;  /* the lab's own files */
    char *node;    /* its fastest node */
    bool is_up;
};

/* Starts the nodes of `file` (a name in the folder lab/, of the current folder or beside the program's), with
 * this program on them, and puts the lab's description into ~/lab.json of the node. */
bramble_status lab_session_begin(struct lab_session *lab, const char *file, bramble_error *error);

/* Runs words on the node; its output goes to ours. *exit_code is its own. Ctrl-C is passed on. */
bramble_status lab_session_run(struct lab_session *lab, const char *const *words, int *exit_code,
                               bramble_error *error);

/* Fetches a file of the node's home folder. */
bramble_status lab_session_fetch(struct lab_session *lab, const char *name, const char *path,
                                 bramble_error *error);

/* Removes the lab. One of zeros is fine. */
void lab_session_end(struct lab_session *lab);

#endif
