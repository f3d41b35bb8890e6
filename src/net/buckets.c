#include "net/buckets.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

/* Puts a node's gradients behind those that are placed. */
static void place_node(struct buckets *b, uint32_t n)
{
    const struct net_node *node = &b->plan->graph->nodes[n];
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        if (b->plan->nodes[n].gradient[i] == SIZE_MAX) continue;
        b->places[n][i] = b->n_numbers;
        b->n_numbers += net_aligned(b->plan->graph->values[node->inputs[i]].size);
    }
}

/* A node's parts follow each other; a bucket ends with a node. */
static void fill(struct buckets *b)
{
    const struct plan *plan = b->plan;
    size_t least = plan->gathers ? BUCKET_NUMBERS : BUCKET_NUMBERS_BY_PIECES;
    struct peers_bucket *bucket = b->list;
    for (uint32_t p = 0; p < plan->n_parts; p++) {
        uint32_t n = plan->parts[p].node;
        bool begins = p == 0 || plan->parts[p - 1].node != n;
        bool ends = p + 1 == plan->n_parts || plan->parts[p + 1].node != n;
        if (begins) place_node(b, n);
        b->of_part[p] = b->n;
        b->n_parts[b->n]++;
        bucket->n = b->n_numbers - bucket->first;
        if ((!ends || bucket->n < least) && p + 1 < plan->n_parts) continue;
        b->n++;
        *++bucket = (struct peers_bucket){.first = b->n_numbers};
    }
}

bramble_status buckets_init(struct buckets *buckets, const struct plan *plan, bramble_error *error)
{
    *buckets = (struct buckets){.plan = plan};
    size_t most = (size_t)plan->graph->n_nodes + 1;
    buckets->list = mem_zalloc(most, sizeof *buckets->list);
    buckets->n_parts = mem_zalloc(most, sizeof *buckets->n_parts);
    buckets->of_part = mem_alloc(plan->n_parts, sizeof *buckets->of_part);
    buckets->places = mem_alloc(plan->graph->n_nodes, sizeof *buckets->places);
    if (!buckets->list || !buckets->n_parts || !buckets->of_part || !buckets->places) {
        buckets_fini(buckets);
        return error_memory(error, "what members exchange");
    }
    memset(buckets->places, 0xff, plan->graph->n_nodes * sizeof *buckets->places); /* SIZE_MAX */
    fill(buckets);
    return BRAMBLE_OK;
}

void buckets_fini(struct buckets *buckets)
{
    mem_free(buckets->list);
    mem_free(buckets->n_parts);
    mem_free(buckets->of_part);
    mem_free(buckets->places);
    *buckets = (struct buckets){0};
}

void buckets_unpack(const struct buckets *buckets, const float *numbers, float *gradients)
{
    const struct plan *plan = buckets->plan;
    for (uint32_t n = 0; n < plan->graph->n_nodes; n++)
        for (uint32_t i = 0; i < plan->graph->nodes[n].n_inputs; i++) {
            if (buckets->places[n][i] == SIZE_MAX) continue;
            size_t size = plan->graph->values[plan->graph->nodes[n].inputs[i]].size;
            memcpy(gradients + plan->nodes[n].gradient[i], numbers + buckets->places[n][i],
                   size * sizeof *gradients);
        }
}
