/* Ways of training on the machines of a plan: each with the nodes it is fastest on. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/plan_handle.h"
#include "base/error.h"
#include "base/mem.h"

static const struct net_way {
    const char *name, *options;
    enum plan_kind kind;
    bool exact, alone;
} net_ways[] = {
    {"alone", "", PLAN_RING, true, true},
    {"ring", "--parallel ring", PLAN_RING, true, false},
    {"central", "--parallel central", PLAN_CENTRAL, true, false},
    {"central, staleness 1", "--parallel central --staleness 1", PLAN_STALE, false, false},
    {"local", "--parallel local", PLAN_LOCAL, false, false},
    {"local, int8", "--parallel local --compress int8", PLAN_LOCAL_INT8, false, false},
};

static struct plan_platform platform_of(const struct bramble_plan *plan)
{
    return (struct plan_platform){plan->groups, plan->n_groups, plan->first};
}

/* What nodes that take part do in a second, each by itself: batches, or trees. */
static double rate_of(const struct bramble_plan *plan, const uint32_t *used)
{
    double rate = 0;
    for (uint32_t g = 0; g < plan->n_groups; g++) {
        double batch = (plan->net.net.batch + plan->net.net.overhead) * plan->groups[g].sample_seconds;
        rate += used[g] / (plan->is_net ? batch : plan->groups[g].tree_seconds);
    }
    return rate;
}

/* Until all have the data the first node goes on alone; then all go on. */
static double run_seconds(double steps, double step, double alone, double begin)
{
    if (steps * alone <= begin) return steps * alone;
    return begin + (steps - begin / alone) * step;
}

static bramble_status time_net(struct plan_way *way, const struct bramble_plan *plan, bramble_error *error)
{
    struct plan_group *groups = mem_alloc(plan->n_groups, sizeof *groups);
    struct plan_platform used = {groups, plan->n_groups, plan->first};
    const struct plan_net *net = &plan->net.net;
    if (!groups) return error_memory(error, "a plan");
    memcpy(groups, plan->groups, plan->n_groups * sizeof *groups);
    for (uint32_t g = 0; g < plan->n_groups; g++) groups[g].n = way->choice.used[g];
    for (uint32_t g = 0; g < plan->n_groups && !groups[used.first].n; g++)
        if (groups[g].n) used.first = g;
    double alone = (net->batch + net->overhead) * groups[used.first].sample_seconds;
    double steps = ceil(net->samples / net->batch);
    way->begin = plan_begin_seconds(&used, net->data_bytes);
    way->seconds = run_seconds(steps, way->choice.time.seconds, alone, way->begin);
    way->low =
        run_seconds(steps, way->choice.low, alone * way->choice.low / way->choice.time.seconds, way->begin);
    way->high =
        run_seconds(steps, way->choice.high, alone * way->choice.high / way->choice.time.seconds, way->begin);
    way->choice.time.memory += net->data_bytes;
    mem_free(groups);
    return BRAMBLE_OK;
}

/* One kind on all groups, or on the first one's node alone. */
static bramble_status find_net_way(struct bramble_plan *plan, const struct net_way *kind,
                                   bramble_error *error)
{
    struct plan_way *way = &plan->ways[plan->n_ways++];
    struct plan_platform platform = platform_of(plan);
    struct plan_group alone = plan->groups[plan->first];
    bramble_error why = {0};
    *way = (struct plan_way){.name = kind->name, .options = kind->options, .exact = kind->exact};
    alone.n = 1;
    if (kind->alone) platform = (struct plan_platform){&alone, 1, 0};
    bramble_status status = plan_choose(&way->choice, kind->kind, &platform, &plan->net.net, NULL, &why);
    if (status == BRAMBLE_ERR_UNSUPPORTED) {
        snprintf(way->problem, sizeof way->problem, "%s", why.message);
        return BRAMBLE_OK;
    }
    if (status) return error_memory(error, "a plan");
    if (kind->alone) {
        uint32_t *used = mem_zalloc(plan->n_groups, sizeof *used);
        enum plan_reason *reasons = mem_zalloc(plan->n_groups, sizeof *reasons);
        mem_free(way->choice.used);
        mem_free(way->choice.reasons);
        mem_free(way->choice.hindrances);
        way->choice.hindrances = NULL;
        way->choice.used = used;
        way->choice.reasons = reasons;
        if (!used || !reasons) return error_memory(error, "a plan");
        used[plan->first] = 1;
    }
    way->possible = true;
    way->rate_alone = rate_of(plan, way->choice.used);
    return time_net(way, plan, error);
}

static bramble_status find_forest_way(struct bramble_plan *plan, bool alone, bramble_error *error)
{
    struct plan_way *way = &plan->ways[plan->n_ways++];
    struct plan_platform platform = platform_of(plan);
    bramble_error why = {0};
    struct plan_group *groups = mem_alloc(plan->n_groups, sizeof *groups);
    *way = (struct plan_way){.name = alone ? "alone" : "trees", .options = "", .exact = true};
    if (!groups) return error_memory(error, "a plan");
    memcpy(groups, plan->groups, plan->n_groups * sizeof *groups);
    for (uint32_t g = 0; g < plan->n_groups && alone; g++) groups[g].n = g == plan->first;
    platform.groups = groups;
    bramble_status status = plan_choose_forest(&way->choice, &platform, &plan->forest, &why);
    mem_free(groups);
    if (status == BRAMBLE_ERR_UNSUPPORTED) {
        snprintf(way->problem, sizeof way->problem, "%s", why.message);
        return BRAMBLE_OK;
    }
    if (status) return error_memory(error, "a plan");
    way->possible = true;
    way->rate_alone = rate_of(plan, way->choice.used);
    way->seconds = way->choice.time.seconds * plan->forest.trees;
    way->low = way->choice.low * plan->forest.trees;
    way->high = way->choice.high * plan->forest.trees;
    return BRAMBLE_OK;
}

static void mark_best(struct bramble_plan *plan)
{
    struct plan_way *best = NULL;
    for (uint32_t w = 0; w < plan->n_ways; w++) {
        struct plan_way *way = &plan->ways[w];
        if (way->possible && way->exact && (!best || way->seconds < best->seconds)) best = way;
    }
    if (best) best->best = true;
}

bramble_status plan_find_ways(struct bramble_plan *plan, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    bool others = plan_nodes(&(struct plan_platform){plan->groups, plan->n_groups, 0}) > 1;
    size_t n = sizeof net_ways / sizeof *net_ways;
    if (plan->is_net)
        for (size_t k = 0; k < (others ? n : 1) && !status; k++)
            status = find_net_way(plan, &net_ways[k], error);
    else
        for (size_t k = 0; k < (others ? 2 : 1) && !status; k++)
            status = find_forest_way(plan, k == 0, error);
    if (!status) mark_best(plan);
    return status;
}
