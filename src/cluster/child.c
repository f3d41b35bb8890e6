#include "cluster/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

extern char **environ;

static void close_end(int *fd)
{
    if (*fd >= 0) close(*fd);
    *fd = -1;
}

/* Its own process group, no signal blocked, and those that the library's program may ignore as usual. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGINT);
    sigaddset(&usual, SIGTERM);
    sigaddset(&usual, SIGHUP);
    int failure = posix_spawnattr_setsigmask(attributes, &none);
    if (!failure) failure = posix_spawnattr_setsigdefault(attributes, &usual);
    if (!failure) failure = posix_spawnattr_setpgroup(attributes, 0);
    if (!failure)
        failure = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                           POSIX_SPAWN_SETPGROUP);
    return failure;
}

static int set_files(posix_spawn_file_actions_t *files, int input, int output, int errors)
{
    int failure = input >= 0 ? posix_spawn_file_actions_adddup2(files, input, 0)
                             : posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
    if (!failure) failure = posix_spawn_file_actions_adddup2(files, output, 1);
    if (!failure) failure = posix_spawn_file_actions_adddup2(files, errors, 2);
    return failure;
}

static int spawn(pid_t *pid, char *const *words, int input, int output, int errors)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int failure = posix_spawn_file_actions_init(&files);
    if (failure) return failure;
    failure = posix_spawnattr_init(&attributes);
    if (!failure) {
        failure = set_files(&files, input, output, errors);
        if (!failure) failure = set_attributes(&attributes);
        if (!failure) failure = posix_spawnp(pid, words[0], &files, &attributes, words, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return failure;
}

bramble_status child_start(struct child *child, char *const *words, int input, bramble_error *error)
{
    int output[2] = {-1, -1}, errors[2] = {-1, -1};
    pid_t pid = 0;
    int failure = pipe2(output, O_CLOEXEC) != 0 || pipe2(errors, O_CLOEXEC) != 0 ? errno : 0;
    if (!failure) failure = spawn(&pid, words, input, output[1], errors[1]);
    close_end(&output[1]);
    close_end(&errors[1]);
    if (!failure) {
        fcntl(output[0], F_SETFL, O_NONBLOCK);
        fcntl(errors[0], F_SETFL, O_NONBLOCK);
        *child = (struct child){pid, output[0], errors[0]};
        return BRAMBLE_OK;
    }
    close_end(&output[0]);
    close_end(&errors[0]);
    if (failure == ENOENT)
        return error_set(error, BRAMBLE_ERR_IO, "%s: not installed here; sudo apt install openssh-client",
                         words[0]);
    return error_set(error, BRAMBLE_ERR_IO, "%s: cannot start it: %s", words[0], strerror(failure));
}

bool child_ended(struct child *child, int *exit_code)
{
    int status;
    if (!child->pid) return true;
    pid_t waited = waitpid(child->pid, &status, WNOHANG);
    if (waited == 0 || (waited < 0 && errno == EINTR)) return false;
    *exit_code = waited < 0            ? 255 /* somebody else waited for it */
                 : WIFSIGNALED(status) ? 128 + WTERMSIG(status)
                                       : WEXITSTATUS(status);
    child->pid = 0;
    return true;
}

void child_stop(struct child *child)
{
    if (child->pid) {
        kill(-child->pid, SIGKILL);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) continue;
        child->pid = 0;
    }
    close_end(&child->output);
    close_end(&child->errors);
}
