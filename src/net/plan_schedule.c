/* Which phase each node works in, and what a phase does one after the other. */
#include <string.h>

#include "base/mem.h"
#include "net/plan.h"

/* The producer of a node's input, or NET_NONE. */
static uint32_t producer(const struct plan *plan, uint32_t node, uint32_t i)
{
    uint32_t value = plan->graph->nodes[node].inputs[i];
    return value == NET_NONE ? NET_NONE : plan->graph->values[value].producer;
}

bool plan_wants(const struct plan *plan, uint32_t node, uint32_t i)
{
    uint32_t value = plan->graph->nodes[node].inputs[i], before = producer(plan, node, i);
    if (before == NET_NONE) return value != NET_NONE && plan->graph->values[value].trained;
    return plan->nodes[before].trains;
}

static bool gathers_forward(const struct plan *plan, uint32_t node)
{
    return plan->training && plan->graph->nodes[node].op->forward_gather;
}

static bool gathers_backward(const struct plan *plan, uint32_t node)
{
    return plan->graph->nodes[node].op->backward_gather;
}

/* Forward: after all producers, a phase later where sums must be gathered first. */
static void level_forward(struct plan *plan)
{
    for (uint32_t n = 0; n < plan->graph->n_nodes; n++) {
        struct plan_node *node = &plan->nodes[n];
        for (uint32_t i = 0; i < plan->graph->nodes[n].n_inputs && node->needed; i++) {
            uint32_t before = producer(plan, n, i);
            if (before != NET_NONE && plan->nodes[before].forward_phase > node->forward_phase)
                node->forward_phase = plan->nodes[before].forward_phase;
        }
        if (node->needed && gathers_forward(plan, n)) node->forward_phase++;
    }
}

/* That of the last forward work. */
static uint32_t output_phase(const struct plan *plan)
{
    return plan->nodes[plan->graph->values[plan->graph->output].producer].forward_phase;
}

/* Backward: after all consumers; until a node's turn comes its backward_phase is that of the last of them. */
static void level_backward(struct plan *plan)
{
    const struct net_graph *graph = plan->graph;
    for (uint32_t n = 0; n < graph->n_nodes; n++)
        plan->nodes[n].backward_phase = output_phase(plan) + plan->parted;
    for (uint32_t n = graph->n_nodes; n-- > 0;) {
        struct plan_node *node = &plan->nodes[n];
        if (!node->needed || !node->trains) continue;
        if (gathers_backward(plan, n)) node->backward_phase++;
        for (uint32_t i = 0; i < graph->nodes[n].n_inputs; i++) {
            uint32_t before = producer(plan, n, i);
            if (before != NET_NONE && plan->nodes[before].backward_phase < node->backward_phase)
                plan->nodes[before].backward_phase = node->backward_phase;
        }
    }
}

static void push(struct plan *plan, uint32_t phase, enum plan_work work, uint32_t node)
{
    plan->gathers |= work == PLAN_FORWARD_GATHER || work == PLAN_BACKWARD_GATHER;
    plan->steps[plan->n_steps++] = (struct plan_step){.phase = phase, .work = work, .node = node};
}

/* All steps in an order in which they can run; within a phase it is the phase's. */
static void list_steps(struct plan *plan)
{
    const struct net_graph *graph = plan->graph;
    for (uint32_t n = 0; n < graph->n_nodes; n++) {
        if (!plan->nodes[n].needed) continue;
        if (gathers_forward(plan, n)) push(plan, plan->nodes[n].forward_phase - 1, PLAN_FORWARD_GATHER, n);
        push(plan, plan->nodes[n].forward_phase, PLAN_FORWARD, n);
    }
    plan->n_forward = output_phase(plan) + 1;
    if (!plan->training) return;
    if (plan->leaves) push(plan, output_phase(plan), PLAN_LEAVE, NET_NONE);
    push(plan, output_phase(plan) + plan->parted, plan->leaves ? PLAN_RETURN : PLAN_LOSS, NET_NONE);
    for (uint32_t n = graph->n_nodes; n-- > 0;) {
        if (!plan->nodes[n].needed || !plan->nodes[n].trains) continue;
        if (gathers_backward(plan, n)) push(plan, plan->nodes[n].backward_phase - 1, PLAN_BACKWARD_GATHER, n);
        push(plan, plan->nodes[n].backward_phase, PLAN_BACKWARD, n);
    }
}

/* Parts are worked on in the phase after the node's backward work. */
static uint32_t part_phase(const struct plan *plan, uint32_t node)
{
    return plan->nodes[node].backward_phase + 1;
}

/* Whether parameter_gradient is to be called for a node. */
static bool has_parts(const struct plan *plan, uint32_t n)
{
    const struct net_node *node = &plan->graph->nodes[n];
    if (!plan->training || !plan->nodes[n].needed || !node->op->parameter_gradient) return false;
    for (uint32_t i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] != NET_NONE && plan->graph->values[node->inputs[i]].kind == NET_PARAMETER)
            return true;
    return false;
}

static uint32_t count_parts(const struct plan *plan, uint32_t n)
{
    const struct net_node *node = &plan->graph->nodes[n];
    return has_parts(plan, n) ? node->op->gradient_parts(plan->graph, node) : 0;
}

static void count_phases(struct plan *plan)
{
    uint32_t last = 0;
    for (uint32_t s = 0; s < plan->n_steps; s++)
        if (plan->steps[s].phase > last) last = plan->steps[s].phase;
    for (uint32_t n = 0; n < plan->graph->n_nodes; n++)
        if (has_parts(plan, n) && part_phase(plan, n) > last) last = part_phase(plan, n);
    plan->n_phases = last + 1;
}

/* Brings the steps into the order of their phases, without changing the order within one. */
static bool sort_steps(struct plan *plan)
{
    struct plan_step *sorted = mem_alloc(plan->n_steps, sizeof *sorted);
    if (!sorted) return false;
    for (uint32_t s = 0; s < plan->n_steps; s++) plan->phases[plan->steps[s].phase].n_steps++;
    for (uint32_t p = 1; p < plan->n_phases; p++)
        plan->phases[p].first_step = plan->phases[p - 1].first_step + plan->phases[p - 1].n_steps;
    for (uint32_t p = 0; p < plan->n_phases; p++) plan->phases[p].n_steps = 0;
    for (uint32_t s = 0; s < plan->n_steps; s++) {
        struct plan_phase *phase = &plan->phases[plan->steps[s].phase];
        sorted[phase->first_step + phase->n_steps++] = plan->steps[s];
    }
    mem_free(plan->steps);
    plan->steps = sorted;
    return true;
}

static bool list_parts(struct plan *plan)
{
    uint64_t total = 0;
    for (uint32_t n = 0; n < plan->graph->n_nodes; n++) {
        uint32_t parts = count_parts(plan, n);
        total += parts;
        if (parts) plan->phases[part_phase(plan, n)].n_parts += parts;
    }
    if (total > UINT32_MAX || !(plan->parts = mem_alloc((size_t)total, sizeof *plan->parts))) return false;
    plan->n_parts = (uint32_t)total;
    for (uint32_t p = 1; p < plan->n_phases; p++)
        plan->phases[p].first_part = plan->phases[p - 1].first_part + plan->phases[p - 1].n_parts;
    for (uint32_t p = 0; p < plan->n_phases; p++) plan->phases[p].n_parts = 0;
    for (uint32_t n = plan->graph->n_nodes; n-- > 0;)
        for (uint32_t part = 0, parts = count_parts(plan, n); part < parts; part++) {
            struct plan_phase *phase = &plan->phases[part_phase(plan, n)];
            plan->parts[phase->first_part + phase->n_parts++] = (struct plan_part){n, part};
        }
    return true;
}

/* Which gradients a backward step writes, which it adds to; written[v]: value v's gradient has been begun. */
static void settle_gradients(struct plan *plan, struct plan_step *step, bool *written)
{
    const struct net_node *node = &plan->graph->nodes[step->node];
    for (uint32_t o = 0; o < node->n_outputs; o++)
        if (!written[node->outputs[o]]) {
            step->zeros |= 1u << o;
            written[node->outputs[o]] = true;
        }
    if (step->work != PLAN_BACKWARD) return;
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        if (!plan_wants(plan, step->node, i)) continue;
        bool repeated = false;
        for (uint32_t before = 0; before < i; before++) repeated |= node->inputs[before] == node->inputs[i];
        step->wants |= 1u << i;
        if (repeated) step->repeats |= 1u << i;
        if (!repeated && written[node->inputs[i]]) step->adds |= 1u << i;
        written[node->inputs[i]] = true;
    }
}

static bool settle_all_gradients(struct plan *plan)
{
    bool *written = mem_zalloc(plan->graph->n_values, sizeof *written);
    if (!written) return false;
    written[plan->graph->output] = true; /* by the loss, or where it comes from */
    for (uint32_t s = 0; s < plan->n_steps; s++)
        if (plan->steps[s].work == PLAN_BACKWARD_GATHER || plan->steps[s].work == PLAN_BACKWARD)
            settle_gradients(plan, &plan->steps[s], written);
    mem_free(written);
    return true;
}

bool plan_schedule(struct plan *plan)
{
    plan->steps = mem_alloc((size_t)plan->graph->n_nodes * 4 + 1, sizeof *plan->steps);
    if (!plan->steps) return false;
    level_forward(plan);
    level_backward(plan);
    list_steps(plan);
    count_phases(plan);
    plan->phases = mem_zalloc(plan->n_phases, sizeof *plan->phases);
    return plan->phases && sort_steps(plan) && list_parts(plan) && settle_all_gradients(plan);
}
