#include "plan_table.h"

#include <math.h>
#include <stdio.h>

#include "json_out.h"
#include "report/readable.h"

enum { NAME_COLUMNS = 20, WAY_COLUMNS = 20, CELL = 64 };

/* --- for people --- */

static void print_work(const bramble_plan_work *work)
{
    if (work->parameters)
        printf("measured here: %s a sample of this network, %s numbers, batches of %s, %s in all\n\n",
               readable_seconds(work->sample_seconds).text, readable_count(work->parameters).text,
               readable_count(work->batch_size).text,
               readable_items(work->samples, "sample", "samples").text);
    else
        printf("measured here: %s a tree, %s in all\n\n", readable_seconds(work->tree_seconds).text,
               readable_items(work->samples, "tree", "trees").text);
}

static void print_nodes(const bramble_plan *plan, bool net)
{
    printf("%-*s  %6s  %-9s  %20s  %10s  %9s  %9s\n", NAME_COLUMNS, "node", "number", "speed", "", "link",
           "latency", "memory");
    for (size_t i = 0; i < bramble_plan_n_nodes(plan); i++) {
        bramble_plan_node node;
        char speed[CELL];
        bramble_plan_node_get(plan, i, &node);
        struct readable name = readable_name(node.name, NAME_COLUMNS);
        snprintf(speed, sizeof speed, "%.20s %s/s +-%.0f%%", readable_rate(node.samples_a_second).text,
                 net ? "samples" : "trees", 100 * node.spread);
        printf("%s%*s  %6s  %-9s  %20s  %5.0f MB/s  %6.1f ms  %9s\n", name.text,
               (int)(NAME_COLUMNS - readable_columns(name.text)), "", readable_count(node.count).text,
               node.measured ? "measured" : "catalogue", speed, node.bandwidth_mbs, node.latency_ms,
               readable_bytes(node.memory_bytes).text);
    }
}

static void print_way(const bramble_plan_way *way, bool net)
{
    char step[CELL], run[CELL];
    if (!way->possible) {
        printf("  %-*s  %s\n", WAY_COLUMNS, way->name, way->problem);
        return;
    }
    snprintf(step, sizeof step, "%.20s", readable_seconds(way->seconds_a_step).text);
    snprintf(run, sizeof run, "%.20s (%.16s to %.16s)", readable_seconds(way->seconds).text,
             readable_seconds(way->seconds_low).text, readable_seconds(way->seconds_high).text);
    printf("%c %-*s  %10s  %-36s  %5s  %10.2f  %9s  %s%s\n", way->best ? '*' : ' ', WAY_COLUMNS, way->name,
           step, run, readable_count(way->nodes).text, way->efficiency,
           readable_bytes(way->memory_bytes).text, net ? way->bound : "computing",
           way->exact ? "" : "; not exact");
}

static void print_ways(const bramble_plan *plan, bool net)
{
    printf("\n  %-*s  %10s  %-36s  %5s  %10s  %9s  %s\n", WAY_COLUMNS, "way", net ? "a step" : "a tree",
           "the run, and the range of it", "nodes", "efficiency", "memory", "bound by");
    for (size_t w = 0; w < bramble_plan_n_ways(plan); w++) {
        bramble_plan_way way;
        bramble_plan_way_get(plan, w, &way);
        print_way(&way, net);
    }
}

static void print_left_out(const bramble_plan *plan, size_t w)
{
    bramble_plan_way way;
    bramble_plan_way_get(plan, w, &way);
    for (size_t i = 0; i < bramble_plan_n_nodes(plan); i++) {
        bramble_plan_node node;
        bramble_plan_part part;
        bramble_plan_node_get(plan, i, &node);
        bramble_plan_part_get(plan, w, i, &part);
        if (!*part.reason) continue;
        printf("%s leaves out ", way.name);
        if (node.count > 1)
            printf("%s of %s ", readable_count(node.count - part.taken).text,
                   readable_count(node.count).text);
        printf("%s: %s", readable_name(node.name, NAME_COLUMNS).text, part.reason);
        if (*part.bound) printf(", %s, bound by %s", readable_seconds(part.seconds_a_step).text, part.bound);
        printf("\n");
    }
}

static void print_best(const bramble_plan *plan, size_t w)
{
    bramble_plan_way way;
    bramble_plan_way_get(plan, w, &way);
    printf("\n* the fastest of those that make one machine's model, bit for bit: %s", way.name);
    if (*way.options) printf(" (%s)", way.options);
    printf("\n");
}

void plan_table_print(const bramble_plan *plan)
{
    bramble_plan_work work;
    bramble_plan_way way;
    const char *name, *reason;
    size_t best = 0;
    bramble_plan_work_get(plan, &work);
    bool net = work.parameters > 0;
    print_work(&work);
    print_nodes(plan, net);
    for (size_t i = 0; bramble_plan_unknown(plan, i, &name, &reason); i++)
        printf("%s: nothing can be planned for it: %s\n", readable_name(name, NAME_COLUMNS).text,
               readable_name(reason, READABLE_COLUMNS_MAX).text);
    print_ways(plan, net);
    printf("\n");
    for (size_t w = 0; w < bramble_plan_n_ways(plan); w++) {
        bramble_plan_way_get(plan, w, &way);
        if (way.possible && way.nodes) print_left_out(plan, w);
        if (way.best) best = w;
    }
    print_best(plan, best);
}

/* --- JSON --- */

static json_t *parts_json(const bramble_plan *plan, size_t way)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < bramble_plan_n_nodes(plan); i++) {
        bramble_plan_part part;
        bramble_plan_part_get(plan, way, i, &part);
        json_array_append_new(list, json_pack("{s:I, s:s, s:o, s:s}", "taken", (json_int_t)part.taken,
                                              "reason", part.reason, "seconds_a_step",
                                              json_from_number(part.seconds_a_step), "bound", part.bound));
    }
    return list;
}

static json_t *way_json(const bramble_plan *plan, size_t w)
{
    struct json_out out;
    bramble_plan_way way;
    bramble_plan_way_get(plan, w, &way);
    json_out_init(&out);
    json_out_text(&out, "name", way.name);
    json_out_text(&out, "options", way.options);
    json_out_put(&out, "possible", json_boolean(way.possible));
    json_out_text(&out, "problem", way.problem);
    if (way.possible) {
        json_out_put(&out, "exact", json_boolean(way.exact));
        json_out_put(&out, "best", json_boolean(way.best));
        json_out_number(&out, "seconds_a_step", way.seconds_a_step);
        json_out_number(&out, "seconds_a_step_low", way.seconds_a_step_low);
        json_out_number(&out, "seconds_a_step_high", way.seconds_a_step_high);
        json_out_number(&out, "seconds", way.seconds);
        json_out_number(&out, "seconds_low", way.seconds_low);
        json_out_number(&out, "seconds_high", way.seconds_high);
        json_out_number(&out, "efficiency", way.efficiency);
        json_out_number(&out, "sent_bytes", way.sent_bytes);
        json_out_number(&out, "memory_bytes", way.memory_bytes);
        json_out_count(&out, "nodes", way.nodes);
        json_out_text(&out, "bound", way.bound);
        json_out_put(&out, "of_nodes", parts_json(plan, w));
    }
    if (out.failed) json_decref(out.root);
    return out.failed ? NULL : out.root;
}

static json_t *node_json(const bramble_plan *plan, size_t i)
{
    bramble_plan_node node;
    bramble_plan_node_get(plan, i, &node);
    return json_pack("{s:o, s:I, s:b, s:o, s:o, s:o, s:o, s:o}", "name", json_from_text(node.name), "count",
                     (json_int_t)node.count, "measured", node.measured, "rate",
                     json_from_number(node.samples_a_second), "spread", json_from_number(node.spread),
                     "bandwidth_mbs", json_from_number(node.bandwidth_mbs), "latency_ms",
                     json_from_number(node.latency_ms), "memory_bytes", json_from_number(node.memory_bytes));
}

static json_t *unknown_json(const bramble_plan *plan)
{
    json_t *list = json_array();
    const char *name, *reason;
    for (size_t i = 0; list && bramble_plan_unknown(plan, i, &name, &reason); i++)
        json_array_append_new(
            list, json_pack("{s:o, s:o}", "name", json_from_text(name), "reason", json_from_text(reason)));
    return list;
}

bramble_status plan_table_print_json(const bramble_plan *plan, bramble_error *error)
{
    struct json_out out;
    bramble_plan_work work;
    json_t *nodes = json_array(), *ways = json_array();
    bramble_plan_work_get(plan, &work);
    json_out_init(&out);
    json_out_text(&out, "format", "bramble-plan-1");
    json_out_number(&out, "sample_seconds", work.sample_seconds);
    json_out_number(&out, "tree_seconds", work.tree_seconds);
    json_out_number(&out, "gemm_gflops", work.gemm_gflops);
    json_out_number(&out, "tree_rate", work.tree_rate);
    json_out_count(&out, "parameters", work.parameters);
    json_out_count(&out, "samples", work.samples);
    json_out_count(&out, "batch_size", work.batch_size);
    for (size_t i = 0; i < bramble_plan_n_nodes(plan); i++)
        out.failed |= json_array_append_new(nodes, node_json(plan, i)) != 0;
    for (size_t w = 0; w < bramble_plan_n_ways(plan); w++)
        out.failed |= json_array_append_new(ways, way_json(plan, w)) != 0;
    json_out_put(&out, "nodes", nodes);
    json_out_put(&out, "unknown", unknown_json(plan));
    json_out_put(&out, "ways", ways);
    return json_out_end(&out, error);
}
