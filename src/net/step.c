#include "net/step.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/finite.h"
#include "net/fuse.h"
#include "net/machine.h"
#include "net/update.h"

struct trainer {
    struct net_graph graph; /* fused; its weights are the caller's */
    struct loss_options loss;
    uint64_t seed, steps;
    struct team *team;
    struct plan plan;
    struct machine machine;
    struct share *share; /* NULL: every step is its own alone */
    struct update update;
    float *states; /* as they were before the step */
};

static bramble_status fill(struct trainer *trainer, const struct net_graph *graph,
                           const struct trainer_options *options, bramble_error *error)
{
    bramble_status status = fuse_init(&trainer->graph, graph, error);
    if (!status) status = plan_init(&trainer->plan, &trainer->graph, true, options->batch_size, error);
    if (status) return status;
    trainer->team = team_new(options->threads);
    trainer->states = mem_alloc(graph->n_states, sizeof *trainer->states);
    if (!trainer->team || !trainer->states) return error_memory(error, "training a network");
    status = machine_init(&trainer->machine, &trainer->plan, &trainer->graph, trainer->team, error);
    if (!status)
        status = update_init(&trainer->update, &trainer->graph, trainer->team, &options->optimiser, error);
    if (!status && options->together) status = share_new(&trainer->share, &trainer->plan, error);
    return status;
}

bramble_status trainer_new(struct trainer **out, struct net_graph *graph,
                           const struct trainer_options *options, bramble_error *error)
{
    struct trainer *trainer = mem_zalloc(1, sizeof *trainer);
    if (!trainer) return error_memory(error, "training a network");
    trainer->loss = options->loss;
    trainer->seed = options->seed;
    bramble_status status = fill(trainer, graph, options, error);
    if (status) {
        trainer_free(trainer);
        return status;
    }
    trainer->machine.loss = &trainer->loss;
    trainer->machine.seed = options->seed;
    *out = trainer;
    return BRAMBLE_OK;
}

void trainer_free(struct trainer *trainer)
{
    if (!trainer) return;
    update_fini(&trainer->update);
    share_free(trainer->share);
    machine_fini(&trainer->machine);
    plan_fini(&trainer->plan);
    team_free(trainer->team);
    fuse_fini(&trainer->graph);
    mem_free(trainer->states);
    mem_free(trainer);
}

static float *states_of(const struct trainer *trainer)
{
    return trainer->graph.weights + trainer->graph.n_parameters;
}

static void save_states(struct trainer *trainer)
{
    memcpy(trainer->states, states_of(trainer), trainer->graph.n_states * sizeof *trainer->states);
}

static void restore_states(struct trainer *trainer)
{
    memcpy(states_of(trainer), trainer->states, trainer->graph.n_states * sizeof *trainer->states);
}

/* Goes through the forward phases again, looking at each output. */
static uint32_t find_bad_node(struct trainer *trainer)
{
    struct machine *machine = &trainer->machine;
    uint32_t gradient = finite_bad_gradient(&trainer->plan, machine->gradients);
    if (gradient == NET_NONE) gradient = trainer->graph.values[trainer->graph.output].producer;
    machine->looks = true;
    atomic_store(&machine->bad_node, NET_NONE);
    for (uint32_t phase = 0; phase < trainer->plan.n_forward; phase++) machine_phase(machine, phase);
    machine->looks = false;
    uint32_t bad = atomic_load(&machine->bad_node);
    if (machine->share) bad = share_least(machine->share, bad);
    return bad == NET_NONE ? gradient : bad;
}

/* How many pieces from `first` on are taken at once: so many that no thread lacks work, then or afterwards.
 */
static uint32_t pieces_at_once(const struct trainer *trainer, uint32_t first)
{
    const struct share *share = trainer->machine.share;
    uint32_t threads = team_size(trainer->team), taken = 0, n = 0;
    while (first + n < share->n_pieces &&
           (taken < threads || share->n_own - share->pieces[first + n].first < threads))
        taken += share->pieces[first + n++].n;
    return n;
}

/* Piece by piece where that is possible: the gradients of one travel while the next one's are computed. */
static void run_phases(struct trainer *trainer)
{
    struct machine *machine = &trainer->machine;
    uint32_t n_phases = trainer->plan.n_phases;
    if (!machine->share || trainer->plan.gathers) {
        for (uint32_t phase = 0; phase < n_phases; phase++) machine_phase(machine, phase);
        return;
    }
    for (uint32_t first = 0, n; first < machine->share->n_pieces; first += n) {
        n = pieces_at_once(trainer, first);
        for (uint32_t phase = 0; phase < n_phases; phase++) machine_phase_of(machine, phase, first, n);
    }
}

/* The machine knows what it works on; all but the update. */
static struct step_result find_gradients(struct trainer *trainer)
{
    struct machine *machine = &trainer->machine;
    machine->step = trainer->steps + 1;
    save_states(trainer);
    machine_prepare(machine);
    run_phases(trainer);
    struct loss_sum sum = machine_loss(machine);
    machine_finish_gradients(machine);
    struct step_result result = {
        .loss = sum.weight == 0 ? 0 : sum.loss / sum.weight,
        .gradient_norm = update_norm(&trainer->update, machine->gradients),
        .correct = sum.correct,
        .bad_node = NET_NONE,
        .broken = machine->share && machine->share->broken,
    };
    if (!result.broken && (!isfinite(result.loss) || !isfinite(result.gradient_norm)))
        result.bad_node = find_bad_node(trainer);
    result.broken = machine->share && machine->share->broken;
    if (result.bad_node != NET_NONE || result.broken) restore_states(trainer);
    return result;
}

struct step_result trainer_gradients(struct trainer *trainer, const float *x, const void *target,
                                     const float *weight, uint64_t samples)
{
    struct machine *machine = &trainer->machine;
    uint32_t n_outputs = (uint32_t)trainer->graph.values[trainer->graph.output].size;
    machine->share = NULL;
    machine->input = x;
    machine->target = target;
    machine->samples = samples;
    machine->weight = weight;
    machine->total_weight = loss_weight(&trainer->loss, target, weight, samples, n_outputs);
    return find_gradients(trainer);
}

double trainer_update(struct trainer *trainer, const float *gradients, double learning_rate)
{
    double norm = update_norm(&trainer->update, gradients);
    if (isfinite(norm)) update_weights(&trainer->update, gradients, norm, learning_rate, ++trainer->steps);
    return norm;
}

static void make_step(struct trainer *trainer, const struct step_result *result, double learning_rate)
{
    if (result->bad_node != NET_NONE || result->broken) return;
    update_weights(&trainer->update, trainer->machine.gradients, result->gradient_norm, learning_rate,
                   ++trainer->steps);
}

struct step_result trainer_step(struct trainer *trainer, const float *x, const void *target, uint64_t samples,
                                double learning_rate)
{
    return trainer_step_weighted(trainer, x, target, NULL, samples, learning_rate);
}

struct step_result trainer_step_weighted(struct trainer *trainer, const float *x, const void *target,
                                         const float *weight, uint64_t samples, double learning_rate)
{
    struct step_result result = trainer_gradients(trainer, x, target, weight, samples);
    make_step(trainer, &result, learning_rate);
    return result;
}

struct step_result trainer_step_together(struct trainer *trainer, const float *x, const void *target,
                                         const struct step_share *share, double learning_rate)
{
    struct machine *machine = &trainer->machine;
    machine->share = trainer->share;
    machine->input = x;
    machine->target = target;
    machine->samples = share->samples;
    machine->weight = share->weight;
    machine->total_weight = share->total_weight;
    share_begin(trainer->share, share->peers, share->division);
    struct step_result result = find_gradients(trainer);
    make_step(trainer, &result, learning_rate);
    return result;
}

const float *trainer_gradient(const struct trainer *trainer)
{
    return trainer->machine.gradients;
}

float *trainer_optimiser_state(struct trainer *trainer, size_t *n)
{
    *n = trainer->graph.n_parameters * trainer->update.slots;
    return trainer->update.state;
}

uint64_t trainer_steps(const struct trainer *trainer)
{
    return trainer->steps;
}

void trainer_set_steps(struct trainer *trainer, uint64_t steps)
{
    trainer->steps = steps;
}

size_t trainer_bytes(const struct trainer *trainer)
{
    return machine_bytes(&trainer->machine) + update_bytes(&trainer->update) +
           (trainer->share ? share_bytes(trainer->share) : 0) +
           trainer->graph.n_states * sizeof *trainer->states;
}
