/* The machines of a plan: a cluster's nodes as they were recorded, and boards of the catalogue. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/cluster_handle.h"
#include "api/plan_handle.h"
#include "base/error.h"
#include "base/machine_memory.h"
#include "base/mem.h"
#include "base/threads.h"
#include "plan/boards.h"

/* A processor's part in a byte that is sent or received, and in a message, on a core of CORE_RATE
 * (docs/notes.md, "ring"). */
#define CORE_RATE 430.0
#define BYTE_SECONDS 0.7e-9
#define MESSAGE_SECONDS 100e-6

#define HOME_LINK "lan1000" /* of nodes whose link was not measured */
#define MEMORY_SHARE 0.8    /* of a board's, that a program may take */
#define TIMES_MOST 1e6      /* that a node may be as fast, or as slow, as this machine */
#define LEAST_PROCESSORS 0.01
#define LEAST_BANDWIDTH 1.0 /* bytes a second */
#define SPREAD_HERE 0.1     /* of what was measured on the node that is planned for */
#define SPREAD_SCALED 0.2   /* of another node of the same kernels, by its speed of products */
#define SPREAD_OTHER_KERNELS 0.3

enum { NODES_MOST = 256 }; /* of a cluster; boards are groups */

/* --- this machine --- */

static bramble_status measure_here(struct plan_here *here, bramble_error *error)
{
    struct node_report report;
    bramble_status status = node_report_self(&report, error);
    if (status) return status;
    here->core_rate = report.core_rate;
    memcpy(here->kernels, report.kernels, sizeof here->kernels);
    node_report_fini(&report);
    here->cores = threads_available();
    return node_speed_measure(&here->speed, here->cores, error);
}

/* --- groups --- */

static void put_group(struct bramble_plan *plan, const char *name, uint32_t n, double cores, double core_rate)
{
    struct plan_group *group = &plan->groups[plan->n_groups];
    double slower = CORE_RATE / (core_rate > 0 ? core_rate : CORE_RATE);
    *group = (struct plan_group){.n = n, .processors = fmax(cores, LEAST_PROCESSORS)};
    snprintf(group->name, sizeof group->name, "%s", name);
    group->byte_seconds = BYTE_SECONDS * slower;
    group->message_seconds = MESSAGE_SECONDS * slower;
    plan->n_groups++;
}

static void put_here(struct bramble_plan *plan, const struct plan_link *link)
{
    uint64_t left = process_memory_left();
    struct plan_node *node = &plan->nodes[plan->n_groups];
    struct plan_group *group = &plan->groups[plan->n_groups];
    put_group(plan, "this machine", 1, plan->here.cores, plan->here.core_rate);
    group->memory = left == UINT64_MAX ? 1e18 : (double)left;
    group->link = *link;
    group->spread = SPREAD_HERE;
    *node = (struct plan_node){true, plan->here.speed.gemm_gflops, plan->here.speed.tree_rate};
}

/* Why nothing can be said of a node; NULL: something can. */
static const char *unknown(const struct node_state *state, const struct bramble_plan *plan)
{
    if (!state->usable) return *state->problem ? state->problem : "it was not asked";
    const struct node_speed *here = &plan->here.speed;
    bool products = plan->is_net && here->gemm_gflops > 0;
    double times =
        products ? state->report.gemm_gflops / here->gemm_gflops : state->report.tree_rate / here->tree_rate;
    if (!(times > 0)) return "its speed was not measured";
    if (times < 1 / TIMES_MOST || times > TIMES_MOST) return "its speed cannot be what was recorded";
    return NULL;
}

static double node_spread(const struct bramble_plan *plan, const struct node *node,
                          const struct node_report *report)
{
    if (node->local) return SPREAD_HERE;
    bool same = strcmp(report->kernels, plan->here.kernels) == 0;
    return same ? SPREAD_SCALED : SPREAD_OTHER_KERNELS;
}

static void put_node(struct bramble_plan *plan, const struct node *node, const struct node_report *report,
                     const struct plan_link *link)
{
    double cores = report->core_limit > 0 ? fmin(report->cores, report->core_limit) : report->cores;
    struct plan_group *group = &plan->groups[plan->n_groups];
    if (node->local) plan->first = plan->n_groups;
    plan->nodes[plan->n_groups] = (struct plan_node){true, report->gemm_gflops, report->tree_rate};
    put_group(plan, node->name, 1, cores, report->core_rate);
    group->memory = (double)report->memory_free_bytes;
    group->spread = node_spread(plan, node, report);
    group->link = *link;
    if (plan->links_given) return;
    if (report->bandwidth_mbs > 0)
        group->link.up = group->link.down = fmax(report->bandwidth_mbs * 1e6, LEAST_BANDWIDTH);
    if (report->latency_ms >= 0) group->link.latency = report->latency_ms * 0.5e-3;
}

static void put_missing(struct bramble_plan *plan, const char *name, const char *reason)
{
    struct plan_missing *missing = &plan->missing[plan->n_missing++];
    snprintf(missing->name, sizeof missing->name, "%s", name);
    snprintf(missing->reason, sizeof missing->reason, "%s", reason);
}

/* The machine where the others meet was not reached over a link: its own is as good as the best. */
static void give_link_to_first(struct bramble_plan *plan)
{
    struct plan_link *link = &plan->groups[plan->first].link;
    for (uint32_t g = 0; g < plan->n_groups; g++) {
        if (g == plan->first) continue;
        link->up = fmax(link->up, plan->groups[g].link.up);
        link->down = fmax(link->down, plan->groups[g].link.down);
        link->latency = fmin(link->latency, plan->groups[g].link.latency);
    }
}

static void put_cluster(struct bramble_plan *plan, const bramble_cluster *cluster,
                        const struct plan_link *link)
{
    for (size_t i = 0; i < cluster->cluster->n_nodes; i++) {
        const struct node *node = &cluster->cluster->nodes[i];
        const struct node_state *state = &cluster->states[i];
        const char *reason = unknown(state, plan);
        if (reason)
            put_missing(plan, node->name, reason);
        else
            put_node(plan, node, &state->report, link);
    }
    if (plan->n_groups) give_link_to_first(plan);
}

/* --- boards --- */

static bramble_status no_board(const struct boards *boards, const char *word, bramble_error *error)
{
    char names[512];
    boards_names(boards, names, sizeof names);
    return error_set(error, BRAMBLE_ERR_USAGE,
                     "--add %.60s: no such board; write a number, x and one of %s: 2xpi5", word, names);
}

static bramble_status put_board(struct bramble_plan *plan, const struct boards *boards, const char *word,
                                const struct plan_link *link, bramble_error *error)
{
    uint32_t n;
    const char *name;
    const struct board *board = boards_word(word, &n, &name) ? boards_find(boards, name) : NULL;
    if (!board) return no_board(boards, word, error);
    struct plan_group *group = &plan->groups[plan->n_groups];
    plan->nodes[plan->n_groups] = (struct plan_node){false, board->gemm_gflops, board->tree_rate};
    put_group(plan, board->name, n, board->cores, board->core_rate);
    group->memory = MEMORY_SHARE * board->memory;
    group->spread = board->spread;
    group->link = link ? *link : *boards_link(boards, board->link);
    return BRAMBLE_OK;
}

static bramble_status find_link(const struct plan_link **out, const struct boards *boards, const char *name,
                                bramble_error *error)
{
    char names[512];
    *out = name ? boards_link(boards, name) : NULL;
    if (!name || *out) return BRAMBLE_OK;
    boards_link_names(boards, names, sizeof names);
    return error_set(error, BRAMBLE_ERR_USAGE, "--link %.60s: no such link; there are %s", name, names);
}

/* Before anything is measured. */
static bramble_status check_words(const struct boards *boards, const bramble_plan_options *options,
                                  bramble_error *error)
{
    const struct plan_link *link;
    uint32_t n;
    const char *name;
    bramble_status status = find_link(&link, boards, options->link, error);
    for (size_t i = 0; i < options->n_add && !status; i++)
        if (!boards_word(options->add[i], &n, &name) || !boards_find(boards, name))
            status = no_board(boards, options->add[i], error);
    return status;
}

static bramble_status put_all(struct bramble_plan *plan, const struct boards *boards,
                              const bramble_plan_options *options, bramble_error *error)
{
    const struct plan_link *link, *home = boards_link(boards, HOME_LINK);
    bramble_status status = find_link(&link, boards, options->link, error);
    if (status) return status;
    plan->links_given = link && !options->n_add;
    if (plan->links_given) home = link;
    if (options->cluster)
        put_cluster(plan, options->cluster, home);
    else
        put_here(plan, home);
    for (size_t i = 0; i < options->n_add && !status; i++)
        status = put_board(plan, boards, options->add[i], link, error);
    if (!status && !plan->n_groups)
        status =
            error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                      "no node was measured, so there is nothing to plan with; 'bramble nodes' says why");
    return status;
}

bramble_status plan_find_nodes(struct bramble_plan *plan, const bramble_plan_options *options,
                               bramble_error *error)
{
    struct boards *boards;
    size_t most = (options->cluster ? options->cluster->cluster->n_nodes : 1) + options->n_add;
    if (most > NODES_MOST + options->n_add)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED, "plans are for at most %d different nodes",
                         NODES_MOST);
    plan->groups = mem_zalloc(most, sizeof *plan->groups);
    plan->nodes = mem_zalloc(most, sizeof *plan->nodes);
    plan->missing = mem_zalloc(most, sizeof *plan->missing);
    if (!plan->groups || !plan->nodes || !plan->missing) return error_memory(error, "a plan");
    bramble_status status = boards_open(&boards, error);
    if (status) return status;
    status = check_words(boards, options, error);
    if (!status) status = measure_here(&plan->here, error);
    if (!status) status = put_all(plan, boards, options, error);
    mem_free(boards);
    return status;
}

/* Trees go by trees, networks by products, or by trees where those were not measured. */
void plan_scale_nodes(struct bramble_plan *plan)
{
    const struct node_speed *here = &plan->here.speed;
    for (uint32_t g = 0; g < plan->n_groups; g++) {
        const struct plan_node *node = &plan->nodes[g];
        struct plan_group *group = &plan->groups[g];
        bool products = here->gemm_gflops > 0 && node->gemm_gflops > 0;
        double by_trees = here->tree_rate / node->tree_rate;
        group->sample_seconds =
            plan->net.sample_seconds * (products ? here->gemm_gflops / node->gemm_gflops : by_trees);
        group->tree_seconds = plan->tree_seconds * by_trees;
        double others = node->measured ? plan->net.spread : SPREAD_SCALED;
        group->spread = fmin(hypot(group->spread, others), 0.9);
    }
}
