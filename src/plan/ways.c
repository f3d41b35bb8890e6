#include "plan/ways.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "plan/members.h"

#define FLOAT_BYTES 4.0
#define INT8_BYTES (1 + 4.0 / 256) /* blocks of 256 with a scale each */

/* --- averages --- */

/* A round's rows are handed out like a batch's; a node takes steps of about a batch on its own. */
static struct plan_net round_of(const struct plan_net *net)
{
    struct plan_net round = *net;
    double samples = fmin((double)net->batch * net->local_steps, 1U << 30);
    round.batch = (uint32_t)samples;
    round.overhead = 0;
    round.together = 1;
    return round;
}

static double average(struct plan_members *members, const struct plan_net *net, bool int8, double start,
                      struct plan_traffic *traffic, struct plan_time *out)
{
    double n = (double)members->n;
    double bytes = net->weights * (int8 ? INT8_BYTES : FLOAT_BYTES) * (n - 1) / n;
    for (uint32_t c = 0; c < members->n_classes; c++)
        traffic[c] = (struct plan_traffic){bytes, bytes, 2 * (n - 1)};
    out->sent = out->received = 2 * bytes * n;
    return plan_exchange(members, traffic, plan_exchange(members, traffic, start));
}

static void add_overhead(struct plan_members *members, const struct plan_net *net)
{
    for (uint32_t c = 0; c < members->n_classes; c++) {
        struct plan_member *member = &members->list[c];
        double steps = ceil((double)member->share * PLAN_MICROBATCH / net->batch);
        member->work += steps * net->overhead * member->group->sample_seconds;
    }
}

static void tell_rounds(struct plan_time *out, const struct plan_members *members, const struct plan_net *net)
{
    for (uint32_t c = 0; c < members->n_classes; c++) {
        const struct plan_member *member = &members->list[c];
        double samples = fmin((double)member->share * PLAN_MICROBATCH, net->batch);
        if (member->share) out->at_work += member->n;
        out->work = fmax(out->work, member->work / net->local_steps);
        out->memory = fmax(out->memory, net->fixed_bytes + samples * net->sample_bytes);
    }
    out->sent /= net->local_steps;
    out->received /= net->local_steps;
}

bramble_status plan_rounds(struct plan_time *out, const struct plan_platform *platform,
                           const struct plan_net *net, bool int8, bramble_error *error)
{
    struct plan_net round = round_of(net);
    struct plan_time time = {0};
    double *seconds = mem_alloc(platform->n_groups, sizeof *seconds);
    struct plan_members members = {0};
    for (uint32_t g = 0; seconds && g < platform->n_groups; g++)
        seconds[g] = platform->groups[g].sample_seconds * PLAN_MICROBATCH;
    if (seconds) members = plan_members_of(platform, &round, seconds);
    struct plan_traffic *traffic = members.list ? mem_zalloc(members.n_classes, sizeof *traffic) : NULL;
    if (traffic) {
        add_overhead(&members, net);
        double end = plan_members_end(&members);
        if (members.n > 1) end = average(&members, net, int8, end, traffic, &time);
        time.seconds = end / net->local_steps;
        tell_rounds(&time, &members, net);
        *out = time;
    }
    bool good = traffic;
    mem_free(traffic);
    plan_members_fini(&members);
    mem_free(seconds);
    return good ? BRAMBLE_OK : error_memory(error, "a plan");
}

/* --- at one's own pace --- */

/* Of a processor, to send or receive what a letter and its answer carry. */
static double letter_processing(const struct plan_group *group, double bytes)
{
    return 2 * (bytes * group->byte_seconds + group->message_seconds);
}

struct plan_time plan_stale(const struct plan_platform *platform, const struct plan_net *net)
{
    const struct plan_group *first = &platform->groups[platform->first];
    double bytes = FLOAT_BYTES * net->weights, letters = 0, batch = net->batch + net->overhead;
    for (uint32_t g = 0; g < platform->n_groups; g++) {
        const struct plan_group *group = &platform->groups[g];
        double processing = letter_processing(group, bytes) / fmin(group->processors, 1);
        double wire = bytes / fmin(group->link.up, first->link.down) +
                      bytes / fmin(group->link.down, first->link.up) + 2 * group->link.latency;
        double seconds = batch * group->sample_seconds + fmax(wire, processing);
        uint32_t n = group->n - (g == platform->first && group->n ? 1 : 0);
        letters += n / seconds;
    }
    double busy = letter_processing(first, bytes);
    double most = fmin(fmin(first->link.up, first->link.down) / bytes, fmin(first->processors, 1) / busy);
    letters = fmin(letters, most);
    double own = (1 - letters * busy / first->processors) / (batch * first->sample_seconds);
    return (struct plan_time){.seconds = 1 / (letters + own),
                              .work = batch * first->sample_seconds,
                              .memory = 2 * net->fixed_bytes + net->batch * net->sample_bytes,
                              .at_work = plan_nodes(platform),
                              .sent = 2 * bytes * letters / (letters + own),
                              .received = 2 * bytes * letters / (letters + own)};
}

/* --- in a pipeline --- */

struct plan_time plan_pipeline(const struct plan_platform *platform, const struct plan_stages *stages)
{
    struct plan_time time = {.at_work = stages->n};
    double slowest = 0, sum = 0, latency = 0, others = stages->n - 1;
    for (uint32_t s = 0; s < stages->n; s++)
        latency = fmax(latency, platform->groups[stages->members[s]].link.latency);
    for (uint32_t s = 0; s < stages->n; s++) {
        const struct plan_group *group = &platform->groups[stages->members[s]];
        double before = s ? stages->bytes[s - 1] : 0, behind = s + 1 < stages->n ? stages->bytes[s] : 0;
        double wire = (before + behind) / fmin(group->link.up, group->link.down);
        double processing = 2 * (before + behind) * group->byte_seconds + 4 * others * group->message_seconds;
        double seconds = fmax(stages->seconds[s] + processing / group->processors, wire);
        if (others > 0) seconds += 2 * latency;
        slowest = fmax(slowest, seconds);
        sum += seconds;
        time.work = fmax(time.work, stages->groups * stages->seconds[s]);
        time.memory = fmax(time.memory, stages->memory[s]);
        time.sent += 2 * behind * stages->groups;
    }
    time.received = time.sent;
    time.seconds = (stages->groups - 1.0) * slowest + sum;
    return time;
}
