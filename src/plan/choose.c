#include "plan/choose.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

#define TOGETHER_SPREAD 0.1 /* share by which net.together may be wrong, both ways */
#define GAIN 0.999          /* of the time is taken without nodes, at most, for them to be left out */

struct choosing {
    enum plan_kind kind;
    const struct plan_platform *platform;
    const struct plan_net *net;
    const struct plan_stages *stages;
    struct plan_group *groups; /* the platform's, with as many nodes as are tried */
    uint32_t *used, *tried;    /* the best so far; what is tried now */
    double best;
    bool failed;
};

static bool has_room(const struct choosing *c, const struct plan_group *group)
{
    double least = c->net->fixed_bytes + PLAN_MICROBATCH * c->net->sample_bytes + c->net->data_bytes;
    return c->kind == PLAN_PIPELINE || least <= group->memory;
}

/* The platform with these nodes alone. Who others meet at is the first that is left, if need be. */
static struct plan_platform with(const struct choosing *c, const uint32_t *nodes)
{
    struct plan_platform platform = *c->platform;
    platform.groups = c->groups;
    memcpy(c->groups, c->platform->groups, platform.n_groups * sizeof *c->groups);
    for (uint32_t g = 0; g < platform.n_groups; g++) c->groups[g].n = nodes[g];
    for (uint32_t g = 0; g < platform.n_groups && !nodes[platform.first]; g++)
        if (nodes[g]) platform.first = g;
    return platform;
}

static double seconds_with(struct choosing *c, const uint32_t *nodes)
{
    struct plan_time time;
    struct plan_platform platform = with(c, nodes);
    bramble_status status = plan_simulate(&time, c->kind, &platform, c->net, c->stages, NULL);
    if (status == BRAMBLE_ERR_MEMORY) c->failed = true;
    return status ? INFINITY : time.seconds;
}

static void try_it(struct choosing *c)
{
    double seconds = seconds_with(c, c->tried);
    if (seconds >= c->best * (isfinite(c->best) ? GAIN : 1)) return;
    c->best = seconds;
    memcpy(c->used, c->tried, c->platform->n_groups * sizeof *c->used);
}

/* --- all sets --- */

static double sets_of(const struct choosing *c, const uint32_t *most)
{
    double sets = 1;
    for (uint32_t g = 0; g < c->platform->n_groups; g++) sets *= most[g] + 1.0;
    return sets;
}

/* Counts down as with digits, from all nodes on. */
static void try_all(struct choosing *c, const uint32_t *most)
{
    for (uint32_t g = 0; g < c->platform->n_groups && !c->failed;) {
        for (g = 0; g < c->platform->n_groups && !c->tried[g]; g++) c->tried[g] = most[g];
        if (g == c->platform->n_groups) break;
        c->tried[g]--;
        try_it(c);
        g = 0;
    }
}

/* --- one after the other --- */

static bool try_fewer(struct choosing *c, uint32_t g, uint32_t n)
{
    double before = c->best;
    memcpy(c->tried, c->used, c->platform->n_groups * sizeof *c->tried);
    if (n >= c->tried[g]) return false;
    c->tried[g] = n;
    try_it(c);
    return c->best < before;
}

/* From what is used on. */
static void leave_out(struct choosing *c)
{
    for (bool better = true; better && !c->failed;) {
        better = false;
        for (uint32_t g = 0; g < c->platform->n_groups; g++) {
            uint32_t n = c->used[g];
            better |= try_fewer(c, g, 0);
            for (uint32_t less = 1; less < n && c->used[g] == n; less *= 2)
                better |= try_fewer(c, g, n - less);
        }
    }
}

static bool try_more(struct choosing *c, uint32_t g, uint32_t n)
{
    double before = c->best;
    memcpy(c->tried, c->used, c->platform->n_groups * sizeof *c->tried);
    if (n <= c->tried[g]) return false;
    c->tried[g] = n;
    try_it(c);
    return c->best < before;
}

/* The same the other way round: from what is used on nodes are taken in. */
static void take_in(struct choosing *c, const uint32_t *most)
{
    for (bool better = true; better && !c->failed;) {
        better = false;
        for (uint32_t g = 0; g < c->platform->n_groups; g++) {
            uint32_t n = c->used[g];
            better |= try_more(c, g, most[g]);
            for (uint32_t more = 1; n + more < most[g] && c->used[g] == n; more *= 2)
                better |= try_more(c, g, n + more);
        }
    }
}

/* Leaving out can end where each node less is slower and far fewer are faster: so both ways are gone, the
 * second from the first node on, or from another that has room. */
static bool climb(struct choosing *c, const uint32_t *most)
{
    uint32_t n = c->platform->n_groups, from = c->platform->first;
    uint32_t *used = mem_alloc(n, sizeof *used);
    if (!used) return false;
    leave_out(c);
    double best = c->best;
    memcpy(used, c->used, n * sizeof *used);
    for (uint32_t g = 0; g < n && !most[from]; g++)
        if (most[g]) from = g;
    memset(c->tried, 0, n * sizeof *c->tried);
    c->tried[from] = most[from] ? 1 : 0;
    c->best = INFINITY;
    try_it(c);
    take_in(c, most);
    leave_out(c);
    if (best <= c->best) {
        c->best = best;
        memcpy(c->used, used, n * sizeof *used);
    }
    mem_free(used);
    return true;
}

/* --- what came of it --- */

static bramble_status bounds_of(struct plan_choice *out, struct choosing *c, bramble_error *error)
{
    struct plan_platform platform = with(c, c->used);
    bramble_status status = plan_simulate(&out->time, c->kind, &platform, c->net, c->stages, error);
    if (!status) status = plan_bound_of(&out->bound, c->kind, &platform, c->net, c->stages, error);
    for (int sign = -1; sign <= 1 && !status; sign += 2) {
        struct plan_time time;
        struct plan_net net = *c->net;
        struct plan_stages stages = c->stages ? *c->stages : (struct plan_stages){0};
        net.together = fmax(net.together * (1 + sign * TOGETHER_SPREAD), 1);
        with(c, c->used);
        for (uint32_t g = 0; g < platform.n_groups; g++)
            c->groups[g].sample_seconds *= 1 + sign * c->groups[g].spread;
        for (uint32_t s = 0; s < stages.n; s++)
            stages.seconds[s] *= 1 + sign * c->platform->groups[stages.members[s]].spread;
        status = plan_simulate(&time, c->kind, &platform, &net, c->stages ? &stages : NULL, error);
        *(sign < 0 ? &out->low : &out->high) = time.seconds;
    }
    if (status) return status;
    double low = fmin(out->low, out->high), high = fmax(out->low, out->high);
    out->low = fmin(low, out->time.seconds); /* shares of other sizes may be cut into fewer pieces */
    out->high = fmax(high, out->time.seconds);
    return status;
}

static void find_set(struct choosing *c)
{
    uint32_t n = c->platform->n_groups;
    uint32_t *most = mem_alloc(n, sizeof *most);
    if (!most) {
        c->failed = true;
        return;
    }
    memcpy(most, c->tried, n * sizeof *most);
    try_it(c);
    if (c->kind != PLAN_PIPELINE) {
        if (sets_of(c, most) <= CHOOSE_SETS)
            try_all(c, most);
        else if (!climb(c, most))
            c->failed = true;
    }
    mem_free(most);
}

static bool has_stage(const struct choosing *c, uint32_t group)
{
    bool has = !c->stages || c->kind != PLAN_PIPELINE;
    for (uint32_t s = 0; !has && s < c->stages->n; s++) has = c->stages->members[s] == group;
    return has;
}

static bramble_status find_hindrance(struct plan_hindrance *out, struct choosing *c, uint32_t group,
                                     bramble_error *error)
{
    struct plan_time time;
    c->used[group]++;
    struct plan_platform platform = with(c, c->used);
    bramble_status status = plan_simulate(&time, c->kind, &platform, c->net, c->stages, error);
    if (!status) status = plan_bound_of(&out->bound, c->kind, &platform, c->net, c->stages, error);
    if (!status) out->seconds = time.seconds;
    c->used[group]--;
    return status;
}

static bramble_status give_reasons(struct plan_choice *out, struct choosing *c, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    for (uint32_t g = 0; g < c->platform->n_groups && !status; g++) {
        const struct plan_group *group = &c->platform->groups[g];
        if (!has_stage(c, g)) c->used[g] = 0;
        out->reasons[g] = c->used[g] == group->n ? PLAN_TAKES_PART
                          : has_room(c, group)   ? PLAN_HINDERS
                                                 : PLAN_NO_MEMORY;
        if (out->reasons[g] == PLAN_HINDERS && c->kind != PLAN_PIPELINE)
            status = find_hindrance(&out->hindrances[g], c, g, error);
    }
    return status;
}

bramble_status plan_choose(struct plan_choice *out, enum plan_kind kind, const struct plan_platform *platform,
                           const struct plan_net *net, const struct plan_stages *stages, bramble_error *error)
{
    uint32_t n = platform->n_groups;
    struct choosing c = {kind, platform, net, stages, .best = INFINITY};
    struct plan_choice choice = {.used = mem_zalloc(n, sizeof *choice.used),
                                 .reasons = mem_zalloc(n, sizeof *choice.reasons),
                                 .hindrances = mem_zalloc(n, sizeof *choice.hindrances)};
    c.groups = mem_alloc(n, sizeof *c.groups);
    c.tried = mem_alloc(n, sizeof *c.tried);
    c.used = choice.used;
    c.failed = !c.groups || !c.tried || !c.used || !choice.reasons || !choice.hindrances;
    for (uint32_t g = 0; g < n && !c.failed; g++)
        c.tried[g] = has_room(&c, &platform->groups[g]) ? platform->groups[g].n : 0;
    if (!c.failed) find_set(&c);
    bramble_status status = c.failed ? error_memory(error, "a plan") : BRAMBLE_OK;
    if (!status && !isfinite(c.best))
        status = error_set(error, BRAMBLE_ERR_UNSUPPORTED, "no node can train in this way");
    if (!status) status = bounds_of(&choice, &c, error);
    if (!status) status = give_reasons(&choice, &c, error);
    mem_free(c.groups);
    mem_free(c.tried);
    if (status)
        plan_choice_fini(&choice);
    else
        *out = choice;
    return status;
}

void plan_choice_fini(struct plan_choice *choice)
{
    mem_free(choice->used);
    mem_free(choice->reasons);
    mem_free(choice->hindrances);
    *choice = (struct plan_choice){0};
}
