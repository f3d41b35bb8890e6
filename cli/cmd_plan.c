/* bramble plan: how long a training will take, on which nodes, and in which way. */
#include <stdio.h>

#include "base/error.h"
#include "cluster_table.h"
#include "common.h"
#include "plan_table.h"
#include "report/progress.h"

struct plan_values {
    const char *data, *cluster, *recorded, *net, *link, *target;
    struct word_list add;
    uint32_t trees, epochs, batch_size;
    bool json;
};

static bramble_status check(const struct plan_values *v, bramble_error *error)
{
    if (!v->data) return error_set(error, BRAMBLE_ERR_USAGE, "--data is missing: what is to be trained on");
    if (!v->net == !v->trees)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "choose one of --net SPEC and --trees N: what is to be trained");
    if (v->cluster && v->recorded)
        return error_set(error, BRAMBLE_ERR_USAGE, "--cluster and --recorded: choose one");
    if (v->link && !v->add.n && !v->cluster && !v->recorded)
        return error_set(error, BRAMBLE_ERR_USAGE, "--link: there is no other machine that it could lead to");
    return BRAMBLE_OK;
}

/* *out: NULL without any. */
static bramble_status find_cluster(bramble_cluster **out, const struct plan_values *v, bramble_error *error)
{
    bramble_cluster *cluster = NULL;
    bramble_status status = BRAMBLE_OK;
    if (v->recorded) return bramble_cluster_record_read(out, v->recorded, error);
    if (v->cluster) status = bramble_cluster_read(&cluster, v->cluster, error);
    if (!status && cluster) status = cluster_table_probe(cluster, true, v->json, error);
    if (status)
        bramble_cluster_free(cluster);
    else
        *out = cluster;
    return status;
}

static bramble_status make(bramble_plan **out, const struct plan_values *v, const bramble_cluster *cluster,
                           bramble_error *error)
{
    bramble_table *table;
    struct progress progress;
    bramble_read_options reading = BRAMBLE_READ_OPTIONS_INIT;
    bramble_net_options net = BRAMBLE_NET_OPTIONS_INIT;
    bramble_forest_options forest = BRAMBLE_FOREST_OPTIONS_INIT;
    bramble_plan_options options = BRAMBLE_PLAN_OPTIONS_INIT;
    reading.target = v->target;
    net.net = v->net;
    net.epochs = v->epochs;
    net.batch_size = v->batch_size;
    forest.trees = v->trees;
    options.cluster = cluster;
    options.add = v->add.words;
    options.n_add = v->add.n;
    options.link = v->link;
    options.net = v->net ? &net : NULL;
    options.forest = &forest;
    bramble_status status = bramble_table_read(&table, v->data, &reading, error);
    if (status) return status;
    progress_init(&progress, v->json ? NULL : stderr, "steps");
    progress_note(&progress, "measuring this machine");
    status = bramble_plan_make(out, table, &options, error);
    progress_clear(&progress);
    bramble_table_free(table);
    return status;
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct plan_values *v = values;
    bramble_cluster *cluster = NULL;
    bramble_plan *plan;
    bramble_status status = check(v, error);
    if (!status) status = find_cluster(&cluster, v, error);
    if (status) return status;
    status = make(&plan, v, cluster, error);
    bramble_cluster_free(cluster);
    if (status) return status;
    if (v->json)
        status = plan_table_print_json(plan, error);
    else
        plan_table_print(plan);
    bramble_plan_free(plan);
    return status;
}

static const char *const paragraphs[] = {
    "Predicts how long a network (--net) or a forest (--trees) will take on some machines, in each way that "
    "they can train it together, and says which of them to leave out. A few steps, or trees, are taken on "
    "this "
    "machine; other nodes' times are scaled from that by their measured speeds, and the rest is worked out "
    "on "
    "paper (docs/plans.md). No other machine is needed for it once it was recorded.",
    "Machines that one does not own are taken from a catalogue with --add: pizero2w, pi3b+, pi4, pi5, n100, "
    "laptop and desktop; links are wifi, lan100, lan300, lan1000, campus and internet. Predictions have a "
    "range, which is wider for these.",
    "efficiency: of what the machines that take part would come to with no network between them.",
    NULL,
};

static const struct option options[] = {
    {.name = "data",
     .value = "DATA",
     .kind = OPTION_TEXT,
     .offset = FIELD(plan_values, data),
     .help = "training data, in any format bramble data describes"},
    {.name = "net",
     .value = "SPEC",
     .kind = OPTION_TEXT,
     .offset = FIELD(plan_values, net),
     .help = "plan this network: a preset, or a file, as bramble train net takes them"},
    {.name = "trees",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = FIELD(plan_values, trees),
     .min = 1,
     .help = "plan a forest of so many trees"},
    {.name = "cluster",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = FIELD(plan_values, cluster),
     .fallback = "this machine alone",
     .help = "measure the machines that this file lists"},
    {.name = "recorded",
     .alias = "record",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = FIELD(plan_values, recorded),
     .help = "take what bramble nodes --record kept, without the machines"},
    {.name = "add",
     .value = "NxBOARD",
     .kind = OPTION_LIST,
     .offset = FIELD(plan_values, add),
     .help = "and so many machines of the catalogue: 2xpi5; may be given several times"},
    {.name = "link",
     .value = "LINK",
     .kind = OPTION_TEXT,
     .offset = FIELD(plan_values, link),
     .fallback = "what each board usually has",
     .help = "by which those are reached; without --add, all nodes, instead of what was measured inside ssh"},
    {.name = "epochs",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = FIELD(plan_values, epochs),
     .min = 1,
     .fallback = "10",
     .help = "networks: times to go through the data"},
    {.name = "batch-size",
     .value = "N",
     .kind = OPTION_COUNT,
     .offset = FIELD(plan_values, batch_size),
     .min = 1,
     .max = 1 << 20,
     .fallback = "128",
     .help = "networks: rows a step learns from"},
    OPTION_TARGET_OF(plan_values),
    OPTION_JSON_OF(plan_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"format", "bramble-plan-1"},
    {"sample_seconds", "of a sample on this machine, or null"},
    {"tree_seconds", "of a tree on this machine, or null"},
    {"gemm_gflops", "of this machine, as bramble nodes measures it"},
    {"tree_rate", "likewise"},
    {"parameters", "numbers of the network; 0: a forest"},
    {"samples", "of all epochs, or trees"},
    {"batch_size", "samples a step; 0: a forest"},
    {"nodes",
     "for each kind of node name, count, measured (or the catalogue's), rate (samples or trees a second "
     "of one alone), spread, bandwidth_mbs, latency_ms, memory_bytes"},
    {"unknown", "name and reason of nodes that nothing can be planned for"},
    {"ways",
     "for each way name, options, possible, problem, and if possible exact, best, seconds_a_step, "
     "seconds_a_step_low, seconds_a_step_high, seconds, seconds_low, seconds_high, efficiency, sent_bytes, "
     "memory_bytes, nodes, bound, and of_nodes: taken, reason, seconds_a_step and bound with one more, for "
     "each kind of node"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble plan --net cnn --data fashion --batch-size 2048 --cluster cluster.ini",
     "which way of training is fastest on these machines"},
    {"bramble plan --net cnn --data fashion --recorded home.json --add 2xpi5 --link wifi",
     "what two more would bring"},
    {"bramble plan --trees 500 --data fashion --recorded home.json", "the same of a forest"},
    {NULL, NULL},
};

const struct command command_plan = {
    .name = "plan",
    .summary = "predict how long a training will take, and on which machines",
    .paragraphs = paragraphs,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct plan_values){.epochs = 10, .batch_size = 128},
    .values_size = sizeof(struct plan_values),
    .run = run,
};
