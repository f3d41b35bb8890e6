/* bramble bench scaling: the paper's Table I on one's own machines. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster_table.h"
#include "common.h"
#include "emulated.h"
#include "interrupt.h"
#include "lab_session.h"
#include "report/progress.h"
#include "scaling_table.h"

enum { LAB_WORDS = 24, NUMBER = 32 };

#define FASHION "/usr/share/datasets/fashion-mnist"
#define LAB_FILE "table1.lab"
#define LAB_PLOT "scaling.svg"

struct bench_scaling_values {
    const char *data, *cluster, *emulated, *plot, *target;
    struct word_list nodes;
    double seconds;
    uint32_t trees, rounds;
    bool lab, cold, json;
};

/* What is shown of a step. */
struct watcher {
    struct progress progress;
    uint32_t shown; /* steps begun so far */
    bool quiet;
};

static bool show(const bramble_scaling_progress *step, void *context)
{
    struct watcher *watcher = context;
    char line[160];
    if (*step->cluster && watcher->shown <= step->step) {
        watcher->shown = step->step + 1;
        progress_clear(&watcher->progress);
        progress_init(&watcher->progress, watcher->quiet ? NULL : stderr, "trees");
        snprintf(line, sizeof line, "%u of %u: %.100s%s", step->step + 1, step->n_steps, step->cluster,
                 step->alone ? ", each alone" : "");
        progress_say(&watcher->progress, line);
    }
    if (!step->alone)
        progress_step(&watcher->progress, step->training->trees_done, step->training->trees_total,
                      step->training->seconds);
    return !interrupt_seen();
}

static bramble_status find_data(const struct bench_scaling_values *v, const char **data, bramble_error *error)
{
    struct stat folder;
    *data = v->data ? v->data : FASHION;
    if (v->data || stat(FASHION, &folder) == 0) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_USAGE,
                     "name the DATA to train on; without any it is Fashion-MNIST, which Debian's package "
                     "dataset-fashion-mnist brings");
}

/* The numbers of the nodes that are to be added, in their order. */
struct order {
    size_t numbers[WORD_LIST_MAX], n;
};

static bramble_status find_node(const bramble_cluster *cluster, const char *name, size_t *number,
                                bramble_error *error)
{
    bramble_node node;
    for (size_t i = 0; i < bramble_cluster_n_nodes(cluster); i++) {
        bramble_cluster_node(cluster, i, &node);
        if (strcmp(node.name, name) != 0) continue;
        *number = i;
        return BRAMBLE_OK;
    }
    return error_set(error, BRAMBLE_ERR_USAGE, "--node %.80s: the cluster has no node of that name", name);
}

static bramble_status find_order(struct order *order, const bramble_cluster *cluster,
                                 const struct bench_scaling_values *v, const struct emulated *emulated,
                                 bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    size_t n = v->nodes.n ? v->nodes.n : emulated->n;
    if (n > WORD_LIST_MAX)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED, "more than %d nodes", WORD_LIST_MAX);
    for (order->n = 0; order->n < n && !status; order->n++) {
        const char *name = v->nodes.n ? v->nodes.words[order->n] : emulated->machines[order->n].node;
        status = find_node(cluster, name, &order->numbers[order->n], error);
        for (size_t i = 0; i < order->n && !status; i++)
            if (order->numbers[i] == order->numbers[order->n])
                status = error_set(error, BRAMBLE_ERR_USAGE, "--node %.80s: given twice", name);
    }
    return status;
}

static bramble_status measure_on(bramble_scaling *out, bramble_cluster *cluster, const bramble_table *table,
                                 const struct bench_scaling_values *v, const struct emulated *emulated,
                                 bramble_error *error)
{
    struct order order = {.n = 0};
    struct watcher watcher = {.quiet = v->json};
    bramble_scaling_options options = BRAMBLE_SCALING_OPTIONS_INIT;
    bramble_status status = find_order(&order, cluster, v, emulated, error);
    if (status) return status;
    if (order.n) options.nodes = order.numbers;
    options.n_nodes = order.n;
    options.seconds = v->seconds;
    options.trees = v->trees;
    options.rounds = v->rounds;
    options.cold = v->cold;
    options.machines = emulated->machines;
    options.n_machines = emulated->n;
    options.progress = show;
    options.context = &watcher;
    interrupt_watch();
    progress_init(&watcher.progress, v->json ? NULL : stderr, "trees");
    progress_note(&watcher.progress, "asking the nodes");
    status = bramble_scaling_measure(out, cluster, table, &options, error);
    progress_clear(&watcher.progress);
    return status;
}

static bramble_status measure(bramble_scaling *out, const char *data, const struct bench_scaling_values *v,
                              const struct emulated *emulated, bramble_error *error)
{
    bramble_cluster *cluster;
    bramble_table *table;
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.target = v->target;
    bramble_status status = emulated->n ? emulated_cluster(&cluster, emulated, error)
                                        : bramble_cluster_read(&cluster, v->cluster, error);
    if (status) return status;
    status = bramble_table_read(&table, data, &options, error);
    if (!status) {
        status = measure_on(out, cluster, table, v, emulated, error);
        bramble_table_free(table);
    }
    bramble_cluster_free(cluster);
    return status;
}

static bramble_status run_here(const struct bench_scaling_values *v, bramble_error *error)
{
    const char *data;
    bramble_scaling scaling;
    struct emulated emulated = {0};
    bramble_status status = find_data(v, &data, error);
    if (!status && v->plot) status = check_output(v->plot, data, error);
    if (!status && v->emulated) status = emulated_read(&emulated, v->emulated, error);
    if (!status) status = measure(&scaling, data, v, &emulated, error);
    emulated_fini(&emulated);
    if (status) return status;
    struct scaling_circumstances of = {data, v->emulated != NULL, v->cold, v->seconds, v->rounds};
    if (v->plot) status = scaling_table_plot(&scaling, &of, v->plot, error);
    if (!status && v->json)
        status = scaling_table_json(&scaling, &of, error);
    else if (!status)
        scaling_table_print(&scaling, &of);
    bramble_scaling_fini(&scaling);
    return status;
}

/* This command line again, for the lab's own node. */
static void put_words(const char **words, char numbers[3][NUMBER], const struct bench_scaling_values *v)
{
    size_t n = 0;
    snprintf(numbers[0], NUMBER, "%.9g", v->seconds);
    snprintf(numbers[1], NUMBER, "%u", v->rounds);
    snprintf(numbers[2], NUMBER, "%u", v->trees);
    const char *const always[] = {"bramble",  "bench",    "scaling",  "--emulated", "lab.json", "--seconds",
                                  numbers[0], "--rounds", numbers[1], "--trees",    numbers[2]};
    for (; n < sizeof always / sizeof *always; n++) words[n] = always[n];
    if (v->cold) words[n++] = "--cold";
    if (v->json) words[n++] = "--json";
    if (v->plot) words[n++] = "--plot", words[n++] = LAB_PLOT;
    if (v->target) words[n++] = "--target", words[n++] = v->target;
    if (v->data) words[n++] = v->data;
    words[n] = NULL;
}

static bramble_status run_in_lab(const struct bench_scaling_values *v, bramble_error *error)
{
    struct lab_session lab;
    const char *words[LAB_WORDS];
    char numbers[3][NUMBER];
    int exit_code = 0;
    put_words(words, numbers, v);
    bramble_status status = v->plot ? check_output(v->plot, v->data, error) : BRAMBLE_OK;
    if (status) return status;
    interrupt_watch();
    status = lab_session_begin(&lab, LAB_FILE, error);
    if (!status) status = lab_session_run(&lab, words, &exit_code, error);
    if (!status && interrupt_seen())
        status = error_set(error, BRAMBLE_ERR_CANCELLED, "stopped");
    else if (!status && exit_code)
        status = error_set(error, BRAMBLE_ERR_DATA, "measuring in the lab failed; it says why above");
    if (!status && v->plot) status = lab_session_fetch(&lab, LAB_PLOT, v->plot, error);
    lab_session_end(&lab);
    return status;
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct bench_scaling_values *v = values;
    if (v->lab && (v->emulated || v->nodes.n))
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "--lab brings nodes of its own; leave out --emulated and --node");
    return v->lab ? run_in_lab(v, error) : run_here(v, error);
}

static const char *const paragraphs[] = {
    "Measures each node of a cluster alone, then adds them one at a time, and prints how training a forest "
    "scales: the table of \"Deep Neural Network with Raspberry Pi\" (Cabral, Sok) on your machines, with the "
    "efficiency against the sum of the parts beside its scalability by cores.",
    "Every cluster grows the same forest. Time counts from the start of the launch to the finished forest; "
    "the data are on the nodes already, unless --cold has them sent again. Right before each cluster and "
    "right after it its nodes train alone, all at the same time, for a sixth of --seconds each. What the "
    "whole "
    "forest would take a node is worked out from that, launch left out: such figures have a star.",
    "--lab does it on an emulated cluster, the paper's four Raspberry Pis, desktop and laptop, each with a "
    "share "
    "of this machine's cores. It needs root and lab/ of bramble's source, and takes down what it brought up. "
    "Nothing else should run on the machine then.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "DATA",
     .help = "training data; without any, Fashion-MNIST of Debian's package dataset-fashion-mnist",
     .offset = FIELD(bench_scaling_values, data),
     .optional = true},
    {.name = NULL},
};

static const struct option options[] = {
    OPTION_CLUSTER_OF(bench_scaling_values),
    {.name = "node",
     .value = "NAME",
     .kind = OPTION_LIST,
     .offset = FIELD(bench_scaling_values, nodes),
     .help = "add this node next; give it for each node in turn. Without any it is all of them, this machine "
             "first"},
    {.name = "seconds",
     .value = "N",
     .kind = OPTION_NUMBER,
     .offset = FIELD(bench_scaling_values, seconds),
     .above_min = true,
     .max = 86400,
     .fallback = "60",
     .help = "how long the largest cluster should take; it decides the number of trees"},
    {.name = "trees",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = FIELD(bench_scaling_values, trees),
     .max = 200000,
     .fallback = "0",
     .help = "trees to grow in every row; 0 takes as many as --seconds asks for"},
    {.name = "rounds",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = FIELD(bench_scaling_values, rounds),
     .min = 1,
     .max = BRAMBLE_SCALING_ROUNDS_MAX,
     .fallback = "1",
     .help = "measure all of it so often and take medians"},
    {.name = "cold",
     .kind = OPTION_FLAG,
     .offset = FIELD(bench_scaling_values, cold),
     .help = "remove training data from the nodes' caches before each row"},
    OPTION_TARGET_OF(bench_scaling_values),
    {.name = "lab",
     .kind = OPTION_FLAG,
     .offset = FIELD(bench_scaling_values, lab),
     .help = "on the emulated cluster of lab/" LAB_FILE " instead of --cluster"},
    {.name = "emulated",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = FIELD(bench_scaling_values, emulated),
     .help = "this is a node of a lab that is up: take nodes, cores and memory from its lab.json"},
    {.name = "plot",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = FIELD(bench_scaling_values, plot),
     .help = "also draw speed-up over cores, as SVG"},
    OPTION_JSON_OF(bench_scaling_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"emulated", "whether the nodes were a lab's"},
    {"data", "DATA"},
    {"trees", "grown in every row"},
    {"cold", "whether data were sent anew for each row"},
    {"rounds", "how often all was measured; figures are medians"},
    {"nodes",
     "for each node alone: node, trees_per_second once it is at work, and seconds, what the whole forest "
     "takes it at that, as measured before and after the largest cluster"},
    {"rows",
     "for each cluster: cluster (\"1 pi4 + 1 desktop\"), nodes, cores, memory_bytes, idle (a node that grew "
     "no tree, or null), ideal_seconds (the "
     "first row's by cores), seconds, scaled (worked out from the node alone), parts_seconds (its nodes "
     "as each is alone, together), speedup, scalability (speedup by cores) and efficiency (parts_seconds "
     "by seconds)"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble bench scaling --cluster cluster.ini --plot scaling.svg", "your machines, on Fashion-MNIST"},
    {"bramble bench scaling --node pi1 --node desktop --node pi2", "three of them, in this order"},
    {"sudo bramble bench scaling --lab", "the paper's machines, emulated"},
    {NULL, NULL},
};

const struct command command_bench_scaling = {
    .name = "bench scaling",
    .summary = "measure how training scales as nodes are added to a cluster",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct bench_scaling_values){.cluster = "cluster.ini", .seconds = 60, .rounds = 1},
    .values_size = sizeof(struct bench_scaling_values),
    .run = run,
};

const struct command command_bench = {.name = "bench", .summary = "measure a cluster at work"};
