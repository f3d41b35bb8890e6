#include "cluster/link.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cluster/child.h"
#include "cluster/remote_words.h"

enum { ROUNDS = 9, WARM_BYTES = 1 << 18, CHUNK = 1 << 15, SEND_MAX = 32 << 20 };
static const double SEND_SECONDS = 0.4; /* that data flow, however slow the link is */

/* A command on the node with our end of a socket as its standard input: writing to it raises no SIGPIPE. */
struct talk {
    struct child child;
    int input;
    double until;
};

static bool talk_begin(struct talk *talk, struct remote *remote, const struct node *node, const char *command,
                       double until)
{
    int ends[2];
    struct remote_words words = {0};
    *talk = (struct talk){.child = {0, -1, -1}, .input = -1, .until = until};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
    bool started = remote_words_run(&words, remote, node, command, until - clock_seconds()) &&
                   child_start(&talk->child, words.words, ends[1], NULL) == BRAMBLE_OK;
    remote_words_fini(&words);
    close(ends[1]);
    talk->input = ends[0];
    return started;
}

static void talk_end(struct talk *talk)
{
    if (talk->input >= 0) close(talk->input);
    child_stop(&talk->child);
}

/* Sends all of it, as fast as it is taken; false when that fails or takes too long. */
static bool talk_send(struct talk *talk, const char *bytes, size_t length)
{
    while (length) {
        int left = (int)((talk->until - clock_seconds()) * 1e3);
        struct pollfd end = {.fd = talk->input, .events = POLLOUT};
        if (left <= 0 || poll(&end, 1, left) == 0) return false;
        ssize_t n = send(talk->input, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EINTR && errno != EAGAIN) return false;
        if (n <= 0) continue;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

/* Waits for at least one byte of what it says, and takes what is there. */
static bool talk_hear(struct talk *talk)
{
    char bytes[256];
    int left = (int)((talk->until - clock_seconds()) * 1e3);
    struct pollfd end = {.fd = talk->child.output, .events = POLLIN};
    return left > 0 && poll(&end, 1, left) > 0 && read(talk->child.output, bytes, sizeof bytes) > 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double measure_latency(struct remote *remote, const struct node *node, double until)
{
    struct talk talk;
    double seconds[ROUNDS];
    bool fine = talk_begin(&talk, remote, node, "exec cat", until);
    fine = fine && talk_send(&talk, "x", 1) && talk_hear(&talk); /* now it is there */
    for (unsigned i = 0; i < ROUNDS && fine; i++) {
        double start = clock_seconds();
        fine = talk_send(&talk, "x", 1) && talk_hear(&talk);
        seconds[i] = clock_seconds() - start;
    }
    talk_end(&talk);
    if (!fine) return NAN;
    qsort(seconds, ROUNDS, sizeof *seconds, compare);
    return seconds[ROUNDS / 2] * 1e3;
}

/* Sends for a while and has the other end say when all of it has come. What lies in buffers on the way counts
 * in the time, so does one round trip, which is taken off again. */
static double measure_bandwidth(struct remote *remote, const struct node *node, double until,
                                double latency_ms)
{
    struct talk talk;
    char *chunk = mem_zalloc(CHUNK, 1);
    size_t sent = 0;
    bool fine = chunk && talk_begin(&talk, remote, node, "echo; wc -c", until);
    if (!chunk) return NAN;
    fine = fine && talk_hear(&talk);
    double start = clock_seconds();
    while (fine && sent < SEND_MAX && (sent < WARM_BYTES || clock_seconds() - start < SEND_SECONDS)) {
        fine = talk_send(&talk, chunk, CHUNK);
        sent += CHUNK;
    }
    fine = fine && shutdown(talk.input, SHUT_WR) == 0 && talk_hear(&talk);
    double seconds = clock_seconds() - start - latency_ms * 1e-3;
    talk_end(&talk);
    mem_free(chunk);
    return fine && seconds > 0 ? (double)sent / seconds * 1e-6 : NAN;
}

void link_measure(struct remote *remote, const struct node *node, double deadline_seconds, double *latency_ms,
                  double *bandwidth_mbs)
{
    *latency_ms = *bandwidth_mbs = NAN;
    if (node->local) return;
    double until = clock_seconds() + deadline_seconds;
    *latency_ms = measure_latency(remote, node, until);
    if (!isnan(*latency_ms)) *bandwidth_mbs = measure_bandwidth(remote, node, until, *latency_ms);
}
