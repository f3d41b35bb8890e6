/* A forest on paper: the launch, the data's way to the nodes, trees at each node's pace, and the last ones.
 */
#include <math.h>

#include "plan/simulate.h"

/* Seconds, as the lab's six nodes took them (docs/notes.md): what is there whatever the cluster, and of one
 * of the first node's processors for each other node. */
#define LAUNCH_BASE 1.5
#define LAUNCH_NODE 0.1

double plan_launch_seconds(const struct plan_platform *platform)
{
    double others = (double)plan_nodes(platform) - 1;
    const struct plan_group *first = &platform->groups[platform->first];
    return others > 0 ? LAUNCH_BASE + others * LAUNCH_NODE / fmin(first->processors, 1) : 0;
}

/* Nodes that have the data give them on, so that those who have them double each time. */
static double distribution(const struct plan_platform *platform, double bytes)
{
    double slowest = 0, rounds = ceil(log2((double)plan_nodes(platform)));
    for (uint32_t g = 0; g < platform->n_groups; g++) {
        const struct plan_group *group = &platform->groups[g];
        if (group->n)
            slowest = fmax(slowest, bytes / fmin(group->link.up, group->link.down) + group->link.latency);
    }
    return rounds * slowest;
}

double plan_begin_seconds(const struct plan_platform *platform, double bytes)
{
    if (plan_nodes(platform) < 2) return 0;
    return plan_launch_seconds(platform) + distribution(platform, bytes);
}

/* The last trees: one of everybody's is under way, and half of it is waited for. */
struct plan_time plan_simulate_forest(const struct plan_platform *platform, const struct plan_forest *forest)
{
    const struct plan_group *first = &platform->groups[platform->first];
    double rate = 0, n = (double)plan_nodes(platform), slowest = 0;
    for (uint32_t g = 0; g < platform->n_groups; g++) {
        const struct plan_group *group = &platform->groups[g];
        rate += group->n / group->tree_seconds;
        if (group->n) slowest = fmax(slowest, group->tree_seconds);
    }
    double busy = forest->tree_bytes * first->byte_seconds + first->message_seconds;
    double most = fmin(fmin(first->processors, 1) / busy, first->link.down / forest->tree_bytes);
    double begin = plan_begin_seconds(platform, forest->data_bytes);
    double alone = fmin(begin * (1 / first->tree_seconds), forest->trees);
    double rest = fmax(forest->trees - alone, 0);
    double last = n > 1 ? fmin(slowest, n / rate) / 2 : 0;
    struct plan_time time = {.at_work = (uint64_t)n, .memory = forest->data_bytes};
    time.work = forest->trees / rate;
    time.seconds = rest > 0 ? begin + rest / fmin(rate, most) + last : alone * first->tree_seconds;
    time.sent = time.received = (n - 1) * forest->data_bytes + forest->trees * forest->tree_bytes;
    return time;
}
