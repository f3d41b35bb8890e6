#include "net/machine.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/finite.h"
#include "net/fold.h"
#include "net/kernels/kernel.h"
#include "net/kernels/products.h"

enum { LOSS_NUMBERS = MACHINE_LOSS_NUMBERS };

/* That go through this machine. */
static uint64_t microbatches(const struct machine *machine)
{
    return machine->share ? machine->share->n_own : (machine->samples + MICROBATCH - 1) / MICROBATCH;
}

/* The first sample of one of them, in the batch. */
static uint64_t first_sample(const struct machine *machine, uint64_t microbatch)
{
    return (machine->share ? machine->share->numbers[microbatch] : microbatch) * MICROBATCH;
}

static void *tensor_at(const struct machine *machine, uint32_t thread, uint64_t microbatch, uint32_t number)
{
    const struct plan_tensor *tensor = &machine->plan->tensors[number];
    switch (tensor->where) {
    case PLAN_NOWHERE: break;
    case PLAN_INPUT: return (char *)machine->input + microbatch * tensor->stride;
    case PLAN_OUTPUT: return (char *)machine->output + microbatch * tensor->stride;
    case PLAN_INPUT_GRADIENT:
        return (char *)machine->input_gradient + (microbatch - machine->from) * tensor->stride;
    case PLAN_WHOLE: return machine->whole + tensor->offset + microbatch * tensor->stride;
    case PLAN_THREAD: return machine->threads + thread * machine->thread_stride + tensor->offset;
    }
    return NULL;
}

/* An activation's numbers, or a parameter's. */
static float *value_at(const struct machine *machine, uint32_t thread, uint64_t microbatch, uint32_t value)
{
    if (value == NET_NONE) return NULL;
    enum net_kind kind = machine->graph->values[value].kind;
    if (kind == NET_INPUT || kind == NET_ACTIVATION) return tensor_at(machine, thread, microbatch, value);
    return graph_numbers(machine->graph, value);
}

static void *scratch_of(const struct machine *machine, uint32_t thread)
{
    return machine->threads + thread * machine->thread_stride + machine->plan->thread_bytes;
}

static uint32_t samples_in(const struct machine *machine, uint64_t microbatch)
{
    uint64_t left = machine->samples - first_sample(machine, microbatch);
    return left < MICROBATCH ? (uint32_t)left : MICROBATCH;
}

/* What is common to all work on a node. */
static void begin_call(const struct machine *machine, uint32_t thread, uint64_t microbatch, uint32_t n,
                       struct net_call *call)
{
    const struct plan_node *planned = &machine->plan->nodes[n];
    const struct net_node *node = &machine->graph->nodes[n];
    *call = (struct net_call){
        .graph = machine->graph,
        .node = node,
        .kernels = machine->kernels,
        .samples = samples_in(machine, microbatch),
        .first = machine->before + first_sample(machine, microbatch),
        .microbatch = (uint32_t)microbatch,
        .training = machine->plan->training,
        .seed = machine->seed,
        .step = machine->step,
        .prepared = machine->prepared + planned->prepared,
        .kept = tensor_at(machine, thread, microbatch, plan_kept(machine->plan, n)),
        .scratch = scratch_of(machine, thread),
        .partial = machine->partials + planned->partial + microbatch * planned->n_partial,
        .batch = machine->batch + planned->batch,
    };
    for (uint32_t i = 0; i < node->n_inputs; i++)
        call->x[i] = value_at(machine, thread, microbatch, node->inputs[i]);
    for (uint32_t o = 0; o < node->n_outputs; o++)
        call->y[o] = tensor_at(machine, thread, microbatch, node->outputs[o]);
}

KERNEL static void add_to(float *sum, const float *x, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) sum[i] += x[i];
}

/* The gradients of repeated inputs are put behind the node's scratch, then added to the first one's. */
static void place_repeats(const struct machine *machine, const struct plan_step *step, struct net_call *call)
{
    const struct net_operator *op = call->node->op;
    size_t bytes = op->scratch_bytes ? op->scratch_bytes(machine->graph, call->node, MICROBATCH) : 0;
    char *room = (char *)call->scratch + (bytes + 63) / 64 * 64;
    for (uint32_t i = 0; i < call->node->n_inputs; i++) {
        if (!(step->repeats >> i & 1)) continue;
        call->dx[i] = (float *)(void *)room;
        room += machine->plan->tensors[call->node->inputs[i]].stride;
    }
}

static void add_repeats(const struct machine *machine, const struct plan_step *step,
                        const struct net_call *call)
{
    const uint32_t *inputs = call->node->inputs;
    for (uint32_t i = 0; i < call->node->n_inputs; i++) {
        if (!(step->repeats >> i & 1)) continue;
        uint32_t first = 0;
        while (inputs[first] != inputs[i]) first++;
        add_to(call->dx[first], call->dx[i], call->samples * machine->graph->values[inputs[i]].size);
    }
}

static void run_backward(const struct machine *machine, uint32_t thread, const struct plan_step *step,
                         struct net_call *call)
{
    const struct plan *plan = machine->plan;
    for (uint32_t o = 0; o < call->node->n_outputs; o++) {
        uint32_t output = call->node->outputs[o];
        float *dy = tensor_at(machine, thread, call->microbatch, plan_gradient(plan, output));
        if (step->zeros >> o & 1)
            memset(dy, 0, call->samples * machine->graph->values[output].size * sizeof *dy);
        call->dy[o] = dy;
    }
    if (step->work == PLAN_BACKWARD_GATHER) {
        call->node->op->backward_gather(call);
        return;
    }
    for (uint32_t i = 0; i < call->node->n_inputs; i++) {
        if (!(step->wants >> i & 1)) continue;
        call->dx[i] =
            tensor_at(machine, thread, call->microbatch, plan_gradient(plan, call->node->inputs[i]));
        call->add[i] = step->adds >> i & 1;
    }
    if (step->repeats) place_repeats(machine, step, call);
    call->node->op->backward(call);
    if (step->repeats) add_repeats(machine, step, call);
}

static void look(struct machine *machine, const struct plan_step *step, const struct net_call *call)
{
    for (uint32_t o = 0; o < call->node->n_outputs; o++) {
        if (numbers_are_finite(call->y[o],
                               call->samples * machine->graph->values[call->node->outputs[o]].size))
            continue;
        uint32_t least = atomic_load(&machine->bad_node);
        while (step->node < least && !atomic_compare_exchange_weak(&machine->bad_node, &least, step->node)) {
        }
    }
}

static void run_loss(struct machine *machine, uint32_t thread, uint64_t microbatch)
{
    uint32_t output = machine->graph->output, n = (uint32_t)machine->graph->values[output].size;
    const void *target = loss_target_at(machine->loss, machine->target, microbatch * MICROBATCH, n);
    const float *weight = machine->weight ? machine->weight + microbatch * MICROBATCH : NULL;
    struct loss_sum sum =
        loss_microbatch(machine->loss, tensor_at(machine, thread, microbatch, output), target, weight,
                        samples_in(machine, microbatch), n, machine->total_weight,
                        tensor_at(machine, thread, microbatch, plan_gradient(machine->plan, output)));
    double *to = machine->losses + microbatch * LOSS_NUMBERS;
    to[0] = sum.loss;
    to[1] = sum.weight;
    to[2] = (double)sum.correct;
}

/* The output goes where another machine gets it from, or its gradient comes from there. */
static void pass(const struct machine *machine, uint32_t thread, uint64_t microbatch, enum plan_work work)
{
    uint32_t output = machine->graph->output;
    size_t size = machine->graph->values[output].size, n = samples_in(machine, microbatch) * size;
    size_t at = (microbatch - machine->from) * MICROBATCH * size;
    if (work == PLAN_LEAVE)
        memcpy(machine->output + at, tensor_at(machine, thread, microbatch, output), n * sizeof(float));
    else
        memcpy(tensor_at(machine, thread, microbatch, plan_gradient(machine->plan, output)),
               machine->output_gradient + at, n * sizeof(float));
}

static void run_step(struct machine *machine, uint32_t thread, uint64_t microbatch,
                     const struct plan_step *step)
{
    struct net_call call;
    if (step->node == NET_NONE) {
        if (step->work == PLAN_LOSS)
            run_loss(machine, thread, microbatch);
        else
            pass(machine, thread, microbatch, step->work);
        return;
    }
    begin_call(machine, thread, microbatch, step->node, &call);
    switch (step->work) {
    case PLAN_FORWARD_GATHER: call.node->op->forward_gather(&call); break;
    case PLAN_FORWARD:
        call.node->op->forward(&call);
        if (machine->looks) look(machine, step, &call);
        break;
    default: run_backward(machine, thread, step, &call);
    }
}

/* Where the gradients of parameters that node n makes go; NULL for its other inputs. */
static void gradients_of(const struct machine *machine, uint32_t n, float **gradient)
{
    for (uint32_t i = 0; i < NET_INPUTS_MAX; i++) {
        size_t at = machine->plan->nodes[n].gradient[i];
        gradient[i] = at == SIZE_MAX ? NULL : machine->gradients + at;
    }
}

static uint32_t pieces(const struct machine *machine)
{
    return machine->share ? machine->share->n_pieces : 1;
}

/* The samples of the microbatches that piece p is made of. */
static struct share_piece piece_at(const struct machine *machine, uint32_t p, uint64_t *samples)
{
    struct share_piece piece = {0, (uint32_t)microbatches(machine)};
    if (machine->share) piece = machine->share->pieces[p];
    uint32_t last = piece.first + piece.n - 1;
    *samples = (uint64_t)(piece.n - 1) * MICROBATCH + samples_in(machine, last);
    return piece;
}

/* A part of a parameter's gradient, over a piece of the batch. */
static void run_part(const struct machine *machine, uint32_t thread, const struct plan_part *part, uint32_t p)
{
    const struct plan *plan = machine->plan;
    const struct net_node *node = &machine->graph->nodes[part->node];
    uint64_t samples;
    uint32_t first = piece_at(machine, p, &samples).first;
    struct net_gradient_call call = {
        .graph = machine->graph,
        .node = node,
        .kernels = machine->kernels,
        .samples = samples,
        .prepared = machine->prepared + plan->nodes[part->node].prepared,
        .kept = tensor_at(machine, thread, first, plan_kept(plan, part->node)),
        .kept_bytes = plan->tensors[plan_kept(plan, part->node)].stride,
        .scratch = scratch_of(machine, thread),
    };
    for (uint32_t i = 0; i < node->n_inputs && node_reads_inputs(node); i++)
        call.x[i] = value_at(machine, thread, first, node->inputs[i]);
    for (uint32_t o = 0; o < node->n_outputs; o++) {
        if (node_reads_outputs(node)) call.y[o] = tensor_at(machine, thread, first, node->outputs[o]);
        call.dy[o] = tensor_at(machine, thread, first, plan_gradient(plan, node->outputs[o]));
    }
    gradients_of(machine, part->node, call.gradient);
    for (uint32_t i = 0; i < node->n_inputs && machine->share; i++)
        call.gradient[i] = share_gradient(machine->share, p, part->node, i);
    node->op->parameter_gradient(&call, part->part);
}

struct phase_run {
    struct machine *machine;
    const struct plan_phase *phase;
    uint32_t first_piece, n_pieces;
    uint64_t first_microbatch, n_microbatches;
};

/* Parts of gradients come first: they are the longest jobs, and one that began last would be waited for. */
static void run_job(void *context, uint32_t thread, uint64_t i)
{
    const struct phase_run *run = context;
    struct machine *machine = run->machine;
    const struct plan *plan = machine->plan;
    uint64_t n_parts = (uint64_t)run->phase->n_parts * run->n_pieces;
    if (i < n_parts) {
        uint32_t part = run->phase->first_part + (uint32_t)(i / run->n_pieces);
        uint32_t piece = run->first_piece + (uint32_t)(i % run->n_pieces);
        run_part(machine, thread, &plan->parts[part], piece);
        if (machine->share) share_part_done(machine->share, part, piece);
        return;
    }
    for (uint32_t s = 0; s < run->phase->n_steps; s++)
        run_step(machine, thread, run->first_microbatch + i - n_parts,
                 &plan->steps[run->phase->first_step + s]);
}

/* Over the batch, into leaves[0]. */
static void add_up(struct machine *machine, double *leaves, size_t size, size_t stride)
{
    if (machine->share)
        share_add_up(machine->share, leaves, size, stride);
    else
        fold_doubles(leaves, microbatches(machine), size, stride);
}

static bool is_broken(const struct machine *machine)
{
    return machine->share && machine->share->broken;
}

static void combine(struct machine *machine, const struct plan_step *step)
{
    const struct plan_node *planned = &machine->plan->nodes[step->node];
    const struct net_node *node = &machine->graph->nodes[step->node];
    double *partials = machine->partials + planned->partial;
    float *batch = machine->batch + planned->batch, *gradient[NET_INPUTS_MAX];
    uint32_t n = node->op->n_partial(machine->graph, node);
    add_up(machine, partials, n, planned->n_partial);
    if (is_broken(machine)) return;
    if (step->work == PLAN_FORWARD_GATHER) {
        node->op->forward_combine(machine->graph, node, partials, machine->samples, batch);
    } else {
        gradients_of(machine, step->node, gradient);
        node->op->backward_combine(machine->graph, node, partials, machine->samples, batch, gradient);
    }
}

static void run_phase(const struct phase_run *run)
{
    struct machine *machine = run->machine;
    uint64_t n_parts = (uint64_t)run->phase->n_parts * run->n_pieces;
    uint64_t n_microbatches = run->phase->n_steps ? run->n_microbatches : 0;
    if (!is_broken(machine)) team_run(machine->team, n_parts + n_microbatches, run_job, (void *)run);
}

void machine_phase_of(struct machine *machine, uint32_t number, uint32_t first, uint32_t n)
{
    const struct share_piece *pieces = machine->share->pieces, *last = &pieces[first + n - 1];
    uint32_t begin = pieces[first].first;
    run_phase(&(struct phase_run){machine, &machine->plan->phases[number], first, n, begin,
                                  last->first + last->n - begin});
}

void machine_phase(struct machine *machine, uint32_t number)
{
    const struct plan *plan = machine->plan;
    const struct plan_phase *phase = &plan->phases[number];
    run_phase(&(struct phase_run){machine, phase, 0, pieces(machine), 0, microbatches(machine)});
    if (is_broken(machine)) return;
    for (uint32_t s = phase->first_step; s < phase->first_step + phase->n_steps; s++)
        if (plan->steps[s].work == PLAN_FORWARD_GATHER || plan->steps[s].work == PLAN_BACKWARD_GATHER)
            combine(machine, &plan->steps[s]);
}

void machine_microbatches(struct machine *machine, uint32_t number, uint64_t first, uint64_t n)
{
    run_phase(&(struct phase_run){machine, &machine->plan->phases[number], 0, 0, first, n});
}

void machine_parts(struct machine *machine, uint32_t number)
{
    run_phase(&(struct phase_run){machine, &machine->plan->phases[number], 0, pieces(machine), 0, 0});
}

static void prepare_node(void *context, uint32_t thread, uint64_t n)
{
    struct machine *machine = context;
    const struct net_node *node = &machine->graph->nodes[n];
    (void)thread;
    if (machine->plan->nodes[n].needed && node->op->prepare)
        node->op->prepare(machine->graph, node, machine->prepared + machine->plan->nodes[n].prepared,
                          machine->plan->training);
}

void machine_prepare(struct machine *machine)
{
    team_run(machine->team, machine->graph->n_nodes, prepare_node, machine);
}

void machine_finish_gradients(struct machine *machine)
{
    if (machine->share) share_finish(machine->share, machine->gradients);
    for (uint32_t i = 0; i < machine->plan->n_sums; i++) {
        const struct plan_sum *sum = &machine->plan->sums[i];
        add_to(machine->gradients + sum->to, machine->gradients + sum->from, sum->size);
    }
}

struct loss_sum machine_loss(struct machine *machine)
{
    add_up(machine, machine->losses, 3, LOSS_NUMBERS);
    if (is_broken(machine)) return (struct loss_sum){0};
    return (struct loss_sum){machine->losses[0], machine->losses[1], (uint64_t)machine->losses[2]};
}

void machine_losses(const struct machine *machine, double *losses)
{
    for (uint64_t m = 0; m < microbatches(machine); m++)
        memcpy(losses + 3 * m, machine->losses + m * LOSS_NUMBERS, 3 * sizeof *losses);
}
