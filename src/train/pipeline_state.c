/* Weights and what belongs to them, between the first member, who hands them in, and those who train them. */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/pipeline_internal.h"

/* A stage's arrays as they lie in its part: weights, optimiser, best. */
struct block {
    size_t n_parameters, n_weights, slots;
    bool best;
};

static bool is_of(const struct pipeline *p, uint32_t stage, uint32_t v, enum net_kind kind)
{
    return p->stage_of[v] == stage && p->graph->values[v].kind == kind;
}

static struct block block_of(const struct pipeline *p, uint32_t stage, bool best)
{
    struct block block = {.slots = optimiser_slots(&p->options.optimiser), .best = best};
    for (uint32_t v = 0; v < p->graph->n_values; v++) {
        size_t n = net_aligned(p->graph->values[v].size);
        if (is_of(p, stage, v, NET_PARAMETER)) block.n_parameters += n;
        if (is_of(p, stage, v, NET_PARAMETER) || is_of(p, stage, v, NET_STATE)) block.n_weights += n;
    }
    return block;
}

static size_t block_numbers(const struct block *block)
{
    return block->n_weights * (1 + block->best) + block->n_parameters * block->slots;
}

static void copy(float *whole, float *part, size_t n, bool out)
{
    if (out)
        memcpy(whole, part, n * sizeof *whole);
    else
        memcpy(part, whole, n * sizeof *whole);
}

/* Between the whole network's arrays and a stage's; out: into the whole ones. */
static void copy_block(const struct pipeline *p, uint32_t stage, const struct net_checkpoint *whole,
                       const struct block *block, float *numbers, bool out)
{
    size_t at = 0;
    float *optimiser = numbers + block->n_weights, *best = optimiser + block->n_parameters * block->slots;
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t v = 0; v < p->graph->n_values; v++) {
            const struct net_value *value = &p->graph->values[v];
            if (!is_of(p, stage, v, round ? NET_STATE : NET_PARAMETER)) continue;
            copy(whole->weights + value->offset, numbers + at, value->size, out);
            if (block->best) copy(whole->best + value->offset, best + at, value->size, out);
            for (size_t s = 0; s < block->slots && !round; s++)
                copy(whole->optimiser + s * p->graph->n_parameters + value->offset,
                     optimiser + s * block->n_parameters + at, value->size, out);
            at += net_aligned(value->size);
        }
}

static void free_blocks(struct pipeline *p)
{
    for (uint32_t m = 0; m < p->exchanges->n_members; m++) mem_free((void *)p->mine[m].bytes);
    memset(p->mine, 0, p->exchanges->n_members * sizeof *p->mine);
}

static bramble_status swap(struct pipeline *p, bramble_error *error)
{
    return p->exchanges->all_to_all(p->exchanges->context, p->mine, p->theirs, error);
}

static float *new_block(struct pipeline *p, uint32_t member, const struct block *block, bramble_error *error)
{
    size_t n = block_numbers(block);
    float *numbers = mem_zalloc(n, sizeof *numbers);
    if (!numbers)
        error_memory(error, "the network's weights");
    else
        p->mine[member] = (struct exchanged){numbers, n * sizeof *numbers};
    return numbers;
}

bramble_status pipeline_scatter(struct pipeline *p, const struct net_checkpoint *whole,
                                struct net_checkpoint *mine, bramble_error *error)
{
    const struct stages *stages = &p->layout.stages;
    bramble_status status = BRAMBLE_OK;
    bool best = mine->best && mine->position.best_epoch;
    for (uint32_t s = 0; s < stages->n && whole && !status; s++) {
        struct block block = block_of(p, s, best);
        float *numbers = new_block(p, stages->members[s], &block, error);
        if (!numbers) status = BRAMBLE_ERR_MEMORY;
        if (numbers) copy_block(p, s, whole, &block, numbers, false);
    }
    if (!status) status = swap(p, error);
    if (!status && p->stage) {
        const struct exchanged *came = &p->theirs[0];
        const char *bytes = came->bytes;
        size_t weights = mine->n_weights * sizeof(float), optimiser = mine->n_optimiser * sizeof(float);
        if (came->length != weights * (1 + best) + optimiser) {
            status = pipeline_wrong(0, error);
        } else {
            memcpy(mine->weights, bytes, weights);
            memcpy(mine->optimiser, bytes + weights, optimiser);
            if (best) memcpy(mine->best, bytes + weights + optimiser, weights);
        }
    }
    free_blocks(p);
    return status;
}

/* Takes what the stages sent into the whole network's arrays. */
static bramble_status take_blocks(struct pipeline *p, struct net_checkpoint *whole, bool best,
                                  bramble_error *error)
{
    for (uint32_t s = 0; s < p->layout.stages.n; s++) {
        uint32_t member = p->layout.stages.members[s];
        struct block block = block_of(p, s, best);
        const struct exchanged *came = &p->theirs[member];
        if (came->length != block_numbers(&block) * sizeof(float)) return pipeline_wrong(member, error);
        float *numbers = mem_alloc(came->length, 1); /* what came lies anywhere */
        if (!numbers) return error_memory(error, "the network's weights");
        memcpy(numbers, came->bytes, came->length);
        copy_block(p, s, whole, &block, numbers, true);
        mem_free(numbers);
    }
    return BRAMBLE_OK;
}

bramble_status pipeline_gather(struct pipeline *p, struct net_checkpoint *whole,
                               const struct net_checkpoint *mine, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    bool best = mine->best && mine->position.best_epoch;
    if (p->stage) {
        struct block block = block_of(p, p->own, best);
        float *numbers = new_block(p, 0, &block, error);
        if (!numbers) status = BRAMBLE_ERR_MEMORY;
        if (numbers) {
            memcpy(numbers, mine->weights, mine->n_weights * sizeof *numbers);
            memcpy(numbers + mine->n_weights, mine->optimiser, mine->n_optimiser * sizeof *numbers);
            if (best)
                memcpy(numbers + mine->n_weights + mine->n_optimiser, mine->best,
                       mine->n_weights * sizeof *numbers);
        }
    }
    if (!status) status = swap(p, error);
    if (!status && whole) status = take_blocks(p, whole, best, error);
    free_blocks(p);
    return status;
}
