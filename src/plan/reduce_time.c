#include "plan/reduce_time.h"

#include <math.h>

enum { WHOLE_NUMBERS = 2048, NUMBER_BYTES = 4 }; /* reduce.c: smaller buckets go to everybody at once */

struct reducing {
    struct plan_members *members;
    const struct plan_net *net;
    bool central;
    struct plan_traffic *traffic;
    uint32_t n_rounds;
    double sent, received;
};

/* What of a member goes into a parcel of round r: its last pieces go with everybody's last. */
struct portion {
    uint32_t before, n; /* pieces */
};

static struct portion portion_of(const struct reducing *r, const struct plan_member *member, uint32_t round)
{
    uint32_t later = r->n_rounds - round;
    if (!r->net->by_pieces) return (struct portion){0, member->pieces};
    return (struct portion){later <= member->pieces ? member->pieces - later : 0, later <= member->pieces};
}

/* Microbatches of a share's first pieces, the largest first. */
static double microbatches_of(uint32_t share, uint32_t pieces)
{
    uint32_t sum = 0;
    for (uint32_t bit = 1U << 31; bit && pieces; bit >>= 1)
        if (share & bit) sum += bit, pieces--;
    return sum;
}

/* When a member has its portion of a bucket, by its own clock. */
static double ready_at(const struct plan_member *member, const struct portion *portion,
                       const struct plan_bucket *bucket)
{
    if (!portion->n) return 0;
    double before = microbatches_of(member->share, portion->before);
    double upto = microbatches_of(member->share, portion->before + portion->n);
    double done = (before + (upto - before) * bucket->ready) / member->share;
    return done * member->work + member->stolen;
}

static bool is_whole(const struct reducing *r, const struct plan_bucket *bucket)
{
    return !r->central && bucket->numbers < WHOLE_NUMBERS;
}

/* Numbers of a bucket that class c's members add up. */
static double slice_of(const struct reducing *r, const struct plan_bucket *bucket, uint32_t c)
{
    if (r->central) return c == 0 ? bucket->numbers : 0;
    return bucket->numbers / (double)r->members->n;
}

static double exchange(struct reducing *r, double start)
{
    for (uint32_t c = 0; c < r->members->n_classes; c++) {
        r->sent += r->members->list[c].n * r->traffic[c].sent;
        r->received += r->members->list[c].n * r->traffic[c].received;
    }
    return plan_exchange(r->members, r->traffic, start);
}

/* Pieces go to who adds them up. */
static double bring(struct reducing *r, uint32_t round, const struct plan_bucket *bucket, double start)
{
    double n = (double)r->members->n, pieces = 0;
    bool whole = is_whole(r, bucket);
    for (uint32_t c = 0; c < r->members->n_classes; c++)
        pieces += (double)r->members->list[c].n * portion_of(r, &r->members->list[c], round).n;
    for (uint32_t c = 0; c < r->members->n_classes; c++) {
        double own = portion_of(r, &r->members->list[c], round).n, slice = slice_of(r, bucket, c);
        double to_others = whole ? bucket->numbers * (n - 1) : bucket->numbers - slice;
        double from_others = whole ? bucket->numbers : slice;
        r->traffic[c] = (struct plan_traffic){.sent = NUMBER_BYTES * own * to_others,
                                              .received = NUMBER_BYTES * (pieces - own) * from_others,
                                              .messages = 2 * (n - 1)};
    }
    return exchange(r, start);
}

/* And totals to everybody. */
static double share_out(struct reducing *r, const struct plan_bucket *bucket, double start)
{
    double n = (double)r->members->n;
    for (uint32_t c = 0; c < r->members->n_classes; c++) {
        double slice = slice_of(r, bucket, c);
        r->traffic[c] = (struct plan_traffic){.sent = NUMBER_BYTES * slice * (n - 1),
                                              .received = NUMBER_BYTES * (bucket->numbers - slice),
                                              .messages = 2 * (n - 1)};
    }
    return exchange(r, start);
}

static double parcel(struct reducing *r, uint32_t round, const struct plan_bucket *bucket, double free)
{
    double start = free;
    for (uint32_t c = 0; c < r->members->n_classes; c++) {
        const struct plan_member *member = &r->members->list[c];
        const struct portion portion = portion_of(r, member, round);
        start = fmax(start, ready_at(member, &portion, bucket));
    }
    double end = bring(r, round, bucket, start);
    bool last = round + 1 == r->n_rounds;
    return last && !is_whole(r, bucket) ? share_out(r, bucket, end) : end;
}

struct plan_time plan_reduce(struct plan_members *members, const struct plan_net *net, bool central,
                             struct plan_traffic *traffic)
{
    struct reducing r = {members, net, central, traffic, 1, 0, 0};
    double end = 0;
    for (uint32_t c = 0; c < members->n_classes && net->by_pieces; c++)
        if (members->list[c].pieces > r.n_rounds) r.n_rounds = members->list[c].pieces;
    if (members->n > 1)
        for (uint32_t round = 0; round < r.n_rounds; round++)
            for (uint32_t b = 0; b < net->n_buckets; b++) end = parcel(&r, round, &net->buckets[b], end);
    end = fmax(end, plan_members_end(members));
    for (double g = 0; g < net->gathers && members->n > 1; g++) end = plan_gather(members, end);
    return (struct plan_time){.seconds = end, .sent = r.sent, .received = r.received};
}
