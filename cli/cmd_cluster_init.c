/* bramble cluster init: looks at some machines and writes the file that lists them. */
#include <stdio.h>

#include "base/error.h"
#include "cluster_table.h"
#include "common.h"
#include "json_out.h"

struct cluster_init_values {
    struct word_list hosts;
    const char *out;
    int local; /* 0: no */
    bool json;
};

static size_t count_usable(const bramble_cluster *cluster)
{
    size_t usable = 0;
    for (size_t i = 0; i < bramble_cluster_n_nodes(cluster); i++) {
        bramble_node node;
        bramble_cluster_node(cluster, i, &node);
        usable += node.usable;
    }
    return usable;
}

static bramble_status print_json(const bramble_cluster *cluster, const char *path, bramble_error *error)
{
    struct json_out out;
    char *json;
    bramble_status status = bramble_cluster_record(cluster, &json, error);
    if (status) return status;
    json_out_init(&out);
    json_t *record = json_loads(json, 0, NULL);
    bramble_string_free(json);
    json_out_text(&out, "cluster", path);
    json_out_count(&out, "usable", count_usable(cluster));
    json_out_put(&out, "nodes", json_incref(json_object_get(record, "nodes")));
    json_decref(record);
    return json_out_end(&out, error);
}

static void print_text(const bramble_cluster *cluster, const char *path)
{
    cluster_table_print(cluster);
    printf("written to %s\n", path);
    if (count_usable(cluster) < bramble_cluster_n_nodes(cluster))
        printf("next: bramble doctor --cluster %s\n", path);
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct cluster_init_values *v = values;
    bramble_cluster *cluster;
    bramble_status status = check_output(v->out, NULL, error);
    if (!status)
        status = bramble_cluster_of_hosts(&cluster, (const char *const *)v->hosts.words, v->hosts.n,
                                          v->local != 0, error);
    if (status) return status;
    status = cluster_table_probe(cluster, false, v->json, error);
    if (!status) status = bramble_cluster_write(cluster, v->out, error);
    if (!status && v->json) status = print_json(cluster, v->out, error);
    if (!status && !v->json) print_text(cluster, v->out);
    bramble_cluster_free(cluster);
    return status;
}

static const char *const paragraphs[] = {
    "Looks at the machines named and writes a file that lists them, those too that do not answer yet. This "
    "machine "
    "takes part unless told otherwise. The file is a few lines of text; edit it as you like.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "HOST",
     .help = "a name, an address or an alias of ~/.ssh/config, also as USER@HOST",
     .many = true,
     .offset = FIELD(cluster_init_values, hosts)},
    {.name = NULL},
};

static const struct option options[] = {
    {.name = "out",
     .value = "FILE",
     .kind = OPTION_TEXT,
     .offset = FIELD(cluster_init_values, out),
     .fallback = "cluster.ini",
     .help = "the file to write"},
    {.name = "local",
     .kind = OPTION_TOGGLE,
     .offset = FIELD(cluster_init_values, local),
     .fallback = "on",
     .help = "let this machine take part"},
    OPTION_JSON_OF(cluster_init_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"cluster", "the file that was written"},
    {"usable", "how many nodes can be used now"},
    {"nodes", "each node, as bramble nodes gives it"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble cluster init pi1 pi2 pi@192.168.1.13", "three machines and this one"},
    {"bramble cluster init pi1 pi2 --no-local --out pis.ini", "two machines, without this one"},
    {NULL, NULL},
};

const struct command command_cluster_init = {
    .name = "cluster init",
    .summary = "write the file that lists a cluster's machines, after looking at them",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct cluster_init_values){.out = "cluster.ini", .local = -1},
    .values_size = sizeof(struct cluster_init_values),
    .run = run,
};
