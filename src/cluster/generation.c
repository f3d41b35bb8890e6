#include "cluster/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

/* Orders are opened for reading too, so that they can be opened before anybody listens; nobody reads them
 * here. */
static bool open_pipes(struct generation *g)
{
    if (mkfifo(g->orders_path, 0600) != 0 || mkfifo(g->reports_path, 0600) != 0) return false;
    g->reports.fd = open(g->reports_path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    g->orders.fd = open(g->orders_path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    return g->reports.fd >= 0 && g->orders.fd >= 0;
}

bramble_status generation_start(struct generation **out, const char *folder, uint32_t number,
                                struct launch_plan *plan, const size_t *members, bramble_error *error)
{
    struct generation *g = mem_zalloc(1, sizeof *g);
    if (!g) return error_memory(error, "a generation of nodes");
    g->number = number;
    g->n_members = plan->n_members;
    g->orders.fd = g->reports.fd = -1;
    memcpy(g->members, members, plan->n_members * sizeof *members);
    snprintf(g->orders_path, sizeof g->orders_path, "%s/%u.orders", folder, number);
    snprintf(g->reports_path, sizeof g->reports_path, "%s/%u.reports", folder, number);
    snprintf(g->log_path, sizeof g->log_path, "%s/%u.log", folder, number);
    plan->orders = g->orders_path;
    plan->reports = g->reports_path;
    plan->log = g->log_path;
    g->started = clock_seconds();
    bramble_status status = open_pipes(g) ? launch_start(&g->launch, plan, error)
                                          : error_set(error, BRAMBLE_ERR_IO, "%s: cannot make a pipe: %s",
                                                      g->orders_path, strerror(errno));
    if (status)
        generation_free(g);
    else
        *out = g;
    return status;
}

struct taker {
    struct generation *generation;
    void (*take)(void *context, char *line);
    void *context;
};

static void take_report(void *context, char *line)
{
    struct taker *taker = context;
    struct generation *g = taker->generation;
    double now = clock_seconds();
    uint32_t rank;
    if (sscanf(line, "hello %" SCNu32, &rank) == 1) {
        if (rank >= 1 && rank <= g->n_members) g->greeted[rank - 1] = true;
    } else if (strncmp(line, "here ", 5) == 0) {
        g->coordinator = atoi(line + 5);
        g->heard = true;
        heartbeat_start(&g->beat, now);
    } else if (strcmp(line, "ready") == 0) {
        g->ready = true;
    } else {
        if (strncmp(line, "progress ", 9) == 0) heartbeat_arrived(&g->beat, now);
        taker->take(taker->context, line);
    }
}

void generation_poll(struct generation *g, void (*take)(void *context, char *line), void *context)
{
    struct taker taker = {g, take, context};
    lines_read(&g->reports, take_report, &taker);
    if (!g->heard) g->reports.ended = false; /* nobody has opened the other end yet */
    lines_write(&g->orders);
}

void generation_order(struct generation *g, const char *order, const char *text)
{
    str_printf(&g->orders.buffer, "%s%s%s\n", order, *text ? " " : "", text);
    lines_write(&g->orders);
}

bool generation_over(struct generation *g)
{
    int exit_code;
    return g->reports.ended || g->orders.buffer.failed || launch_ended(g->launch, &exit_code);
}

void generation_end_coordinator(struct generation *g)
{
    if (g->coordinator > 0 && !g->reports.ended) kill(g->coordinator, SIGKILL);
}

void generation_kill(struct generation *g)
{
    g->killed = true;
    launch_signal(g->launch, SIGKILL);
    generation_end_coordinator(g);
}

void generation_free(struct generation *g)
{
    if (!g) return;
    if (g->launch) {
        int exit_code;
        if (!launch_ended(g->launch, &exit_code)) generation_kill(g);
        launch_free(g->launch);
    }
    if (g->orders.fd >= 0) close(g->orders.fd);
    if (g->reports.fd >= 0) close(g->reports.fd);
    unlink(g->orders_path);
    unlink(g->reports_path);
    unlink(g->log_path);
    str_fini(&g->orders.buffer);
    str_fini(&g->reports.buffer);
    mem_free(g);
}
