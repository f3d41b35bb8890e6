/* bramble cluster install: bramble onto every machine of a cluster. */
#include <stdio.h>

#include "base/error.h"
#include "cluster_table.h"
#include "common.h"
#include "interrupt.h"
#include "json_out.h"
#include "report/readable.h"

struct cluster_install_values {
    const char *cluster;
    struct word_list programs;
    bool json;
};

struct told {
    json_t *nodes; /* NULL: to people */
    unsigned failed;
    bool out_of_memory;
};

static bool go_on(void *context)
{
    (void)context;
    return !interrupt_seen();
}

static void tell(const bramble_installed *installed, void *context)
{
    static const char *const words[] = {"installed", "unchanged", "failed"};
    struct told *told = context;
    told->failed += installed->outcome == BRAMBLE_INSTALL_FAILED;
    if (told->nodes) {
        struct json_out node;
        json_out_init(&node);
        json_out_text(&node, "node", installed->node);
        json_out_text(&node, "outcome", words[installed->outcome]);
        json_out_text(&node, "arch", installed->arch);
        json_out_text(&node, "text", installed->text);
        if (json_array_append_new(told->nodes, node.root) != 0 || node.failed) told->out_of_memory = true;
        return;
    }
    printf("%-9s  %s: ", words[installed->outcome], readable_name(installed->node, 40).text);
    readable_write(stdout, installed->text, false);
    printf("\n");
}

static bramble_status install(const struct cluster_install_values *v, struct told *told, bramble_error *error)
{
    bramble_cluster *cluster;
    bramble_install_options options = {.tell = tell, .go_on = go_on, .context = told};
    bramble_status status = bramble_cluster_read(&cluster, v->cluster, error);
    if (status) return status;
    interrupt_watch();
    status = bramble_cluster_install(cluster, (const char *const *)v->programs.words, v->programs.n, &options,
                                     error);
    bramble_cluster_free(cluster);
    if (!status && told->failed)
        return error_set(error, BRAMBLE_ERR_IO, "bramble could not be installed on %s",
                         readable_items(told->failed, "node", "nodes").text);
    return status;
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct cluster_install_values *v = values;
    struct told told = {.nodes = v->json ? json_array() : NULL};
    bramble_status status = install(v, &told, error);
    if (!v->json || (status && !told.failed)) {
        json_decref(told.nodes);
        return status;
    }
    struct json_out out;
    json_out_init(&out);
    out.failed |= told.out_of_memory;
    json_out_count(&out, "failed", told.failed);
    json_out_put(&out, "nodes", told.nodes);
    bramble_status printed = json_out_end(&out, status ? NULL : error);
    return status ? status : printed;
}

static const char *const paragraphs[] = {
    "Copies bramble over ssh to ~/.local/bin/bramble on every machine of the cluster, or to where the "
    "cluster file says "
    "the program is. Each gets the program for its processor: one named with --program, else this very one, "
    "else "
    "arm64/bramble beside it. It appears there whole or not at all, after its checksum was compared and it "
    "has started; a "
    "machine that has it already is left alone.",
    "The machines need the libraries that bramble uses; where they are missing, the command says what to "
    "type there.",
    NULL,
};

static const struct option options[] = {
    OPTION_CLUSTER_OF(cluster_install_values),
    {.name = "program",
     .value = "FILE",
     .kind = OPTION_LIST,
     .offset = FIELD(cluster_install_values, programs),
     .help = "a bramble built for some machines' processor; may be given more than once"},
    OPTION_JSON_OF(cluster_install_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"failed", "how many nodes it could not be installed on"},
    {"nodes", "for each node its name, outcome (installed, unchanged or failed), arch, and a text on it"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble cluster install", "onto the machines of ./cluster.ini"},
    {"bramble cluster install --cluster pis.ini --program build/arm64/bramble",
     "onto Raspberry Pis, from a desktop"},
    {NULL, NULL},
};

const struct command command_cluster_install = {
    .name = "cluster install",
    .summary = "copy bramble to every machine of a cluster",
    .paragraphs = paragraphs,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct cluster_install_values){.cluster = "cluster.ini"},
    .values_size = sizeof(struct cluster_install_values),
    .run = run,
};
