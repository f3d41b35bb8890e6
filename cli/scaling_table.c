#include "scaling_table.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "json_out.h"
#include "report/plot_file.h"
#include "report/readable.h"

enum { CELL = 24 };

#define EMULATED                                                                                             \
    "Speeds are emulated: each node has a share of one machine's cores, in proportion to the real ones."

/* Table I of "Deep Neural Network with Raspberry Pi" (Cabral, Sok), for the clusters it has. */
static const struct paper_row {
    const char *cluster;
    double seconds, scalability;
} paper[] = {
    {"1 pi4", 901, 1.00},
    {"1 pi4 + 1 desktop", 237, 1.38},
    {"2 pi4 + 1 desktop", 181, 1.33},
    {"3 pi4 + 1 desktop", 152, 1.25},
    {"4 pi4 + 1 desktop", 134, 1.17},
    {"4 pi4 + 1 desktop + 1 laptop", 124, 0.97},
};

static const struct paper_row *in_paper(const char *cluster)
{
    for (size_t i = 0; i < sizeof paper / sizeof *paper; i++)
        if (strcmp(paper[i].cluster, cluster) == 0) return &paper[i];
    return NULL;
}

static unsigned widest(const bramble_scaling *scaling)
{
    unsigned columns = 7;
    for (size_t k = 0; k < scaling->n_nodes; k++) {
        unsigned row = readable_columns(readable_name(scaling->rows[k].cluster, READABLE_COLUMNS_MAX).text);
        if (row > columns) columns = row;
    }
    return columns;
}

static void print_name(const char *text, unsigned columns)
{
    struct readable name = readable_name(text, columns);
    printf("%s%*s", name.text, (int)(columns - readable_columns(name.text)), "");
}

static void print_nodes(const bramble_scaling *scaling, unsigned columns)
{
    printf("%-*s  %8s  %15s\n", (int)columns, "alone", "trees/s", "whole forest s");
    for (size_t k = 0; k < scaling->n_nodes; k++) {
        const bramble_scaling_node *node = &scaling->nodes[k];
        print_name(node->name, columns);
        printf("  %8.3f  %15.1f\n", node->trees_per_second, node->seconds);
    }
}

static void print_rows(const bramble_scaling *scaling, unsigned columns, bool any_paper)
{
    printf("\n%-*s  %5s  %8s  %8s  %11s  %11s%s  %10s\n", (int)columns, "cluster", "cores", "memory",
           "ideal s", "measured s", "scalability", any_paper ? "  in paper" : "", "efficiency");
    for (size_t k = 0; k < scaling->n_nodes; k++) {
        const bramble_scaling_row *row = &scaling->rows[k];
        const struct paper_row *other = in_paper(row->cluster);
        char theirs[CELL] = "-";
        if (other) snprintf(theirs, sizeof theirs, "%.2f", other->scalability);
        print_name(row->cluster, columns);
        printf("  %5u  %8s  %8.1f  %10.1f%s  %11.2f", row->cores,
               readable_bytes((double)row->memory_bytes).text, row->ideal_seconds, row->seconds,
               row->scaled ? "*" : " ", row->scalability);
        if (any_paper) printf("  %8s", theirs);
        printf("  %10.3f\n", row->efficiency);
    }
}

void scaling_table_print(const bramble_scaling *scaling, const struct scaling_circumstances *of)
{
    unsigned columns = widest(scaling);
    bool any_paper = false;
    for (size_t k = 0; k < scaling->n_nodes; k++) any_paper |= in_paper(scaling->rows[k].cluster) != NULL;
    if (of->emulated) printf("%s\n", EMULATED);
    printf("A forest of %s on ", readable_items(scaling->trees, "tree", "trees").text);
    readable_write(stdout, of->data, false);
    printf(", the same in every row. Data %s.",
           of->cold ? "sent anew for each row" : "already cached on the nodes");
    if (of->rounds > 1) printf(" Medians of %u rounds.", of->rounds);
    printf("\n\n");
    print_nodes(scaling, columns);
    print_rows(scaling, columns, any_paper && of->emulated);
    for (size_t k = 0; k < scaling->n_nodes; k++)
        if (scaling->rows[k].idle)
            printf("\n%s grew no tree for %s: that row is of fewer nodes than it names.",
                   readable_name(scaling->rows[k].idle, READABLE_COLUMNS_MAX).text,
                   readable_name(scaling->rows[k].cluster, READABLE_COLUMNS_MAX).text);
    printf("\n* Not run for so long: scaled from what the node did alone once at work, watched for %s before "
           "and %s "
           "after.\n",
           readable_seconds(of->seconds / 6).text, readable_seconds(of->seconds / 6).text);
    printf("Measured: from the start of the launch to the finished forest. Ideal: the first row's time by "
           "cores.\n"
           "Scalability: speed-up divided by times the cores, as the paper has it.\n"
           "Efficiency: against all its nodes going on as each does alone.\n");
}

static json_t *nodes_json(const bramble_scaling *scaling)
{
    json_t *list = json_array();
    for (size_t k = 0; list && k < scaling->n_nodes; k++) {
        const bramble_scaling_node *node = &scaling->nodes[k];
        json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "node", json_from_text(node->name),
                                              "trees_per_second", json_from_number(node->trees_per_second),
                                              "seconds", json_from_number(node->seconds)));
    }
    return list;
}

static json_t *row_json(const bramble_scaling_row *row)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o}", "cluster",
                     json_from_text(row->cluster), "nodes", (json_int_t)row->nodes, "cores",
                     (json_int_t)row->cores, "memory_bytes", (json_int_t)row->memory_bytes, "idle",
                     row->idle ? json_from_text(row->idle) : json_null(), "ideal_seconds",
                     json_from_number(row->ideal_seconds), "seconds", json_from_number(row->seconds),
                     "scaled", row->scaled, "parts_seconds", json_from_number(row->parts_seconds), "speedup",
                     json_from_number(row->speedup), "scalability", json_from_number(row->scalability),
                     "efficiency", json_from_number(row->efficiency));
}

bramble_status scaling_table_json(const bramble_scaling *scaling, const struct scaling_circumstances *of,
                                  bramble_error *error)
{
    struct json_out out;
    json_t *rows = json_array();
    json_out_init(&out);
    for (size_t k = 0; k < scaling->n_nodes; k++)
        out.failed |= json_array_append_new(rows, row_json(&scaling->rows[k])) != 0;
    json_out_put(&out, "emulated", json_boolean(of->emulated));
    json_out_text(&out, "data", of->data);
    json_out_count(&out, "trees", scaling->trees);
    json_out_put(&out, "cold", json_boolean(of->cold));
    json_out_count(&out, "rounds", of->rounds);
    json_out_put(&out, "nodes", nodes_json(scaling));
    json_out_put(&out, "rows", rows);
    return json_out_end(&out, error);
}

/* Columns of the plot, n each. */
struct curves {
    double *cores, *measured, *parts, *ideal;
};

static void fill_in(const struct curves *c, const bramble_scaling *scaling)
{
    for (size_t k = 0; k < scaling->n_nodes; k++) {
        const bramble_scaling_row *row = &scaling->rows[k];
        c->cores[k] = row->cores;
        c->measured[k] = row->speedup;
        c->parts[k] = scaling->rows[0].seconds / row->parts_seconds;
        c->ideal[k] = (double)row->cores / scaling->rows[0].cores;
    }
}

bramble_status scaling_table_plot(const bramble_scaling *scaling, const struct scaling_circumstances *of,
                                  const char *path, bramble_error *error)
{
    size_t n = scaling->n_nodes;
    double *room = mem_alloc(4 * n, sizeof *room);
    if (!room) return error_memory(error, "a plot");
    struct curves c = {room, room + n, room + 2 * n, room + 3 * n};
    fill_in(&c, scaling);
    const struct plot_series series[] = {
        {.name = "measured", .x = c.cores, .y = c.measured, .n = n},
        {.name = "sum of the parts, each as it is alone", .x = c.cores, .y = c.parts, .n = n, .dashed = true},
        {.name = "ideal by cores", .x = c.cores, .y = c.ideal, .n = n, .dashed = true},
    };
    struct plot plot = {.title = "Training a forest, a node added at a time",
                        .note = of->emulated ? EMULATED : NULL,
                        .x_label = "cores",
                        .y_label = "times as fast as the first node",
                        .x_from_zero = true,
                        .y_from_zero = true,
                        .series = series,
                        .n_series = sizeof series / sizeof *series};
    bramble_status status = plot_svg_save(path, &plot, 1, error);
    mem_free(room);
    return status;
}
