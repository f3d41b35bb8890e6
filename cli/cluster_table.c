#include "cluster_table.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "interrupt.h"
#include "report/progress.h"
#include "report/readable.h"

enum { NAME_COLUMNS = 20, MODEL_COLUMNS = 30, CELL = 40 };

static bool go_on(void *context)
{
    (void)context;
    return !interrupt_seen();
}

bramble_status cluster_table_probe(bramble_cluster *cluster, bool measure, bool quiet, bramble_error *error)
{
    struct progress progress;
    bramble_probe_options options = BRAMBLE_PROBE_OPTIONS_INIT;
    options.measure = measure;
    options.go_on = go_on;
    progress_init(&progress, quiet ? NULL : stderr, "nodes");
    interrupt_watch();
    progress_note(&progress, measure ? "measuring the nodes" : "asking the nodes");
    bramble_status status = bramble_cluster_probe(cluster, &options, error);
    progress_clear(&progress);
    return status;
}

/* A figure and its unit, or "-" when it was not measured. */
static const char *cell(char buffer[CELL], double value, const char *unit)
{
    if (isnan(value))
        snprintf(buffer, CELL, "-");
    else
        snprintf(buffer, CELL, "%.30s %s", readable_rate(value).text, unit);
    return buffer;
}

static void print_name(const char *text, unsigned columns)
{
    struct readable name = readable_name(text, columns);
    printf("%s%*s  ", name.text, (int)(columns - readable_columns(name.text)), "");
}

/* Columns that the widest of the names takes. */
static unsigned name_columns(const bramble_cluster *cluster)
{
    unsigned widest = 4;
    for (size_t i = 0; i < bramble_cluster_n_nodes(cluster); i++) {
        bramble_node node;
        bramble_cluster_node(cluster, i, &node);
        unsigned columns = readable_columns(readable_name(node.name, NAME_COLUMNS).text);
        if (columns > widest) widest = columns;
    }
    return widest;
}

static void print_node(const bramble_node *node, unsigned columns)
{
    char trees[CELL], gemm[CELL], link[CELL], latency[CELL];
    print_name(node->name, columns);
    if (!node->answered) {
        printf("no answer\n");
        return;
    }
    print_name(*node->model ? node->model : node->system, MODEL_COLUMNS);
    printf("%-8s %5u  %8s  %-7s  %10s  %12s  %10s  %8s\n", node->arch, node->cores,
           readable_bytes((double)node->memory_bytes).text, node->kernels,
           cell(trees, node->tree_rate, "M/s"), cell(gemm, node->gemm_gflops, "GFLOPS"),
           node->local ? "here" : cell(link, node->bandwidth_mbs, "MB/s"),
           node->local ? "" : cell(latency, node->latency_ms, "ms"));
}

static void print_problems(const bramble_cluster *cluster)
{
    size_t n = bramble_cluster_n_nodes(cluster), usable = 0;
    for (size_t i = 0; i < n; i++) {
        bramble_node node;
        bramble_cluster_node(cluster, i, &node);
        usable += node.usable;
        if (!*node.problem) continue;
        printf("%s: ", readable_name(node.name, NAME_COLUMNS).text);
        readable_write(stdout, node.problem, false);
        printf("\n");
    }
    printf("%zu of %s can be used\n", usable, readable_items(n, "node", "nodes").text);
}

void cluster_table_print(const bramble_cluster *cluster)
{
    unsigned columns = name_columns(cluster);
    printf("%-*s  %-*s  %-8s %5s  %8s  %-7s  %10s  %12s  %10s  %8s\n", (int)columns, "node", MODEL_COLUMNS,
           "machine", "", "cores", "memory", "kernels", "trees", "gemm", "link", "latency");
    for (size_t i = 0; i < bramble_cluster_n_nodes(cluster); i++) {
        bramble_node node;
        bramble_cluster_node(cluster, i, &node);
        print_node(&node, columns);
    }
    print_problems(cluster);
}
