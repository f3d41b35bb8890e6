/* bramble nodes: looks at every machine of a cluster. */
#include <stdio.h>

#include "base/error.h"
#include "cluster_table.h"
#include "common.h"

struct nodes_values {
    const char *cluster, *record, *recorded;
    int measure; /* 0: no */
    bool json;
};

static bramble_status look(bramble_cluster **out, const struct nodes_values *v, bramble_error *error)
{
    if (v->recorded && v->record)
        return error_set(error, BRAMBLE_ERR_USAGE, "--record and --recorded: choose one");
    if (v->recorded) return bramble_cluster_record_read(out, v->recorded, error);
    bramble_cluster *cluster;
    bramble_status status = v->record ? check_output(v->record, v->cluster, error) : BRAMBLE_OK;
    if (!status) status = bramble_cluster_read(&cluster, v->cluster, error);
    if (status) return status;
    status = cluster_table_probe(cluster, v->measure != 0, v->json, error);
    if (!status && v->record) status = bramble_cluster_record_write(cluster, v->record, error);
    if (status)
        bramble_cluster_free(cluster);
    else
        *out = cluster;
    return status;
}

static bramble_status print_json(const bramble_cluster *cluster, bramble_error *error)
{
    char *json;
    bramble_status status = bramble_cluster_record(cluster, &json, error);
    if (status) return status;
    printf("%s\n", json);
    bramble_string_free(json);
    return BRAMBLE_OK;
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct nodes_values *v = values;
    bramble_cluster *cluster;
    bramble_status status = look(&cluster, v, error);
    if (status) return status;
    if (v->json)
        status = print_json(cluster, error);
    else
        cluster_table_print(cluster);
    bramble_cluster_free(cluster);
    return status;
}

static const char *const paragraphs[] = {
    "Reaches every machine of a cluster over ssh, all at once, and shows what it is (processor, cores, "
    "memory, the kernels "
    "it runs), how fast it is, and in one line each what is wrong with it.",
    "trees: histograms of tree training, in millions of a row's features a second, all cores together. gemm: "
    "single "
    "precision matrix products. link: bytes a second from here, and latency a round trip of one byte, both "
    "inside ssh, "
    "whose cipher bounds the former on small machines.",
    "ssh is the one you use: your keys, your agent, your ~/.ssh/config, never a password. The environment "
    "variable "
    "BRAMBLE_SSH may name another program with options.",
    NULL,
};

static const struct option options[] = {
    OPTION_CLUSTER_OF(nodes_values),
    {.name = "measure",
     .kind = OPTION_TOGGLE,
     .offset = FIELD(nodes_values, measure),
     .fallback = "on",
     .help =
         "measure kernels and links, which takes two seconds and one more a node; without, half a second"},
    {.name = "record",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = FIELD(nodes_values, record),
     .help = "also keep what was found, as JSON"},
    {.name = "recorded",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = FIELD(nodes_values, recorded),
     .help = "show what --record kept, without the machines"},
    OPTION_JSON_OF(nodes_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"format", "bramble-nodes-1"},
    {"recorded", "when, in seconds since 1970"},
    {"nodes",
     "for each node what the cluster file says of it (name, host, user, program, cores, memory_bytes, "
     "local), "
     "whether it is usable, its problem, and its report, or null: arch, system, model, bramble, mpi, "
     "kernels, "
     "program, cores, memory_bytes, memory_free_bytes, disk_free_bytes, clock_offset_seconds, under_voltage, "
     "throttled, temperature, tree_rate, gemm_gflops, bandwidth_mbs, latency_ms and some more"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble nodes --cluster cluster.ini", "looks at all machines and measures them"},
    {"bramble nodes --no-measure", "only sees who is there"},
    {"bramble nodes --record home.json", "keeps what was found"},
    {NULL, NULL},
};

const struct command command_nodes = {
    .name = "nodes",
    .summary = "look at the machines of a cluster: what they are, how fast, what is wrong",
    .paragraphs = paragraphs,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct nodes_values){.cluster = "cluster.ini", .measure = -1},
    .values_size = sizeof(struct nodes_values),
    .run = run,
};
