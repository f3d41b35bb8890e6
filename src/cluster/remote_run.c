/* Commands on all nodes at once: one child each, one loop that reads what they say. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "cluster/child.h"
#include "cluster/remote_words.h"
#include "cluster/srun.h"

enum { KEPT_MAX = 1 << 20, CHUNK = 1 << 16 };
enum {
    TICK_MS = 50,
    TICK_CLOSED_MS = 2
}; /* the latter while a child that closed its pipes is about to end */

struct run {
    struct remote *remote;
    struct remote_command *commands;
    struct child *children;
    struct pollfd *polled; /* two a child: output, errors */
    size_t n, n_running;
    double start;
};

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* What is there to read, kept as far as there is room; closes the end at its end. */
static void drain(int *fd, struct str *kept)
{
    char chunk[CHUNK];
    while (*fd >= 0) {
        ssize_t n = read(*fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0) {
            close(*fd);
            *fd = -1;
            return;
        }
        size_t room = KEPT_MAX > kept->length ? KEPT_MAX - kept->length : 0;
        str_append(kept, chunk, (size_t)n < room ? (size_t)n : room);
    }
}

static void end(struct run *run, size_t i, enum remote_outcome outcome, int exit_code)
{
    struct remote_command *command = &run->commands[i];
    child_stop(&run->children[i]);
    command->outcome = outcome;
    command->exit_code = exit_code;
    command->seconds = clock_seconds() - run->start;
    command->ended = wall_seconds();
    run->n_running--;
}

/* Reads what child i says, and takes leave of it when it has ended. */
static void look_after(struct run *run, size_t i)
{
    struct child *child = &run->children[i];
    struct remote_command *command = &run->commands[i];
    int exit_code;
    if (!child->pid) return;
    drain(&child->output, &command->output);
    drain(&child->errors, &command->errors);
    if (!child_ended(child, &exit_code)) return;
    drain(&child->output, &command->output);
    drain(&child->errors, &command->errors);
    enum remote_outcome outcome = REMOTE_DONE;
    if (remote_uses_ssh(command->node))
        outcome = remote_classify(exit_code, &command->errors);
    else if (!command->node->local)
        outcome = srun_classify(exit_code, &command->errors);
    end(run, i, outcome, exit_code);
}

static void wait_for_news(struct run *run, double seconds)
{
    int tick = seconds * 1e3 < TICK_MS ? (int)(seconds * 1e3) + 1 : TICK_MS;
    for (size_t i = 0; i < run->n; i++) {
        const struct child *child = &run->children[i];
        run->polled[2 * i] = (struct pollfd){.fd = child->output, .events = POLLIN};
        run->polled[2 * i + 1] = (struct pollfd){.fd = child->errors, .events = POLLIN};
        if (child->pid && child->output < 0 && child->errors < 0) tick = TICK_CLOSED_MS;
    }
    poll(run->polled, 2 * run->n, tick);
}

/* Ends what still runs. A node that was never reached is told apart from one whose command takes too long. */
static void end_all(struct run *run, bool cancelled)
{
    for (size_t i = 0; i < run->n; i++) {
        if (!run->children[i].pid) continue;
        const struct node *node = run->commands[i].node;
        bool reached = node->local || cancelled || remote_connected(run->remote, node);
        end(run, i, cancelled ? REMOTE_CANCELLED : reached ? REMOTE_TIMED_OUT : REMOTE_UNREACHABLE, 255);
    }
}

static bramble_status start(struct run *run, size_t i, double deadline_seconds, bramble_error *error)
{
    struct remote_command *command = &run->commands[i];
    struct remote_words words = {0};
    bramble_status status;
    if (!remote_words_run(&words, run->remote, command->node, command->command, deadline_seconds * 0.8) ||
        (remote_uses_ssh(command->node) && !remote_note(run->remote, command->node)))
        status = error_memory(error, "a command");
    else
        status = child_start(&run->children[i], words.words, command->input, error);
    if (!status) run->n_running++;
    remote_words_fini(&words);
    return status;
}

static bramble_status loop(struct run *run, double deadline_seconds, bool (*go_on)(void *context),
                           void *context, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    for (size_t i = 0; i < run->n && !status; i++) status = start(run, i, deadline_seconds, error);
    bool cancelled = status != BRAMBLE_OK;
    while (run->n_running && !cancelled) {
        double left = run->start + deadline_seconds - clock_seconds();
        if (left <= 0) break;
        wait_for_news(run, left);
        for (size_t i = 0; i < run->n; i++) look_after(run, i);
        cancelled = run->n_running && go_on && !go_on(context);
    }
    end_all(run, cancelled);
    return status;
}

bramble_status remote_run(struct remote *remote, struct remote_command *commands, size_t n,
                          double deadline_seconds, bool (*go_on)(void *context), void *context,
                          bramble_error *error)
{
    struct run run = {.remote = remote, .commands = commands, .n = n, .start = clock_seconds()};
    run.children = mem_alloc(n, sizeof *run.children);
    run.polled = mem_alloc(2 * n, sizeof *run.polled);
    bramble_status status = BRAMBLE_OK;
    if (!run.children || !run.polled) status = error_memory(error, "commands on nodes");
    for (size_t i = 0; i < n && !status; i++) {
        run.children[i] = (struct child){0, -1, -1};
        commands[i].outcome = REMOTE_CANCELLED;
        commands[i].exit_code = 255;
        commands[i].seconds = 0;
        commands[i].output = commands[i].errors = (struct str){0};
    }
    if (!status) status = loop(&run, deadline_seconds, go_on, context, error);
    for (size_t i = 0; i < n && !status; i++)
        if (commands[i].output.failed || commands[i].errors.failed)
            status = error_memory(error, "what a node says");
    mem_free(run.children);
    mem_free(run.polled);
    return status;
}
