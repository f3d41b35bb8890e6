#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "plan/choose.h"

#define GAIN 0.999 /* of the time is taken without a group, at most, for it to be left out */

static bool has_room(const struct plan_group *group, const struct plan_forest *forest)
{
    return forest->data_bytes <= group->memory;
}

/* groups[n_groups] is room. */
static struct plan_time time_with(struct plan_group *groups, const struct plan_platform *platform,
                                  const uint32_t *used, const struct plan_forest *forest, double slower)
{
    struct plan_platform some = {groups, platform->n_groups, platform->first};
    memcpy(groups, platform->groups, platform->n_groups * sizeof *groups);
    for (uint32_t g = 0; g < platform->n_groups; g++) {
        groups[g].n = used[g];
        groups[g].tree_seconds *= 1 + slower * groups[g].spread;
    }
    for (uint32_t g = 0; g < platform->n_groups && !used[some.first]; g++)
        if (used[g]) some.first = g;
    return plan_simulate_forest(&some, forest);
}

static void leave_out(struct plan_choice *choice, struct plan_group *groups,
                      const struct plan_platform *platform, const struct plan_forest *forest)
{
    for (bool better = true; better;) {
        better = false;
        for (uint32_t g = 0; g < platform->n_groups; g++) {
            uint32_t n = choice->used[g];
            if (!n || n == plan_nodes(&(struct plan_platform){groups, platform->n_groups, 0})) continue;
            choice->used[g] = 0;
            struct plan_time time = time_with(groups, platform, choice->used, forest, 0);
            better = time.seconds < choice->time.seconds * GAIN;
            if (better) {
                choice->time = time;
                break;
            }
            choice->used[g] = n;
            time_with(groups, platform, choice->used, forest, 0);
        }
    }
}

/* A tree's of the run's. */
static void per_tree(struct plan_choice *choice, double trees)
{
    choice->time.seconds /= trees;
    choice->time.work /= trees;
    choice->time.sent /= trees;
    choice->time.received /= trees;
    choice->low /= trees;
    choice->high /= trees;
}

bramble_status plan_choose_forest(struct plan_choice *out, const struct plan_platform *platform,
                                  const struct plan_forest *forest, bramble_error *error)
{
    uint32_t n = platform->n_groups, some = 0;
    struct plan_group *groups = mem_alloc(n, sizeof *groups);
    struct plan_choice choice = {.used = mem_zalloc(n, sizeof *choice.used),
                                 .reasons = mem_zalloc(n, sizeof *choice.reasons)};
    bool room = groups && choice.used && choice.reasons;
    for (uint32_t g = 0; room && g < n; g++)
        some |= choice.used[g] = has_room(&platform->groups[g], forest) ? platform->groups[g].n : 0;
    bramble_status status = BRAMBLE_OK;
    if (!room) status = error_memory(error, "a plan");
    if (!status && !some)
        status = error_set(error, BRAMBLE_ERR_UNSUPPORTED, "no node has the memory for the data");
    if (!status) {
        choice.time = time_with(groups, platform, choice.used, forest, 0);
        leave_out(&choice, groups, platform, forest);
        choice.low = time_with(groups, platform, choice.used, forest, -1).seconds;
        choice.high = time_with(groups, platform, choice.used, forest, 1).seconds;
        for (uint32_t g = 0; g < n; g++)
            choice.reasons[g] = choice.used[g]                           ? PLAN_TAKES_PART
                                : has_room(&platform->groups[g], forest) ? PLAN_HINDERS
                                                                         : PLAN_NO_MEMORY;
        per_tree(&choice, forest->trees);
    }
    mem_free(groups);
    if (status)
        plan_choice_fini(&choice);
    else
        *out = choice;
    return status;
}
