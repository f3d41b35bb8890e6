#include "plan/simulate.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "plan/reduce_time.h"
#include "plan/ways.h"

enum { ADJUSTMENTS = 4 }; /* of shares to what the network takes of processors */

static void measure_work(struct plan_time *out, const struct plan_members *members,
                         const struct plan_net *net)
{
    out->at_work = 0;
    out->work = out->memory = 0;
    for (uint32_t c = 0; c < members->n_classes; c++) {
        const struct plan_member *member = &members->list[c];
        double samples = fmin((double)member->share * PLAN_MICROBATCH, net->batch);
        if (member->share) out->at_work += member->n;
        out->work = fmax(out->work, member->work);
        out->memory = fmax(out->memory, net->fixed_bytes + samples * net->sample_bytes);
    }
}

/* What a microbatch took one of each group, the network's part counted: what nodes tell each other. */
static void adjust(double *seconds, const struct plan_members *members, const struct plan_platform *platform)
{
    for (uint32_t c = 0; c < members->n_classes; c++) {
        const struct plan_member *member = &members->list[c];
        double took = member->share ? plan_member_end(member) / member->share : 0;
        if (took > 0) seconds[member->group - platform->groups] = took;
    }
}

static bool reduce_once(struct plan_time *out, const struct plan_platform *platform,
                        const struct plan_net *net, bool central, double *seconds)
{
    struct plan_members members = plan_members_of(platform, net, seconds);
    struct plan_traffic *traffic = members.list ? mem_zalloc(members.n_classes, sizeof *traffic) : NULL;
    if (traffic) {
        *out = plan_reduce(&members, net, central, traffic);
        measure_work(out, &members, net);
        adjust(seconds, &members, platform);
    }
    mem_free(traffic);
    plan_members_fini(&members);
    return traffic;
}

static bramble_status reduce(struct plan_time *out, const struct plan_platform *platform,
                             const struct plan_net *net, bool central, bramble_error *error)
{
    struct plan_time best = {.seconds = INFINITY}, now;
    double *seconds = mem_alloc(platform->n_groups, sizeof *seconds);
    bool good = seconds;
    for (uint32_t g = 0; good && g < platform->n_groups; g++)
        seconds[g] = platform->groups[g].sample_seconds * PLAN_MICROBATCH;
    for (unsigned i = 0; good && i < ADJUSTMENTS; i++) {
        good = reduce_once(&now, platform, net, central, seconds);
        if (good && now.seconds < best.seconds) best = now;
    }
    mem_free(seconds);
    if (!good) return error_memory(error, "a plan");
    *out = best;
    return BRAMBLE_OK;
}

bramble_status plan_simulate(struct plan_time *out, enum plan_kind kind, const struct plan_platform *platform,
                             const struct plan_net *net, const struct plan_stages *stages,
                             bramble_error *error)
{
    if (plan_nodes(platform) == 0)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED, "there is no node to train on");
    switch (kind) {
    case PLAN_RING:
    case PLAN_CENTRAL: return reduce(out, platform, net, kind == PLAN_CENTRAL, error);
    case PLAN_STALE: *out = plan_stale(platform, net); return BRAMBLE_OK;
    case PLAN_LOCAL:
    case PLAN_LOCAL_INT8: return plan_rounds(out, platform, net, kind == PLAN_LOCAL_INT8, error);
    case PLAN_PIPELINE: break;
    }
    if (!stages || !stages->n)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED, "this network cannot be cut into stages");
    *out = plan_pipeline(platform, stages);
    return BRAMBLE_OK;
}

/* --- what it waits for --- */

static struct plan_group without(struct plan_group group, enum plan_bound bound)
{
    if (bound == PLAN_BY_WIRE) group.link.up = group.link.down = INFINITY;
    if (bound == PLAN_BY_LATENCY) group.link.latency = group.message_seconds = 0;
    if (bound == PLAN_BY_PROCESSOR) group.byte_seconds = 0;
    if (bound == PLAN_BY_WORK) group.sample_seconds *= 0.5;
    return group;
}

bramble_status plan_bound_of(enum plan_bound *out, enum plan_kind kind, const struct plan_platform *platform,
                             const struct plan_net *net, const struct plan_stages *stages,
                             bramble_error *error)
{
    struct plan_group *groups = mem_alloc(platform->n_groups, sizeof *groups);
    struct plan_platform other = {groups, platform->n_groups, platform->first};
    double least = INFINITY;
    enum plan_bound found = PLAN_BY_WORK;
    bramble_status status = groups ? BRAMBLE_OK : error_memory(error, "a plan");
    for (enum plan_bound bound = PLAN_BY_WORK; !status && bound <= PLAN_BY_PROCESSOR; bound++) {
        struct plan_time time;
        struct plan_stages faster = stages ? *stages : (struct plan_stages){0};
        for (uint32_t s = 0; s < faster.n && bound == PLAN_BY_WORK; s++) faster.seconds[s] *= 0.5;
        for (uint32_t g = 0; g < other.n_groups; g++) groups[g] = without(platform->groups[g], bound);
        status = plan_simulate(&time, kind, &other, net, stages ? &faster : NULL, error);
        if (status || time.seconds >= least * (1 - 1e-9)) continue;
        least = time.seconds;
        found = bound;
    }
    mem_free(groups);
    if (!status) *out = found;
    return status;
}
