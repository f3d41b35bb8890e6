#include "net/stage.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/finite.h"
#include "net/fold.h"
#include "net/fuse.h"
#include "net/machine.h"
#include "net/update.h"

enum { LOSS_NUMBERS = 3 };

/* A bundle on its way. */
struct slot {
    char *whole;
    float *input;    /* own room; NULL in the first stage */
    const float *at; /* its input */
};

struct stage {
    struct net_graph graph; /* fused; its weights are the part's */
    struct stage_options options;
    struct team *team;
    struct plan plan;
    struct machine machine;
    struct update update;
    struct slot *slots;
    float *output, *input_gradient, *states;
    float *levels; /* of the fold of gradients */
    struct fold fold;
    double *losses; /* of each microbatch of the batch: LOSS_NUMBERS */
    uint64_t samples, step;
    bool together; /* a batch is one group, which gathers */
};

static uint32_t microbatches_most(const struct stage_options *options)
{
    return (options->batch_size + MICROBATCH - 1) / MICROBATCH;
}

static uint32_t in_bundle(const struct stage_options *options)
{
    return options->group * options->bundle;
}

static uint32_t bundles_most(const struct stage_options *options)
{
    return (microbatches_most(options) + in_bundle(options) - 1) / in_bundle(options);
}

/* Numbers that a group of these values has. */
static size_t numbers(const struct stage *stage, uint32_t value)
{
    return (size_t)stage->options.group * MICROBATCH * stage->graph.values[value].size;
}

static bool make_slots(struct stage *stage)
{
    stage->slots = mem_zalloc(stage->options.slots, sizeof *stage->slots);
    if (!stage->slots) return false;
    stage->slots[0].whole = stage->machine.whole;
    bool good = true;
    for (uint32_t s = 0; s < stage->options.slots && good; s++) {
        struct slot *slot = &stage->slots[s];
        if (s) good = (slot->whole = mem_alloc_large(stage->plan.whole_bytes, 1));
        if (good && !stage->options.first)
            good = (slot->input = mem_alloc_large(numbers(stage, stage->graph.input),
                                                  stage->options.bundle * sizeof(float)));
    }
    return good;
}

/* The machine's own room for gradients is not used: those of a group go into the fold. */
static bool make_room(struct stage *stage)
{
    const struct stage_options *options = &stage->options;
    size_t levels = fold_levels(bundles_most(options)), n = stage->plan.n_gradients;
    stage->states = mem_alloc(stage->graph.n_states, sizeof *stage->states);
    stage->losses =
        mem_alloc(options->last ? microbatches_most(options) : 1, LOSS_NUMBERS * sizeof *stage->losses);
    if (!options->last) stage->output = mem_alloc_large(numbers(stage, stage->graph.output), sizeof(float));
    if (!options->first)
        stage->input_gradient = mem_alloc_large(numbers(stage, stage->graph.input), sizeof(float));
    if (levels > 1) {
        mem_free(stage->machine.gradients);
        stage->machine.gradients = NULL;
        if (n <= SIZE_MAX / sizeof(float) / levels)
            stage->machine.gradients = mem_alloc_large(n * levels, sizeof(float));
        if (stage->machine.gradients) memset(stage->machine.gradients, 0, n * levels * sizeof(float));
    }
    stage->levels = stage->machine.gradients;
    return stage->states && stage->losses && (options->last || stage->output) &&
           (options->first || stage->input_gradient) && stage->levels && make_slots(stage);
}

static bramble_status fill(struct stage *stage, const struct net_part *part, bramble_error *error)
{
    const struct stage_options *options = &stage->options;
    uint64_t samples = (uint64_t)in_bundle(options) * MICROBATCH;
    if (samples > options->batch_size) samples = options->batch_size;
    bramble_status status = fuse_init(&stage->graph, &part->graph, error);
    if (!status)
        status = plan_init_part(&stage->plan, &stage->graph, !options->last, (uint32_t)samples, error);
    if (status) return status;
    stage->team = team_new(options->threads);
    if (!stage->team) return error_memory(error, "training a part of a network");
    status = machine_init(&stage->machine, &stage->plan, &stage->graph, stage->team, error);
    if (!status) status = update_init(&stage->update, &stage->graph, stage->team, &options->optimiser, error);
    if (!status && !make_room(stage)) status = error_memory(error, "training a part of a network");
    return status;
}

bramble_status stage_new(struct stage **out, struct net_part *part, const struct stage_options *options,
                         bramble_error *error)
{
    struct stage *stage = mem_zalloc(1, sizeof *stage);
    if (!stage) return error_memory(error, "training a part of a network");
    stage->options = *options;
    stage->together = !stage_can_group(&part->graph);
    bramble_status status = fill(stage, part, error);
    if (status) {
        stage_free(stage);
        return status;
    }
    stage->machine.loss = &stage->options.loss;
    stage->machine.seed = options->seed;
    stage->machine.output = stage->output;
    stage->machine.input_gradient = stage->input_gradient;
    *out = stage;
    return BRAMBLE_OK;
}

static void slots_free(struct stage *stage)
{
    if (!stage->slots) return;
    stage->machine.whole = stage->slots[0].whole;
    for (uint32_t s = 0; s < stage->options.slots; s++) {
        if (s) mem_free(stage->slots[s].whole);
        mem_free(stage->slots[s].input);
    }
    mem_free(stage->slots);
}

void stage_free(struct stage *stage)
{
    if (!stage) return;
    slots_free(stage);
    if (stage->levels) stage->machine.gradients = stage->levels;
    update_fini(&stage->update);
    machine_fini(&stage->machine);
    plan_fini(&stage->plan);
    team_free(stage->team);
    fuse_fini(&stage->graph);
    mem_free(stage->output);
    mem_free(stage->input_gradient);
    mem_free(stage->states);
    mem_free(stage->losses);
    mem_free(stage);
}

bool stage_can_group(const struct net_graph *graph)
{
    for (uint32_t n = 0; n < graph->n_nodes; n++)
        if (graph->nodes[n].op->forward_gather) return false;
    return true;
}

static float *states_of(const struct stage *stage)
{
    return stage->graph.weights + stage->graph.n_parameters;
}

void stage_begin(struct stage *stage, uint64_t samples, uint64_t step)
{
    stage->samples = samples;
    stage->step = stage->machine.step = step;
    memcpy(stage->states, states_of(stage), stage->graph.n_states * sizeof *stage->states);
    fold_begin(&stage->fold, stage->levels, stage->plan.n_gradients);
    machine_prepare(&stage->machine);
}

uint32_t stage_groups(const struct stage *stage)
{
    uint64_t group = (uint64_t)stage->options.group * MICROBATCH;
    return (uint32_t)((stage->samples + group - 1) / group);
}

uint64_t stage_group(const struct stage *stage, uint32_t group, uint64_t *first)
{
    uint64_t most = (uint64_t)stage->options.group * MICROBATCH, left;
    *first = group * most;
    left = stage->samples - *first;
    return left < most ? left : most;
}

/* The machine is at this group, in its bundle. */
static struct slot *enter(struct stage *stage, uint32_t group)
{
    const struct stage_options *options = &stage->options;
    uint32_t bundle = group / options->bundle;
    struct slot *slot = &stage->slots[bundle % options->slots];
    struct machine *machine = &stage->machine;
    uint64_t most = (uint64_t)in_bundle(options) * MICROBATCH, left;
    machine->before = bundle * most;
    left = stage->samples - machine->before;
    machine->samples = left < most ? left : most;
    machine->from = (uint64_t)(group % options->bundle) * options->group;
    machine->whole = slot->whole;
    machine->input = slot->at;
    return slot;
}

void stage_take(struct stage *stage, uint32_t group, const void *x)
{
    struct slot *slot = enter(stage, group);
    size_t size = stage->graph.values[stage->graph.input].size, at = stage->machine.from * MICROBATCH * size;
    uint64_t first, samples = stage_group(stage, group, &first);
    if (slot->input) {
        memcpy(slot->input + at, x, samples * size * sizeof(float));
        slot->at = slot->input;
    } else if (!at) {
        slot->at = x;
    }
}

/* The group alone through some phases; one that is all there is also gathers. */
static void run(struct stage *stage, uint32_t group, uint32_t begin, uint32_t end)
{
    uint64_t first, samples = stage_group(stage, group, &first);
    for (uint32_t phase = begin; phase < end; phase++)
        if (stage->together)
            machine_phase(&stage->machine, phase);
        else
            machine_microbatches(&stage->machine, phase, stage->machine.from,
                                 (samples + MICROBATCH - 1) / MICROBATCH);
}

const float *stage_forward(struct stage *stage, uint32_t group)
{
    enter(stage, group);
    run(stage, group, 0, stage->plan.n_forward);
    return stage->output;
}

const float *stage_backward(struct stage *stage, uint32_t group, const void *gradient)
{
    enter(stage, group);
    stage->machine.output_gradient = gradient;
    stage->machine.gradients = fold_leaf(&stage->fold);
    run(stage, group, stage->plan.n_forward, stage->plan.n_phases);
    return stage->input_gradient;
}

static void take_target(struct stage *stage, const struct stage_target *target)
{
    struct machine *machine = &stage->machine;
    uint32_t n_outputs = (uint32_t)stage->graph.values[stage->graph.output].size;
    machine->target = loss_target_at(machine->loss, target->target, machine->before, n_outputs);
    machine->weight = target->weight ? target->weight + machine->before : NULL;
    machine->total_weight = target->total_weight;
}

const float *stage_turn(struct stage *stage, uint32_t group, const struct stage_target *target)
{
    enter(stage, group);
    take_target(stage, target);
    stage->machine.gradients = fold_leaf(&stage->fold);
    run(stage, group, stage->plan.n_forward, stage->plan.n_phases);
    return stage->input_gradient;
}

void stage_settle(struct stage *stage, uint32_t group)
{
    struct machine *machine = &stage->machine;
    bool complete = (group + 1) % stage->options.bundle == 0 || group + 1 == stage_groups(stage);
    if (!complete) return;
    enter(stage, group);
    machine->gradients = fold_leaf(&stage->fold);
    for (uint32_t phase = 0; phase < stage->plan.n_phases && !stage->together; phase++)
        machine_parts(machine, phase);
    fold_add(&stage->fold);
    if (stage->options.last)
        machine_losses(machine, stage->losses + machine->before / MICROBATCH * LOSS_NUMBERS);
}

struct loss_sum stage_loss(struct stage *stage)
{
    double *losses = stage->losses;
    fold_doubles(losses, (stage->samples + MICROBATCH - 1) / MICROBATCH, LOSS_NUMBERS, LOSS_NUMBERS);
    return (struct loss_sum){losses[0], losses[1], (uint64_t)losses[2], 0};
}

const double *stage_squares(struct stage *stage, uint32_t *n)
{
    stage->machine.gradients = stage->levels;
    fold_end(&stage->fold, stage->levels);
    machine_finish_gradients(&stage->machine);
    update_squares(&stage->update, stage->levels);
    *n = stage->update.n_ranges;
    return stage->update.squares;
}

void stage_update(struct stage *stage, double norm, double learning_rate)
{
    update_weights(&stage->update, stage->levels, norm, learning_rate, stage->step);
}

void stage_undo(struct stage *stage)
{
    memcpy(states_of(stage), stage->states, stage->graph.n_states * sizeof *stage->states);
}

const float *stage_look(struct stage *stage, uint32_t group, uint32_t *bad)
{
    struct machine *machine = &stage->machine;
    enter(stage, group);
    machine->looks = true;
    atomic_store(&machine->bad_node, NET_NONE);
    run(stage, group, 0, stage->plan.n_forward);
    machine->looks = false;
    uint32_t found = atomic_load(&machine->bad_node);
    if (found != NET_NONE && stage->graph.nodes[found].number < *bad) *bad = stage->graph.nodes[found].number;
    return stage->output;
}

uint32_t stage_bad_gradient(const struct stage *stage)
{
    uint32_t bad = finite_bad_gradient(&stage->plan, stage->levels);
    return bad == NET_NONE ? bad : stage->graph.nodes[bad].number;
}

const float *stage_gradient(const struct stage *stage)
{
    return stage->levels;
}

float *stage_optimiser_state(struct stage *stage, size_t *n)
{
    *n = stage->graph.n_parameters * stage->update.slots;
    return stage->update.state;
}

size_t stage_bytes(const struct stage *stage)
{
    size_t levels = fold_levels(bundles_most(&stage->options));
    size_t ends = (stage->options.last ? 0 : numbers(stage, stage->graph.output)) +
                  (stage->options.first ? 0
                                        : (1 + (size_t)stage->options.slots * stage->options.bundle) *
                                              numbers(stage, stage->graph.input));
    return machine_bytes(&stage->machine) + update_bytes(&stage->update) + ends * sizeof(float) +
           (levels - 1) * stage->plan.n_gradients * sizeof(float) +
           (stage->options.slots - 1) * stage->plan.whole_bytes;
}
