/* What bramble/plan.h offers. */
#include <bramble/bramble.h>
#include <math.h>
#include <string.h>

#include "api/plan_handle.h"
#include "base/error.h"
#include "base/mem.h"

enum { TREES_A_PROCESSOR = 2, TREE_NODE_BYTES = 16 }; /* that are tried; of a node, as it is handed in */

static bramble_status measure_forest(struct bramble_plan *plan, const bramble_table *table,
                                     const bramble_forest_options *options, bramble_error *error)
{
    bramble_forest_options few = *options;
    bramble_forest_stats stats;
    bramble_model *model;
    bramble_model_info info;
    uint32_t tried = TREES_A_PROCESSOR * plan->here.cores;
    few.trees = tried < options->trees ? tried : options->trees;
    few.engine = NULL;
    few.progress = NULL;
    few.oob_score = false;
    bramble_status status = bramble_forest_train(&model, table, &few, &stats, error);
    if (status) return status;
    bramble_model_info_get(model, &info);
    plan->tree_seconds = fmax(stats.fit_seconds - stats.bin_seconds, 1e-6) / few.trees;
    plan->forest.trees = options->trees;
    plan->forest.tree_bytes = fmax((double)info.n_nodes, 1) * TREE_NODE_BYTES / few.trees;
    plan->forest.data_bytes = (double)bramble_table_n_rows(table) * info.n_features;
    bramble_model_free(model);
    return BRAMBLE_OK;
}

static bramble_status make(struct bramble_plan *plan, const bramble_table *table,
                           const bramble_plan_options *options, bramble_error *error)
{
    const bramble_forest_options defaults = BRAMBLE_FOREST_OPTIONS_INIT;
    plan->is_net = options->net;
    bramble_status status = plan_find_nodes(plan, options, error);
    if (!status && plan->is_net) {
        bramble_net_options net = *options->net;
        net.engine = NULL;
        net.progress = NULL;
        status = net_measure(&plan->net, table, &net, error);
    } else if (!status) {
        status = measure_forest(plan, table, options->forest ? options->forest : &defaults, error);
    }
    if (status) return status;
    plan_scale_nodes(plan);
    return plan_find_ways(plan, error);
}

bramble_status bramble_plan_make(bramble_plan **out, const bramble_table *table,
                                 const bramble_plan_options *options, bramble_error *error)
{
    struct bramble_plan *plan = mem_zalloc(1, sizeof *plan);
    if (!plan) return error_memory(error, "a plan");
    bramble_status status = make(plan, table, options, error);
    if (status)
        bramble_plan_free(plan);
    else
        *out = plan;
    return status;
}

void bramble_plan_free(bramble_plan *plan)
{
    if (!plan) return;
    for (uint32_t w = 0; w < plan->n_ways; w++) plan_choice_fini(&plan->ways[w].choice);
    mem_free(plan->groups);
    mem_free(plan->nodes);
    mem_free(plan->missing);
    mem_free(plan);
}

void bramble_plan_work_get(const bramble_plan *plan, bramble_plan_work *out)
{
    *out =
        (bramble_plan_work){.sample_seconds = plan->is_net ? plan->net.sample_seconds : NAN,
                            .tree_seconds = plan->is_net ? NAN : plan->tree_seconds,
                            .gemm_gflops = plan->here.speed.gemm_gflops,
                            .tree_rate = plan->here.speed.tree_rate,
                            .parameters = plan->net.parameters,
                            .samples = (uint64_t)(plan->is_net ? plan->net.net.samples : plan->forest.trees),
                            .batch_size = plan->net.net.batch};
}

size_t bramble_plan_n_ways(const bramble_plan *plan)
{
    return plan->n_ways;
}

static const char *bound_name(enum plan_bound bound)
{
    static const char *const names[] = {[PLAN_BY_WORK] = "computing",
                                        [PLAN_BY_WIRE] = "bandwidth",
                                        [PLAN_BY_LATENCY] = "latency",
                                        [PLAN_BY_PROCESSOR] = "processing messages"};
    return names[bound];
}

void bramble_plan_way_get(const bramble_plan *plan, size_t number, bramble_plan_way *out)
{
    const struct plan_way *way = &plan->ways[number];
    const struct plan_choice *choice = &way->choice;
    *out = (bramble_plan_way){.name = way->name, .options = way->options, .problem = way->problem};
    if (!way->possible) return;
    out->possible = true;
    out->exact = way->exact;
    out->best = way->best;
    out->seconds_a_step = choice->time.seconds;
    out->seconds_a_step_low = choice->low;
    out->seconds_a_step_high = choice->high;
    out->seconds = way->seconds;
    out->seconds_low = way->low;
    out->seconds_high = way->high;
    out->efficiency = 1 / (way->rate_alone * choice->time.seconds);
    out->sent_bytes = choice->time.sent;
    out->memory_bytes = choice->time.memory;
    for (uint32_t g = 0; g < plan->n_groups; g++) out->nodes += choice->used[g];
    out->bound = bound_name(choice->bound);
}

size_t bramble_plan_n_nodes(const bramble_plan *plan)
{
    return plan->n_groups;
}

void bramble_plan_node_get(const bramble_plan *plan, size_t number, bramble_plan_node *out)
{
    const struct plan_group *group = &plan->groups[number];
    *out = (bramble_plan_node){.name = group->name,
                               .count = group->n,
                               .measured = plan->nodes[number].measured,
                               .samples_a_second =
                                   1 / (plan->is_net ? group->sample_seconds : group->tree_seconds),
                               .spread = group->spread,
                               .bandwidth_mbs = fmin(group->link.up, group->link.down) / 1e6,
                               .latency_ms = 2e3 * group->link.latency,
                               .memory_bytes = group->memory};
}

void bramble_plan_part_get(const bramble_plan *plan, size_t way, size_t node, bramble_plan_part *out)
{
    const struct plan_choice *choice = &plan->ways[way].choice;
    static const char *const reasons[] = {
        [PLAN_TAKES_PART] = "",
        [PLAN_NO_MEMORY] = "it has not enough memory for the network and its data",
        [PLAN_HINDERS] = "a step would take longer with it",
    };
    *out = (bramble_plan_part){.reason = "", .seconds_a_step = NAN, .bound = ""};
    if (!plan->ways[way].possible) return;
    out->taken = choice->used[node];
    out->reason = reasons[choice->reasons[node]];
    if (choice->reasons[node] != PLAN_HINDERS || !choice->hindrances) return;
    out->seconds_a_step = choice->hindrances[node].seconds;
    out->bound = bound_name(choice->hindrances[node].bound);
}

bool bramble_plan_unknown(const bramble_plan *plan, size_t i, const char **name, const char **reason)
{
    if (i >= plan->n_missing) return false;
    *name = plan->missing[i].name;
    *reason = plan->missing[i].reason;
    return true;
}
