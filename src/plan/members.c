#include "plan/members.h"

#include <math.h>

#include "base/mem.h"

/* Binary digits that are 1. */
static uint32_t pieces_of(uint32_t share)
{
    uint32_t n = 0;
    for (; share; share &= share - 1) n++;
    return n;
}

static void fill_in(struct plan_members *members, const struct plan_class *classes,
                    const struct plan_platform *platform, const struct plan_net *net)
{
    for (uint32_t c = 0; c < members->n_classes; c++) {
        const struct plan_group *group = &platform->groups[classes[c].group];
        struct plan_member *member = &members->list[c];
        double samples = fmin((double)classes[c].share * PLAN_MICROBATCH, net->batch);
        *member = (struct plan_member){.group = group, .n = classes[c].n, .share = classes[c].share};
        member->pieces = pieces_of(member->share);
        member->work = (samples + net->overhead) * group->sample_seconds;
        members->n += member->n;
        members->n_pieces += (double)member->n * member->pieces;
    }
    for (uint32_t c = 0; c < members->n_classes && members->n > 1; c++)
        members->list[c].work *= net->together;
}

struct plan_members plan_members_of(const struct plan_platform *platform, const struct plan_net *net,
                                    const double *seconds)
{
    uint32_t n = platform->n_groups, most = 2 * n + 1;
    struct plan_members members = {0};
    struct plan_class *classes = mem_alloc(most, sizeof *classes);
    uint32_t *nodes = mem_alloc(n, sizeof *nodes);
    members.list = mem_alloc(most, sizeof *members.list);
    for (uint32_t g = 0; nodes && g < n; g++) nodes[g] = platform->groups[g].n;
    if (classes && nodes && members.list) {
        uint32_t microbatches = (net->batch + PLAN_MICROBATCH - 1) / PLAN_MICROBATCH;
        members.n_classes = plan_spread(classes, seconds, nodes, n, platform->first, microbatches);
        fill_in(&members, classes, platform, net);
    } else {
        plan_members_fini(&members);
    }
    mem_free(classes);
    mem_free(nodes);
    return members;
}

void plan_members_fini(struct plan_members *members)
{
    mem_free(members->list);
    *members = (struct plan_members){0};
}

double plan_member_end(const struct plan_member *member)
{
    return member->work + member->stolen;
}

double plan_members_end(const struct plan_members *members)
{
    double end = 0;
    for (uint32_t c = 0; c < members->n_classes; c++) end = fmax(end, plan_member_end(&members->list[c]));
    return end;
}

/* One thread does it, so that it has one processor at most. */
static double processing(const struct plan_group *group, const struct plan_traffic *traffic)
{
    double seconds = (traffic->sent + traffic->received) * group->byte_seconds +
                     traffic->messages * group->message_seconds;
    return seconds / fmin(group->processors, 1);
}

double plan_exchange(struct plan_members *members, const struct plan_traffic *traffic, double start)
{
    double longest = 0;
    for (uint32_t c = 0; c < members->n_classes; c++) {
        struct plan_member *member = &members->list[c];
        const struct plan_group *group = member->group;
        double wire = fmax(traffic[c].sent / group->link.up, traffic[c].received / group->link.down);
        double busy = processing(group, &traffic[c]);
        longest = fmax(longest, group->link.latency + fmax(wire, busy));
        double left = plan_member_end(member) - start; /* of the work */
        if (left > 0) member->stolen += busy * fmin(group->processors, 1) / group->processors;
    }
    return start + longest;
}

double plan_gather(struct plan_members *members, double start)
{
    double longest = 0;
    if (members->n < 2) return start;
    for (uint32_t c = 0; c < members->n_classes; c++) {
        const struct plan_group *group = members->list[c].group;
        const struct plan_traffic traffic = {.messages = 2 * (double)(members->n - 1)};
        longest = fmax(longest, group->link.latency + processing(group, &traffic));
    }
    return start + longest;
}
