#include "cluster/roster.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

#define PROBE_SECONDS 8.0
#define FIRST_RETRY 1.0
#define LAST_RETRY 30.0
#define STRAGGLERS_GET 2.0 /* times as long as the slowest that answered */
#define STRAGGLERS_LEAST 0.75

static void entry_free(struct roster_entry *entry)
{
    if (!entry) return;
    mem_free(entry->node.name);
    mem_free(entry->node.host);
    mem_free(entry->node.user);
    mem_free(entry->node.program);
    mem_free(entry->program);
    mem_free(entry);
}

static char *copy(const char *text, bool *failed)
{
    char *made = text ? mem_strdup(text) : NULL;
    *failed |= text && !made;
    return made;
}

static bool append(struct roster *roster, const struct node *node)
{
    bool failed = false;
    struct roster_entry **entries = mem_resize(roster->entries, roster->n + 1, sizeof(void *));
    if (!entries) return false;
    roster->entries = entries;
    struct roster_entry *entry = mem_zalloc(1, sizeof *entry);
    if (!entry) return false;
    entry->node = *node;
    entry->node.name = copy(node->name, &failed);
    entry->node.host = copy(node->host, &failed);
    entry->node.user = copy(node->user, &failed);
    entry->node.program = copy(node->program, &failed);
    entry->roster = roster;
    if (failed) {
        entry_free(entry);
        return false;
    }
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

bramble_status roster_add(struct roster *roster, const char *host, bramble_error *error)
{
    for (size_t i = 0; i < roster->n; i++) {
        if (strcmp(roster->entries[i]->node.host, host) && strcmp(roster->entries[i]->node.name, host))
            continue;
        if (!roster->entries[i]->present) roster->entries[i]->retry_at = 0;
        return BRAMBLE_OK;
    }
    struct node node = {.name = (char *)host, .host = (char *)host};
    return append(roster, &node) ? BRAMBLE_OK : error_memory(error, "the list of nodes");
}

static bool go_on(void *context)
{
    struct roster *roster = context;
    return !atomic_load(&roster->stop);
}

/* The rank that a lost generation may have left behind; the pid alone could be somebody else's by now. */
static void remove_leftover(struct roster_entry *entry, double seconds)
{
    struct str line = {0};
    str_printf(&line, "tr '\\0' ' ' < /proc/%d/cmdline 2>/dev/null | grep -q -- '%s' && kill -9 %d; true",
               entry->pid, entry->roster->token, entry->pid);
    struct remote_command command = {.node = &entry->node, .command = line.data, .input = -1};
    if (!line.failed) remote_run(entry->roster->remote, &command, 1, seconds, NULL, NULL, NULL);
    if (command.outcome == REMOTE_DONE) entry->leftover = false;
    str_fini(&command.output);
    str_fini(&command.errors);
    str_fini(&line);
}

static void *look(void *context)
{
    struct roster_entry *entry = context;
    bramble_error error = {0};
    entry->found = (struct node_state){0};
    if (entry->failures) remote_forget(entry->roster->remote, &entry->node);
    bramble_status status = probe_nodes(entry->roster->remote, &entry->node, 1, false, PROBE_SECONDS,
                                        &entry->found, go_on, entry->roster, &error);
    if (status) snprintf(entry->found.problem, sizeof entry->found.problem, "%.255s", error.message);
    if (!status && entry->found.usable && entry->leftover) remove_leftover(entry, PROBE_SECONDS);
    atomic_store(&entry->answered, true);
    return NULL;
}

static void set_back(struct roster_entry *entry, double now)
{
    entry->failures++;
    entry->retry_at = now + fmin(LAST_RETRY, FIRST_RETRY * ldexp(1, (int)fmin(entry->failures - 1, 10)));
}

/* What the thread found goes into the entry. */
static void take_in(struct roster_entry *entry, double now, engine_event *event, void *context)
{
    struct node_report *report = &entry->found.report;
    bool news = strcmp(entry->status.problem, entry->found.problem) != 0;
    pthread_join(entry->thread, NULL);
    entry->looking = false;
    memcpy(entry->status.problem, entry->found.problem, sizeof entry->status.problem);
    entry->present = entry->found.usable;
    if (entry->present) {
        mem_free(entry->program);
        entry->program = report->program;
        report->program = NULL;
        entry->status.threads = entry->node.cores ? entry->node.cores : report->cores;
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
    if (!roster->asked) roster->asked = now;
    for (size_t i = 0; i < roster->n; i++) {
        struct roster_entry *entry = roster->entries[i];
        if (entry->looking && atomic_load(&entry->answered)) {
            if (now - roster->asked > roster->slowest) roster->slowest = now - roster->asked;
            take_in(entry, now, event, context);
        } else if (!entry->looking && !entry->present && now >= entry->retry_at) {
            atomic_store(&entry->answered, false);
            entry->looking = pthread_create(&entry->thread, NULL, look, entry) == 0;
            if (!entry->looking) set_back(entry, now);
        }
    }
}

bool roster_gathered(const struct roster *roster, double now)
{
    bool any = false, all = true;
    for (size_t i = 0; i < roster->n; i++) {
        any |= roster->entries[i]->present;
        all &= roster->entries[i]->present || roster->entries[i]->failures > 0;
    }
    return all || (any && now - roster->asked > STRAGGLERS_GET * roster->slowest + STRAGGLERS_LEAST);
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
    entry->leftover = entry->pid > 0 && !entry->node.local;
    set_back(entry, now);
}

void roster_sweep(struct roster *roster, double seconds)
{
    double end = clock_seconds() + seconds;
    for (size_t i = 0; i < roster->n; i++)
        if (roster->entries[i]->leftover && !roster->entries[i]->looking && clock_seconds() < end)
            remove_leftover(roster->entries[i], end - clock_seconds());
}
