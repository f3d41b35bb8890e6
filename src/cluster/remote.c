#include "cluster/remote.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/paths.h"
#include "cluster/child.h"
#include "cluster/remote_words.h"

/* A socket's path may have 108 bytes; ssh adds a slash, 40 letters, and 17 more while it makes one. */
enum { FOLDER_MAX = 48, SSH_MAX = 1024 };

static const double CONTROL_SECONDS = 1; /* for ssh's answer about a connection it shares */

struct remote {
    char folder[FOLDER_MAX];
    struct str ssh;       /* the program and its options, parted by blanks */
    pthread_mutex_t lock; /* of what follows */
    struct node *used;    /* host and user of nodes with a connection, maybe */
    size_t n_used;
};

void remote_quote(struct str *out, const char *word)
{
    str_puts(out, "'");
    for (const char *c = word; *c; c++) str_append(out, *c == '\'' ? "'\\''" : c, *c == '\'' ? 4 : 1);
    str_puts(out, "'");
}

void remote_quote_program(struct str *out, const char *path)
{
    bool home = strncmp(path, "~/", 2) == 0;
    if (home) str_puts(out, "\"$HOME\"/");
    remote_quote(out, home ? path + 2 : path);
}

/* A folder that only we may enter, with a short path. */
static bool make_folder(char folder[FOLDER_MAX])
{
    const char *bases[] = {getenv("XDG_RUNTIME_DIR"), "/tmp"};
    for (unsigned i = 0; i < 2; i++) {
        if (!bases[i] || bases[i][0] != '/' || strlen(bases[i]) + sizeof "/bramble-XXXXXX" > FOLDER_MAX)
            continue;
        if (strpbrk(bases[i], " \t%")) continue; /* ssh and mpiexec would cut or expand these */
        snprintf(folder, FOLDER_MAX, "%s/bramble-XXXXXX", bases[i]);
        if (mkdtemp(folder)) return true;
    }
    return false;
}

static void write_ssh(struct remote *remote)
{
    const char *chosen = getenv("BRAMBLE_SSH");
    str_puts(&remote->ssh, chosen && chosen[0] && strlen(chosen) < SSH_MAX ? chosen : "ssh");
    str_printf(&remote->ssh,
               " -o BatchMode=yes -o ControlMaster=auto -o ControlPath=%s/%%C -o ControlPersist=60"
               " -o ServerAliveInterval=4 -o ServerAliveCountMax=3",
               remote->folder);
}

bramble_status remote_open(struct remote **out, bramble_error *error)
{
    struct remote *remote = mem_zalloc(1, sizeof *remote);
    if (!remote) return error_memory(error, "connections");
    if (!make_folder(remote->folder)) {
        mem_free(remote);
        return error_set(error, BRAMBLE_ERR_IO, "/tmp: cannot make a folder for ssh's connections: %s",
                         strerror(errno));
    }
    pthread_mutex_init(&remote->lock, NULL);
    write_ssh(remote);
    if (remote->ssh.failed) {
        remote_close(remote);
        return error_memory(error, "connections");
    }
    *out = remote;
    return BRAMBLE_OK;
}

const char *remote_agent(const struct remote *remote)
{
    return remote->ssh.data;
}

static void used_fini(struct node *node)
{
    mem_free(node->host);
    mem_free(node->user);
}

static bool same_connection(const struct node *a, const struct node *b)
{
    return strcmp(a->host, b->host) == 0 && strcmp(a->user ? a->user : "", b->user ? b->user : "") == 0;
}

static bool note(struct remote *remote, const struct node *node)
{
    for (size_t i = 0; i < remote->n_used; i++)
        if (same_connection(&remote->used[i], node)) return true;
    struct node *used = mem_resize(remote->used, remote->n_used + 1, sizeof *used);
    if (!used) return false;
    remote->used = used;
    struct node copy = {.host = mem_strdup(node->host), .user = node->user ? mem_strdup(node->user) : NULL};
    if (!copy.host || (node->user && !copy.user)) {
        used_fini(&copy);
        return false;
    }
    used[remote->n_used++] = copy;
    return true;
}

bool remote_uses_ssh(const struct node *node)
{
    return !node->local && !node->slurm;
}

bool remote_note(struct remote *remote, const struct node *node)
{
    pthread_mutex_lock(&remote->lock);
    bool noted = note(remote, node);
    pthread_mutex_unlock(&remote->lock);
    return noted;
}

/* Starts asking ssh about a connection it shares; needs no network. */
static bool control_start(struct child *child, const struct remote *remote, const struct node *node,
                          const char *question)
{
    struct remote_words words;
    bool started = remote_words_control(&words, remote, node, question) &&
                   child_start(child, words.words, -1, NULL) == BRAMBLE_OK;
    remote_words_fini(&words);
    return started;
}

/* Its exit code, or 255 when it does not end by `until`. */
static int control_wait(struct child *child, double until)
{
    int exit_code = 255;
    const struct timespec pause = {.tv_nsec = 1000000};
    while (!child_ended(child, &exit_code) && clock_seconds() < until) nanosleep(&pause, NULL);
    child_stop(child);
    return exit_code;
}

bool remote_connected(struct remote *remote, const struct node *node)
{
    struct child child;
    return remote_uses_ssh(node) && control_start(&child, remote, node, "check") &&
           control_wait(&child, clock_seconds() + CONTROL_SECONDS) == 0;
}

void remote_forget(struct remote *remote, const struct node *node)
{
    struct child child;
    if (remote_uses_ssh(node) && control_start(&child, remote, node, "exit"))
        control_wait(&child, clock_seconds() + CONTROL_SECONDS);
}

/* All connections at once. */
static void end_connections(struct remote *remote)
{
    struct child *children = mem_zalloc(remote->n_used + 1, sizeof *children);
    for (size_t i = 0; i < remote->n_used && !children; i++) remote_forget(remote, &remote->used[i]);
    if (!children) return;
    for (size_t i = 0; i < remote->n_used; i++)
        if (!control_start(&children[i], remote, &remote->used[i], "exit"))
            children[i] = (struct child){0, -1, -1};
    double until = clock_seconds() + CONTROL_SECONDS;
    for (size_t i = 0; i < remote->n_used; i++) control_wait(&children[i], until);
    mem_free(children);
}

/* The process's command line names `folder`. */
static bool works_in(const char *process, const char *folder)
{
    char path[64], words[4096];
    snprintf(path, sizeof path, "/proc/%.20s/cmdline", process);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, words, sizeof words) : 0;
    if (fd >= 0) close(fd);
    return n > 0 && memmem(words, (size_t)n, folder, strlen(folder));
}

/* A connection that was still being opened when it was told to end does not hear of it, and would stay. The
 * folder's name is nobody else's. */
static void end_stragglers(const char *folder)
{
    DIR *dir = opendir("/proc");
    if (!dir) return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        int pid = atoi(entry->d_name);
        if (pid > 1 && pid != getpid() && works_in(entry->d_name, folder)) kill(pid, SIGKILL);
    }
    closedir(dir);
}

void remote_close(struct remote *remote)
{
    if (!remote) return;
    end_connections(remote);
    end_stragglers(remote->folder);
    folder_remove(remote->folder);
    for (size_t i = 0; i < remote->n_used; i++) used_fini(&remote->used[i]);
    mem_free(remote->used);
    str_fini(&remote->ssh);
    pthread_mutex_destroy(&remote->lock);
    mem_free(remote);
}
