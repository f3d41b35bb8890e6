#include "net/update.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/fold.h"
#include "net/kernels/kernel.h"

enum { LANES = 16 };

static bramble_status count_ranges(struct update *update, bramble_error *error)
{
    uint64_t n = 0;
    for (uint32_t v = 0; v < update->graph->n_values; v++)
        if (update->graph->values[v].kind == NET_PARAMETER)
            n += (update->graph->values[v].size + UPDATE_RANGE - 1) / UPDATE_RANGE;
    if (n > UINT32_MAX / 2) return error_memory(error, "the optimiser's numbers");
    update->n_ranges = (uint32_t)n;
    return BRAMBLE_OK;
}

static void fill_ranges(struct update *update)
{
    struct update_range *range = update->ranges;
    for (uint32_t v = 0; v < update->graph->n_values; v++) {
        const struct net_value *value = &update->graph->values[v];
        for (size_t first = 0; value->kind == NET_PARAMETER && first < value->size; first += UPDATE_RANGE) {
            size_t left = value->size - first;
            *range++ = (struct update_range){.first = value->offset + first,
                                             .n = left < UPDATE_RANGE ? (uint32_t)left : UPDATE_RANGE,
                                             .decays = value->decays};
        }
    }
}

bramble_status update_init(struct update *update, struct net_graph *graph, struct team *team,
                           const struct optimiser_options *options, bramble_error *error)
{
    *update = (struct update){.graph = graph, .team = team, .options = *options};
    bramble_status status = count_ranges(update, error);
    if (status) return status;
    update->slots = optimiser_slots(options);
    update->ranges = mem_alloc(update->n_ranges, sizeof *update->ranges);
    update->squares = mem_alloc(update->n_ranges, sizeof *update->squares);
    update->state = mem_alloc_large(graph->n_parameters, update->slots * sizeof *update->state);
    if (!update->ranges || !update->squares || !update->state) {
        update_fini(update);
        return error_memory(error, "the optimiser's numbers");
    }
    memset(update->state, 0, graph->n_parameters * update->slots * sizeof *update->state);
    fill_ranges(update);
    return BRAMBLE_OK;
}

void update_fini(struct update *update)
{
    mem_free(update->ranges);
    mem_free(update->squares);
    mem_free(update->state);
    *update = (struct update){0};
}

size_t update_bytes(const struct update *update)
{
    return update->graph->n_parameters * update->slots * sizeof *update->state +
           update->n_ranges * (sizeof *update->ranges + sizeof *update->squares);
}

/* In LANES sums, added up in order; squares of floats are exact in double. */
KERNEL static double sum_of_squares(const float *x, size_t n)
{
    double lanes[LANES] = {0}, sum = 0;
    size_t whole = n / LANES * LANES;
    for (size_t i = 0; i < whole; i += LANES)
        for (size_t l = 0; l < LANES; l++) lanes[l] += (double)x[i + l] * (double)x[i + l];
    for (size_t i = whole; i < n; i++) lanes[i - whole] += (double)x[i] * (double)x[i];
    for (size_t l = 0; l < LANES; l++) sum += lanes[l];
    return sum;
}

struct update_run {
    struct update *update;
    const float *gradients;
    double learning_rate, scale;
    uint64_t step;
};

static void square_range(void *context, uint32_t thread, uint64_t i)
{
    const struct update_run *run = context;
    const struct update_range *range = &run->update->ranges[i];
    (void)thread;
    run->update->squares[i] = sum_of_squares(run->gradients + range->first, range->n);
}

void update_squares(struct update *update, const float *gradients)
{
    struct update_run run = {.update = update, .gradients = gradients};
    team_run(update->team, update->n_ranges, square_range, &run);
}

double update_norm(struct update *update, const float *gradients)
{
    if (!update->n_ranges) return 0;
    update_squares(update, gradients);
    fold_doubles(update->squares, update->n_ranges, 1, 1);
    return sqrt(update->squares[0]);
}

static void update_one_range(void *context, uint32_t thread, uint64_t i)
{
    const struct update_run *run = context;
    const struct update *update = run->update;
    const struct update_range *range = &update->ranges[i];
    (void)thread;
    optimiser_update(&update->options, update->graph->weights + range->first, run->gradients + range->first,
                     update->state + range->first, update->graph->n_parameters, range->n, range->decays,
                     run->learning_rate, run->scale, run->step);
}

void update_weights(struct update *update, const float *gradients, double norm, double learning_rate,
                    uint64_t step)
{
    double clip = update->options.clip_norm;
    struct update_run run = {.update = update,
                             .gradients = gradients,
                             .learning_rate = learning_rate,
                             .scale = clip > 0 && norm > clip ? clip / (norm + 1e-6) : 1,
                             .step = step};
    team_run(update->team, update->n_ranges, update_one_range, &run);
}
