/*
 * The engine with tasks that are cheap to understand: each burns some milliseconds of processor time and
 * answers with its square; negative milliseconds crash the process. `toy run CLUSTER TASKS MILLISECONDS
 * JOURNAL [DATA]` is the launching side; the engine starts the same program on every node as it would start
 * bramble. "MILLISECONDS FILE" in one word lets every other task wait until there is such a file.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "cluster/confine.h"
#include "cluster/engine.h"
#include "cluster/journal.h"
#include "cluster/probe.h"
#include "cluster/rank.h"
#include "cluster/slurm.h"
#include "toy_chained.h"
#include "toy_together.h"

static bramble_status toy_open(void **context, const char *job, const char *data_path, uint32_t threads,
                               bramble_error *error)
{
    (void)data_path, (void)threads, (void)error;
    *context = mem_strdup(job);
    return BRAMBLE_OK;
}

static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bramble_status toy_run(void *context, uint32_t thread, uint32_t task, bool (*go_on)(void *),
                              void *go_on_context, void **result, size_t *length, bramble_error *error)
{
    (void)thread, (void)error;
    char *gate = NULL;
    double seconds = strtod(context, &gate) / 1000;
    if (seconds < 0) abort();
    for (double end = processor_seconds() + seconds; processor_seconds() < end;)
        if (!go_on(go_on_context)) return BRAMBLE_ERR_CANCELLED;
    while (task % 2 && *gate && access(gate + 1, F_OK) != 0) {
        if (!go_on(go_on_context)) return BRAMBLE_ERR_CANCELLED;
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    uint64_t square = (uint64_t)task * task;
    *result = mem_alloc(1, sizeof square);
    memcpy(*result, &square, sizeof square);
    *length = sizeof square;
    return BRAMBLE_OK;
}

static void toy_close(void *context)
{
    mem_free(context);
}

static const struct program toy = {"toy", toy_open, toy_run, toy_close};
static const struct program *const programs[] = {&toy, &toy_together, &toy_chained, NULL};

static double started;
static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static void print_event(void *context, const char *event, const char *node, const char *text)
{
    (void)context;
    printf("%6.2f %s %s %s\n", clock_seconds() - started, event, node ? node : "-", text);
    fflush(stdout);
}

static bool print_status(void *context, const struct engine_status *status)
{
    double *last = context;
    if (interrupted) return false;
    if (clock_seconds() - *last < 1) return true;
    *last = clock_seconds();
    printf("%6.2f %u/%u", clock_seconds() - started, status->tasks_done, status->n_tasks);
    for (size_t i = 0; i < status->n_members; i++)
        printf("  %s %s %u %.2f/s", status->members[i].name, member_state_name(status->members[i].state),
               status->members[i].tasks, status->members[i].rate);
    printf("\n");
    fflush(stdout);
    return true;
}

static bramble_status check(void *context, uint32_t task, const void *bytes, uint32_t length,
                            bramble_error *error)
{
    uint64_t square;
    (void)error;
    if (length == sizeof square) memcpy(&square, bytes, length);
    if (length != sizeof square || square != (uint64_t)task * task) exit(3);
    ++*(uint32_t *)context;
    return BRAMBLE_OK;
}

/* Of a chain: the last one has the sum of all squares. */
static bramble_status check_chain(void *context, uint32_t task, const void *bytes, uint32_t length,
                                  bramble_error *error)
{
    struct toy_chain chain;
    uint64_t sum = 0;
    (void)error;
    if (length < sizeof chain) exit(3);
    memcpy(&chain, (const char *)bytes + (length - sizeof chain), sizeof chain);
    for (uint64_t t = 0; t < chain.tasks; t++) sum += t * t;
    if (chain.sum != sum || chain.tasks != (uint64_t)task + 1) exit(3);
    *(uint32_t *)context = task + 1;
    return BRAMBLE_OK;
}

/* Unless an earlier run did: how many tasks there are, and task 0's result. */
static bramble_status begin_chain(const struct job *job, bramble_error *error)
{
    struct journal *journal;
    struct {
        uint64_t n_tasks;
        struct toy_chain chain;
    } first = {job->n_tasks, {1, 0}};
    if (access(job->journal, F_OK) == 0) return BRAMBLE_OK;
    bramble_status status = journal_append_open(&journal, job->journal, job->key, error);
    if (status) return status;
    status = journal_append(journal, 0, &first, sizeof first, error);
    journal_close(journal);
    return status;
}

static int fail(const bramble_error *error)
{
    fprintf(stderr, "toy: %s\n", error->message);
    return 1;
}

static int run(char **words)
{
    struct cluster *cluster;
    struct engine *engine;
    bramble_error error = {0};
    char program[512] = "", joins[512];
    if (strcmp(words[0], "slurm") == 0 && slurm_copy_is_spare()) return 0;
    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0) return 1;
    snprintf(joins, sizeof joins, "%s.joins", words[3]);
    struct engine_options options = {.program = program, .joins = joins, .event = print_event};
    struct job job = {.n_tasks = (uint32_t)atoi(words[1]),
                      .program = "toy",
                      .text = words[2],
                      .journal = words[3],
                      .key = words[2],
                      .data = words[4]};
    bool chained = words[4] && words[5] && strcmp(words[5], "chained") == 0;
    job.chained = chained;
    if (words[4] && words[5]) job.program = chained ? "toy_chained" : "toy_together";
    started = clock_seconds();
    signal(SIGINT, interrupt);
    if (words[4] && blob_hash_file(words[4], job.hash, &job.data_bytes, &error)) return fail(&error);
    if (chained && begin_chain(&job, &error)) return fail(&error);
    if (cluster_read(&cluster, words[0], &error)) return fail(&error);
    if (engine_start(&engine, cluster, &options, &error)) return fail(&error);
    double last = 0;
    bramble_status status = engine_run(engine, &job, print_status, &last, &error);
    printf("%6.2f %s\n", clock_seconds() - started, bramble_status_name(status));
    engine_stop(engine);
    printf("%6.2f stopped\n", clock_seconds() - started);
    cluster_free(cluster);
    uint32_t n = 0;
    if (!status) status = journal_read(words[3], words[2], chained ? check_chain : check, &n, &error);
    if (!status) printf("%u results in the journal\n", n);
    return status ? fail(&error) : 0;
}

static int be_rank(int n, char **words)
{
    struct rank_options options = {0};
    bramble_error error = {0};
    for (int i = 0; i + 1 < n; i++) {
        if (strcmp(words[i], "--threads") == 0) options.threads = (uint32_t)atoi(words[i + 1]);
        if (strcmp(words[i], "--memory") == 0) options.memory = (uint64_t)atoi(words[i + 1]) * 1000000;
        if (strcmp(words[i], "--orders") == 0) options.orders = words[i + 1];
        if (strcmp(words[i], "--reports") == 0) options.reports = words[i + 1];
    }
    return rank_run(&options, programs, &error) ? fail(&error) : 0;
}

static int confine(const char *network, char **words)
{
    bramble_error error = {0};
    confine_exec(network, (const char *const *)words, &error);
    return fail(&error);
}

static int report(void)
{
    struct node_report self = {0};
    bramble_error error = {0};
    if (node_report_self(&self, &error)) return fail(&error);
    char *json = node_report_to_json(&self);
    printf("%s\n", json);
    mem_free(json);
    node_report_fini(&self);
    return 0;
}

int main(int n, char **words)
{
    if (n >= 6 && strcmp(words[1], "run") == 0) return run(words + 2);
    if (n >= 2 && strcmp(words[1], "rank") == 0) return be_rank(n - 2, words + 2);
    if (n >= 5 && strcmp(words[1], "confine") == 0) return confine(words[2], words + 4);
    if (n >= 2 && strcmp(words[1], "node-report") == 0) return report();
    fprintf(stderr, "usage: toy run CLUSTER TASKS MILLISECONDS JOURNAL [DATA [together|chained]]\n");
    return 2;
}
