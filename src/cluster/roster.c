#include "cluster/roster.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "cluster/node_words.h"

#define PROBE_SECONDS 8.0
#define FIRST_RETRY 1.0
#define LAST_RETRY 30.0
#define STRAGGLERS_GET 0.1 /* seconds more than the slowest answer, and its share that is missing */
#define SLOW 16            /* times slower than the mean of the others */

static void entry_free(struct roster_entry *entry)
{
    if (!entry) return;
    node_fini(&entry->node);
    mem_free(entry->program);
    mem_free(entry);
}

static bool append(struct roster *roster, const struct node *node)
{
    struct roster_entry **entries = mem_resize(roster->entries, roster->n + 1, sizeof(void *));
    if (!entries) return false;
    roster->entries = entries;
    struct roster_entry *entry = mem_zalloc(1, sizeof *entry);
    if (!entry || !node_copy(&entry->node, node)) {
        mem_free(entry);
        return false;
    }
    entry->roster = roster;
    snprintf(entry->status.name, sizeof entry->status.name, "%s", entry->node.name);
    roster->entries[roster->n++] = entry;
    return true;
}

bramble_status roster_init(struct roster *roster, const struct cluster *cluster, const char *token,
                           bramble_error *error)
{
    *roster = (struct roster){.token = token};
    bramble_status status = remote_open(&roster->remote, error);
    for (size_t i = 0; !status && i < cluster->n_nodes; i++)
        if (!append(roster, &cluster->nodes[i])) status = error_memory(error, "the list of nodes");
    if (status) roster_fini(roster);
    return status;
}

void roster_fini(struct roster *roster)
{
    atomic_store(&roster->stop, true);
    for (size_t i = 0; i < roster->n; i++) {
        struct roster_entry *entry = roster->entries[i];
        if (entry->looking) {
            pthread_join(entry->thread, NULL);
            node_state_fini(&entry->found);
        }
        entry_free(entry);
    }
    mem_free(roster->entries);
    remote_close(roster->remote);
    *roster = (struct roster){0};
}

bramble_status roster_add(struct roster *roster, const char *address, bramble_error *error)
{
    struct node node = {0};
    bool short_of_memory;
    if (!node_address_split(address, &node.user, &node.host, &short_of_memory))
        return short_of_memory ? error_memory(error, "the list of nodes")
                               : error_set(error, BRAMBLE_ERR_DATA, "%s: not the name of a machine", address);
    node.name = node.host;
    bool known = false;
    for (size_t i = 0; i < roster->n; i++) {
        struct roster_entry *entry = roster->entries[i];
        if (strcmp(entry->node.host, node.host) && strcmp(entry->node.name, node.name)) continue;
        known = true;
        if (!entry->present) entry->retry_at = 0;
    }
    node.slurm = roster->n && roster->entries[0]->node.slurm;
    bool added = known || append(roster, &node);
    mem_free(node.host);
    mem_free(node.user);
    return added ? BRAMBLE_OK : error_memory(error, "the list of nodes");
}

static bool go_on(void *context)
{
    struct roster *roster = context;
    return !atomic_load(&roster->stop);
}

/*
 * Ends processes of generations up to `last`, ranks and MPI's daemons: those that have the session's token
 * and a number on their command line. The pattern [x] keeps the shell that looks from finding itself.
 */
static void sweep_command(struct str *out, const char *token, uint32_t last)
{
    str_printf(out,
               "for f in $(grep -als '%.*s[%c]' /proc/[0-9]*/cmdline); do "
               "n=$(tr '\\0' '\\n' <$f | sed -n 's/^%.*s[%c][.]\\([0-9]*\\)$/\\1/p' | head -n 1); "
               "p=${f#/proc/}; [ \"${n:-0}\" -ge 1 ] && [ \"$n\" -le %u ] && kill -9 ${p%%/cmdline}; "
               "done 2>/dev/null; true",
               (int)strlen(token) - 1, token, token[strlen(token) - 1], (int)strlen(token) - 1, token,
               token[strlen(token) - 1], last);
}

static void remove_leftover(struct roster_entry *entry)
{
    struct str line = {0};
    sweep_command(&line, entry->roster->token, entry->to_sweep);
    struct remote_command command = {.node = &entry->node, .command = line.data, .input = -1};
    if (!line.failed)
        remote_run(entry->roster->remote, &command, 1, PROBE_SECONDS, go_on, entry->roster, NULL);
    if (command.outcome == REMOTE_DONE) entry->to_sweep = 0;
    str_fini(&command.output);
    str_fini(&command.errors);
    str_fini(&line);
}

static void *look(void *context)
{
    struct roster_entry *entry = context;
    bramble_error error = {0};
    entry->found = (struct node_state){0};
    if (entry->forget) remote_forget(entry->roster->remote, &entry->node);
    bramble_status status = probe_nodes(entry->roster->remote, &entry->node, 1, false, PROBE_SECONDS,
                                        &entry->found, go_on, entry->roster, &error);
    if (status) snprintf(entry->found.problem, sizeof entry->found.problem, "%.255s", error.message);
    if (!status && entry->found.usable && entry->to_sweep) remove_leftover(entry);
    atomic_store(&entry->answered, true);
    return NULL;
}

static void start_looking(struct roster_entry *entry, double now)
{
    entry->forget = entry->failures > 0;
    entry->to_sweep = entry->leftover;
    entry->asked = now;
    atomic_store(&entry->answered, false);
    entry->looking = pthread_create(&entry->thread, NULL, look, entry) == 0;
}

static void set_back(struct roster_entry *entry, double now)
{
    entry->failures++;
    entry->retry_at = now + fmin(LAST_RETRY, FIRST_RETRY * ldexp(1, (int)fmin(entry->failures - 1, 10)));
}

static double speed_of(const struct node_report *report, uint32_t threads)
{
    double cores = fmin(report->cores < threads ? report->cores : threads, report->core_limit);
    return report->core_rate > 0 && cores > 0 ? report->core_rate * cores : 0;
}

/* What the thread found goes into the entry. */
static void take_in(struct roster_entry *entry, double now, engine_event *event, void *context)
{
    struct node_report *report = &entry->found.report;
    bool news = strcmp(entry->status.problem, entry->found.problem) != 0;
    pthread_join(entry->thread, NULL);
    entry->looking = false;
    if (!entry->to_sweep && entry->found.usable) entry->leftover = 0;
    memcpy(entry->status.problem, entry->found.problem, sizeof entry->status.problem);
    entry->present = entry->found.usable;
    entry->gone = entry->found.gone;
    if (entry->present) {
        mem_free(entry->program);
        entry->program = report->program;
        report->program = NULL;
        entry->status.threads = entry->node.cores ? entry->node.cores : report->cores;
        if (entry->node.slurm && report->cores < entry->status.threads) /* Slurm binds processes, too */
            entry->status.threads = report->cores;
        memcpy(entry->status.arch, report->arch, sizeof entry->status.arch);
        entry->speed = speed_of(report, entry->status.threads);
        entry->left_out = false; /* to be told anew */
    } else {
        set_back(entry, now);
        entry->status.state = MEMBER_AWAY;
    }
    if (entry->present || news)
        event(context, entry->present ? "found" : "away", entry->node.name, entry->status.problem);
    node_state_fini(&entry->found);
}

void roster_poll(struct roster *roster, double now, engine_event *event, void *context)
{
    for (size_t i = 0; i < roster->n; i++) {
        struct roster_entry *entry = roster->entries[i];
        if (entry->looking && atomic_load(&entry->answered)) {
            if (now - entry->asked > roster->slowest) roster->slowest = now - entry->asked;
            take_in(entry, now, event, context);
        } else if (!entry->looking && !entry->present && !entry->gone && now >= entry->retry_at) {
            start_looking(entry, now);
            if (!entry->looking) set_back(entry, now);
        }
    }
}

/* It has not answered yet, well or otherwise. */
static bool is_missing(const struct roster_entry *entry)
{
    return !entry->present && !entry->failures;
}

/* The more are missing, the longer they are waited for. */
bool roster_gathered(const struct roster *roster, double now)
{
    size_t n_missing = 0;
    bool any = false, late = true;
    for (size_t i = 0; i < roster->n; i++) {
        any |= roster->entries[i]->present;
        n_missing += is_missing(roster->entries[i]);
    }
    double missing = roster->n ? (double)n_missing / (double)roster->n : 0;
    double patience = roster->slowest * (1 + missing) + STRAGGLERS_GET;
    for (size_t i = 0; i < roster->n; i++) {
        const struct roster_entry *entry = roster->entries[i];
        if (is_missing(entry)) late &= entry->looking && now - entry->asked > patience;
    }
    return !n_missing || (any && late);
}

double roster_adds(const struct roster *roster, size_t i)
{
    double others = 0, speed = roster->entries[i]->speed;
    size_t n = 0;
    for (size_t k = 0; k < roster->n; k++) {
        if (k == i || !roster->entries[k]->present) continue;
        others += roster->entries[k]->speed;
        n++;
    }
    bool slow = n > 0 && speed > 0 && speed * SLOW < others / (double)n;
    return slow ? speed / others : INFINITY;
}

void roster_doubt(struct roster *roster, size_t i, double now, const char *why)
{
    struct roster_entry *entry = roster->entries[i];
    entry->present = false;
    entry->status.state = MEMBER_AWAY;
    entry->status.rate = 0;
    entry->retry_at = now;
    snprintf(entry->status.problem, sizeof entry->status.problem, "%s", why);
}

void roster_lose(struct roster *roster, size_t i, double now, const char *why)
{
    struct roster_entry *entry = roster->entries[i];
    roster_doubt(roster, i, now, why);
    set_back(entry, now);
}

bool roster_present(const struct roster *roster)
{
    for (size_t i = 0; i < roster->n; i++)
        if (roster->entries[i]->present) return true;
    return false;
}

bool roster_local_present(const struct roster *roster)
{
    for (size_t i = 0; i < roster->n; i++)
        if (roster->entries[i]->present && roster->entries[i]->node.local) return true;
    return false;
}

void roster_sweep(struct roster *roster, double seconds)
{
    size_t n = 0;
    struct str *lines = mem_zalloc(roster->n, sizeof *lines);
    struct remote_command *commands = mem_zalloc(roster->n, sizeof *commands);
    for (size_t i = 0; lines && commands && i < roster->n; i++) {
        struct roster_entry *entry = roster->entries[i];
        if (!entry->leftover) continue;
        sweep_command(&lines[n], roster->token, entry->leftover);
        if (lines[n].failed) continue;
        commands[n] = (struct remote_command){.node = &entry->node, .command = lines[n].data, .input = -1};
        n++;
    }
    if (n) remote_run(roster->remote, commands, n, seconds, NULL, NULL, NULL);
    for (size_t i = 0; i < n; i++) {
        str_fini(&commands[i].output);
        str_fini(&commands[i].errors);
    }
    for (size_t i = 0; lines && i < roster->n; i++) str_fini(&lines[i]);
    mem_free(lines);
    mem_free(commands);
}
