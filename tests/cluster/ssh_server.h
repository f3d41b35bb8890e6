/*
 * A real sshd on the loopback address, with keys and an ssh configuration made for the test, and nothing of
 * the person's own. Names that `ssh` knows then:
 *
 *   good      answers               stranger   its host key is not known    wrong-key   our key is not
 * accepted second    answers too           changed    its host key was another     closed      nobody listens
 * there
 */
#ifndef TESTS_SSH_SERVER_H
#define TESTS_SSH_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "scratch.h"

struct ssh_server {
    struct scratch folder;
    pid_t pid;
    int port;
    bool made_run_folder;
};

/* Starts it and sets BRAMBLE_SSH; false, with a word on why, when this machine has no sshd. */
bool ssh_server_start(struct ssh_server *server);
void ssh_server_stop(struct ssh_server *server);

#endif
