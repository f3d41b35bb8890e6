#include "train/stages.h"

#include <math.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/mem.h"

#define FORWARD (1.0 / 3) /* of the work */
#define WORTH 0.99        /* of the time is taken with a stage more, at most */

/* The best way for the pieces from one on, in so many stages, on members from one on. */
struct way {
    double slowest;       /* seconds; INFINITY: there is none */
    uint32_t member, end; /* the first stage's */
};

struct cutting {
    const struct stages_task *task;
    struct stages_piece *before; /* [n_pieces + 1]: sums of the pieces before each place */
    struct way *ways;            /* [stages - 1][members + 1][n_pieces + 1] */
};

static double more(double a, double b)
{
    return a > b ? a : b;
}

static struct stages_piece between(const struct stages_task *task, uint32_t from, uint32_t to)
{
    struct stages_piece sum = {0};
    for (uint32_t p = from; p < to; p++) {
        sum.work += task->pieces[p].work;
        sum.settling += task->pieces[p].settling;
        sum.fixed += task->pieces[p].fixed;
        sum.a_sample += task->pieces[p].a_sample;
    }
    return sum;
}

/* What goes forward travels while there is backward work, and the other way round; that there are two
 * exchanges is felt. */
static double seconds_of(const struct stages_task *task, uint32_t member, const struct stages_piece *sum,
                         uint32_t from, uint32_t to)
{
    double wire = task->samples * more(task->crossing[from], task->crossing[to]) / task->wire;
    double work = task->samples * sum->work + sum->settling / task->bundle;
    double seconds = work / task->members[member].rate;
    return more(seconds * FORWARD, wire) + more(seconds * (1 - FORWARD), wire) + 2 * task->latency;
}

uint32_t stages_slots(uint32_t left, uint32_t groups, uint32_t bundle)
{
    uint32_t on_their_way = 2 * left - 1, bundles = (groups + bundle - 1) / bundle;
    uint32_t slots = on_their_way == 1 ? 1 : (on_their_way - 2) / bundle + 2;
    return slots < bundles ? slots : bundles;
}

/* Groups that are on their way behind a stage come back to it later. */
static double bytes_of(const struct stages_task *task, uint32_t left, const struct stages_piece *sum)
{
    double groups = (double)stages_slots(left, task->groups, task->bundle) * task->bundle;
    if (groups > task->groups) groups = task->groups;
    return sum->fixed + groups * task->samples * sum->a_sample;
}

double stages_seconds(const struct stages_task *task, uint32_t member, uint32_t from, uint32_t to)
{
    struct stages_piece sum = between(task, from, to);
    return seconds_of(task, member, &sum, from, to);
}

double stages_bytes(const struct stages_task *task, uint32_t left, uint32_t from, uint32_t to)
{
    struct stages_piece sum = between(task, from, to);
    return bytes_of(task, left, &sum);
}

static struct way *way_of(const struct cutting *c, uint32_t stages, uint32_t member, uint32_t from)
{
    size_t members = c->task->n_members + 1, places = c->task->n_pieces + 1;
    return &c->ways[((stages - 1) * members + member) * places + from];
}

/* Seconds of a stage with `stages` left, or INFINITY where it does not fit. */
static double stage_seconds(const struct cutting *c, uint32_t stages, uint32_t member, uint32_t from,
                            uint32_t to)
{
    const struct stages_piece *a = &c->before[from], *b = &c->before[to];
    struct stages_piece sum = {b->work - a->work, b->settling - a->settling, b->fixed - a->fixed,
                               b->a_sample - a->a_sample};
    if (bytes_of(c->task, stages, &sum) > c->task->members[member].memory) return INFINITY;
    return seconds_of(c->task, member, &sum, from, to);
}

static struct way best_way(const struct cutting *c, uint32_t stages, uint32_t member, uint32_t from)
{
    const struct stages_task *task = c->task;
    struct way best = *way_of(c, stages, member + 1, from); /* without this one */
    uint32_t first_end = stages == 1 ? task->n_pieces : from + 1;
    for (uint32_t end = first_end; end <= task->n_pieces && end > from; end++) {
        double slowest = stage_seconds(c, stages, member, from, end);
        if (stages > 1) slowest = more(slowest, way_of(c, stages - 1, member + 1, end)->slowest);
        if (slowest < best.slowest) best = (struct way){slowest, member, end};
    }
    return best;
}

static void find_ways(const struct cutting *c, uint32_t stages)
{
    const struct stages_task *task = c->task;
    for (uint32_t from = 0; from <= task->n_pieces; from++)
        *way_of(c, stages, task->n_members, from) = (struct way){.slowest = INFINITY};
    for (uint32_t member = task->n_members; member-- > 0;)
        for (uint32_t from = 0; from <= task->n_pieces; from++)
            *way_of(c, stages, member, from) = best_way(c, stages, member, from);
}

/* Follows the ways of so many stages. */
static struct stages follow(const struct cutting *c, uint32_t n)
{
    struct stages stages = {.n = n};
    double slowest = way_of(c, n, 0, 0)->slowest, sum = 0;
    for (uint32_t s = 0, member = 0; s < n; s++) {
        const struct way *way = way_of(c, n - s, member, stages.places[s]);
        stages.members[s] = way->member;
        stages.places[s + 1] = way->end;
        sum += stages_seconds(c->task, way->member, stages.places[s], way->end);
        member = way->member + 1;
    }
    stages.seconds = (c->task->groups - 1) * slowest + sum;
    return stages;
}

static void add_up(struct cutting *c)
{
    struct stages_piece sum = {0};
    for (uint32_t p = 0; p <= c->task->n_pieces; p++) {
        c->before[p] = sum;
        if (p == c->task->n_pieces) break;
        sum.work += c->task->pieces[p].work;
        sum.settling += c->task->pieces[p].settling;
        sum.fixed += c->task->pieces[p].fixed;
        sum.a_sample += c->task->pieces[p].a_sample;
    }
}

static struct stages find_best(struct cutting *c, uint32_t most)
{
    struct stages best = {.seconds = INFINITY};
    add_up(c);
    for (uint32_t n = 1; n <= most; n++) {
        find_ways(c, n);
        if (!isfinite(way_of(c, n, 0, 0)->slowest)) continue;
        struct stages stages = follow(c, n);
        if (stages.seconds < WORTH * best.seconds) best = stages;
    }
    return best;
}

static bramble_status refuse(const struct stages_task *task, bramble_error *error)
{
    double have = 0, all = stages_bytes(task, 1, 0, task->n_pieces);
    for (uint32_t m = 0; m < task->n_members; m++) have += task->members[m].memory;
    return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                     "this network does not fit these nodes: on one it takes about %.2f GB to train, and the "
                     "%u have %.2f GB together; add nodes, or take a smaller batch size",
                     all * 1e-9, task->n_members, have * 1e-9);
}

bramble_status stages_cut(struct stages *out, const struct stages_task *task, bramble_error *error)
{
    uint32_t most = task->n_members < STAGES_MOST ? task->n_members : STAGES_MOST;
    if (most > task->n_pieces) most = task->n_pieces;
    struct cutting c = {.task = task};
    size_t ways = (size_t)most * (task->n_members + 1) * (task->n_pieces + 1);
    c.before = mem_alloc((size_t)task->n_pieces + 1, sizeof *c.before);
    c.ways = mem_alloc(ways, sizeof *c.ways);
    bool room = c.before && c.ways;
    struct stages best = {.seconds = INFINITY};
    if (room) best = find_best(&c, most);
    mem_free(c.before);
    mem_free(c.ways);
    if (!room) return error_memory(error, "the stages of a pipeline");
    if (!isfinite(best.seconds)) return refuse(task, error);
    *out = best;
    return BRAMBLE_OK;
}
