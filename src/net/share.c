#include "net/share.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

/* Doubles that a microbatch, or a piece, hands in at most. */
static size_t most_sums(const struct plan *plan)
{
    size_t most = 3; /* the loss */
    for (uint32_t n = 0; n < plan->graph->n_nodes; n++)
        if (plan->nodes[n].n_partial > most) most = plan->nodes[n].n_partial;
    return most;
}

static bool make_room(struct share *share)
{
    const struct plan *plan = share->plan;
    size_t n = share->buckets.n_numbers;
    share->numbers = mem_alloc(plan->microbatches, sizeof *share->numbers);
    share->all = mem_alloc(plan->microbatches, most_sums(plan) * sizeof *share->all);
    share->mine = mem_alloc_large(n, fold_levels(plan->microbatches) * sizeof *share->mine);
    share->totals = mem_alloc_large(n, sizeof *share->totals);
    share->left = mem_alloc(share->buckets.n, FOLD_LEVELS * sizeof *share->left);
    bool good = share->numbers && share->all && share->mine && share->totals && share->left;
    /* What lies between gradients travels with them. */
    if (good) memset(share->mine, 0, n * fold_levels(plan->microbatches) * sizeof *share->mine);
    return good;
}

bramble_status share_new(struct share **out, const struct plan *plan, bramble_error *error)
{
    struct share *share = mem_zalloc(1, sizeof *share);
    if (!share) return error_memory(error, "what members exchange");
    share->plan = plan;
    bramble_status status = buckets_init(&share->buckets, plan, error);
    if (!status && !make_room(share)) status = error_memory(error, "what members exchange");
    if (status)
        share_free(share);
    else
        *out = share;
    return status;
}

void share_free(struct share *share)
{
    if (!share) return;
    buckets_fini(&share->buckets);
    mem_free(share->numbers);
    mem_free(share->all);
    mem_free(share->mine);
    mem_free(share->totals);
    mem_free(share->left);
    mem_free(share);
}

size_t share_bytes(const struct share *share)
{
    return 2 * share->buckets.n_numbers * sizeof(float) +
           share->plan->microbatches * most_sums(share->plan) * sizeof(double);
}

static void take_pieces(struct share *share, const struct division *division, uint32_t member)
{
    share->n_own = share->n_pieces = 0;
    for (uint32_t p = 0; p < division->n_pieces; p++) {
        const struct division_piece *piece = &division->pieces[p];
        if (piece->member != member) continue;
        share->pieces[share->n_pieces++] = (struct share_piece){share->n_own, 1u << piece->level};
        for (uint32_t i = 0; i < 1u << piece->level; i++) share->numbers[share->n_own++] = piece->first + i;
    }
}

void share_begin(struct share *share, const struct net_peers *peers, const struct division *division)
{
    share->peers = peers;
    share->division = division;
    take_pieces(share, division, peers->member);
    share->sums = (struct peers_sums){.division = division,
                                      .mine = share->mine,
                                      .totals = share->totals,
                                      .n_numbers = share->buckets.n_numbers,
                                      .buckets = share->buckets.list,
                                      .n_buckets = share->buckets.n,
                                      .by_pieces = !share->plan->gathers};
    for (uint32_t i = 0; i < share->buckets.n * FOLD_LEVELS; i++)
        atomic_init(&share->left[i], share->buckets.n_parts[i / FOLD_LEVELS]);
    share->broken = !peers->begin(peers->context, &share->sums);
}

void share_add_up(struct share *share, double *leaves, size_t size, size_t stride)
{
    if (share->broken) return;
    for (uint32_t p = 0; p < share->n_pieces; p++) {
        double *first = leaves + share->pieces[p].first * stride;
        fold_doubles(first, share->pieces[p].n, size, stride);
        memmove(leaves + p * size, first, size * sizeof *leaves);
    }
    share->broken = !share->peers->gather(share->peers->context, share->division, leaves, size, share->all);
    if (share->broken) return;
    division_fold_doubles(share->division, share->all, size);
    memcpy(leaves, share->all, size * sizeof *leaves);
}

float *share_gradient(const struct share *share, uint32_t piece, uint32_t node, uint32_t input)
{
    size_t place = share->buckets.places[node][input];
    return place == SIZE_MAX ? NULL : share->mine + piece * share->buckets.n_numbers + place;
}

void share_part_done(struct share *share, uint32_t part, uint32_t piece)
{
    uint32_t bucket = share->buckets.of_part[part];
    if (atomic_fetch_sub(&share->left[bucket * FOLD_LEVELS + piece], 1) == 1)
        share->peers->ready(share->peers->context, bucket, piece);
}

void share_finish(struct share *share, float *gradients)
{
    if (!share->broken) share->broken = !share->peers->finish(share->peers->context);
    if (!share->broken) buckets_unpack(&share->buckets, share->totals, gradients);
}

uint32_t share_least(struct share *share, uint32_t number)
{
    const struct division *division = share->division;
    double *all = share->all, mine[FOLD_LEVELS], least;
    for (uint32_t p = 0; p < FOLD_LEVELS; p++) mine[p] = number;
    if (share->broken) return number;
    share->broken = !share->peers->gather(share->peers->context, division, mine, 1, all);
    if (share->broken) return number;
    least = all[0];
    for (uint32_t p = 1; p < division->n_pieces; p++)
        if (all[p] < least) least = all[p];
    return (uint32_t)least;
}
