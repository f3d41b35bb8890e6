/* How long tensors live, which of them share a place, and where they lie. */
#include "base/mem.h"
#include "net/arena.h"
#include "net/plan.h"

/* A moment: a phase, and in it a step. Lives begin and end at moments; both belong to them. */
static uint64_t moment(uint32_t phase, uint32_t step)
{
    return (uint64_t)phase << 32 | step;
}

static uint32_t phase_of(uint64_t moment)
{
    return (uint32_t)(moment >> 32);
}

static void use_from_to(struct plan_tensor *tensor, uint64_t from, uint64_t to)
{
    if (from < tensor->begin) tensor->begin = from;
    if (to > tensor->end) tensor->end = to;
}

static void use(struct plan *plan, uint32_t tensor, uint64_t at)
{
    use_from_to(&plan->tensors[tensor], at, at);
}

static void use_inputs(struct plan *plan, const struct net_node *node, uint64_t from, uint64_t to)
{
    for (uint32_t i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] != NET_NONE) use_from_to(&plan->tensors[node->inputs[i]], from, to);
}

/* What backward work reads. */
static void use_backward(struct plan *plan, uint32_t n, uint64_t from, uint64_t to)
{
    const struct net_node *node = &plan->graph->nodes[n];
    if (node_reads_inputs(node)) use_inputs(plan, node, from, to);
    for (uint32_t o = 0; o < node->n_outputs; o++) {
        if (node_reads_outputs(node)) use_from_to(&plan->tensors[node->outputs[o]], from, to);
        use_from_to(&plan->tensors[plan_gradient(plan, node->outputs[o])], from, to);
    }
    use_from_to(&plan->tensors[plan_kept(plan, n)], from, to);
}

static void use_step(struct plan *plan, const struct plan_step *step, uint64_t at)
{
    const struct net_node *node = step->node == NET_NONE ? NULL : &plan->graph->nodes[step->node];
    switch (step->work) {
    case PLAN_FORWARD_GATHER: use_inputs(plan, node, at, at); break;
    case PLAN_FORWARD:
        use_inputs(plan, node, at, at);
        for (uint32_t o = 0; o < node->n_outputs; o++) use(plan, node->outputs[o], at);
        if (!node_kept_by_backward(plan->graph, node)) use(plan, plan_kept(plan, step->node), at);
        break;
    case PLAN_LOSS:
        use(plan, plan->graph->output, at);
        use(plan, plan_gradient(plan, plan->graph->output), at);
        break;
    case PLAN_LEAVE: use(plan, plan->graph->output, at); break;
    case PLAN_RETURN: use(plan, plan_gradient(plan, plan->graph->output), at); break;
    case PLAN_BACKWARD_GATHER: use_backward(plan, step->node, at, at); break;
    case PLAN_BACKWARD:
        use_backward(plan, step->node, at, at);
        for (uint32_t i = 0; i < node->n_inputs; i++)
            if (step->wants >> i & 1) use(plan, plan_gradient(plan, node->inputs[i]), at);
        break;
    }
}

/* Jobs for parameters' gradients run at any time of their phase and read whole batches. */
static void use_part(struct plan *plan, uint32_t phase, uint32_t n)
{
    const struct net_node *node = &plan->graph->nodes[n];
    uint64_t from = moment(phase, 0), to = moment(phase, UINT32_MAX);
    use_from_to(&plan->tensors[plan_kept(plan, n)], from, to);
    plan->tensors[plan_kept(plan, n)].gathered = true;
    if (node_kept_by_backward(plan->graph, node)) return;
    use_backward(plan, n, from, to);
    for (uint32_t i = 0; i < node->n_inputs && node_reads_inputs(node); i++)
        if (node->inputs[i] != NET_NONE) plan->tensors[node->inputs[i]].gathered = true;
    for (uint32_t o = 0; o < node->n_outputs; o++) {
        if (node_reads_outputs(node)) plan->tensors[node->outputs[o]].gathered = true;
        plan->tensors[plan_gradient(plan, node->outputs[o])].gathered = true;
    }
}

static uint64_t moment_of(const struct plan *plan, uint32_t step)
{
    return moment(plan->steps[step].phase, step + 1);
}

static void find_lives(struct plan *plan)
{
    for (uint32_t s = 0; s < plan->n_steps; s++) use_step(plan, &plan->steps[s], moment_of(plan, s));
    for (uint32_t p = 0; p < plan->n_phases; p++)
        for (uint32_t i = 0; i < plan->phases[p].n_parts; i++) {
            uint32_t node = plan->parts[plan->phases[p].first_part + i].node;
            if (i == 0 || node != plan->parts[plan->phases[p].first_part + i - 1].node)
                use_part(plan, p, node);
        }
}

static uint32_t root_of(const struct plan *plan, uint32_t tensor)
{
    while (plan->tensors[tensor].same_as != tensor) tensor = plan->tensors[tensor].same_as;
    return tensor;
}

/* `to`, first written at `at`, takes the place of `from` if that one's life ends there. */
static void take_over(struct plan *plan, uint32_t from, uint32_t to, uint64_t at)
{
    struct plan_tensor *old = &plan->tensors[root_of(plan, from)], *new = &plan->tensors[to];
    if (old->where != PLAN_NOWHERE || new->where != PLAN_NOWHERE || old->stride != new->stride) return;
    if (old->end != at || new->begin != at || new->same_as != to) return;
    new->same_as = old->same_as;
    old->end = new->end;
    old->gathered |= new->gathered;
}

static void share_in_place(struct plan *plan)
{
    for (uint32_t s = 0; s < plan->n_steps; s++) {
        const struct plan_step *step = &plan->steps[s];
        const struct net_node *node = step->node == NET_NONE ? NULL : &plan->graph->nodes[step->node];
        if (!node || !node->op->in_place) continue;
        uint32_t x = node->inputs[0], y = node->outputs[0];
        bool activation = x != NET_NONE && plan->graph->values[x].kind == NET_ACTIVATION;
        for (uint32_t i = 1; i < node->n_inputs; i++) activation &= node->inputs[i] != x;
        if (!activation) continue;
        if (step->work == PLAN_FORWARD) take_over(plan, x, y, moment_of(plan, s));
        if (step->work == PLAN_BACKWARD && (step->wants & 1))
            take_over(plan, plan_gradient(plan, y), plan_gradient(plan, x), moment_of(plan, s));
    }
}

/* What has a life and is not where data come from or go to. */
static void settle_where(struct plan *plan)
{
    for (uint32_t t = 0; t < plan->n_tensors; t++) {
        struct plan_tensor *tensor = &plan->tensors[t];
        bool lives = tensor->begin <= tensor->end && tensor->stride && tensor->same_as == t;
        if (!lives || tensor->where != PLAN_NOWHERE) continue;
        bool one_phase = phase_of(tensor->begin) == phase_of(tensor->end) && !tensor->gathered;
        tensor->where = one_phase ? PLAN_THREAD : PLAN_WHOLE;
    }
}

static bool describe(const struct plan *plan, const struct plan_tensor *tensor, struct arena_item *item)
{
    *item = (struct arena_item){.bytes = tensor->stride,
                                .begin = tensor->begin,
                                .end = tensor->end,
                                .wide_begin = tensor->begin,
                                .wide_end = tensor->end};
    if (tensor->where == PLAN_THREAD) return true;
    item->wide_begin = moment(phase_of(tensor->begin), 0);
    item->wide_end = moment(phase_of(tensor->end), UINT32_MAX);
    return !__builtin_mul_overflow(tensor->stride, (size_t)plan->microbatches, &item->bytes);
}

/* Places all tensors that lie in one kind of room. */
static bool place(struct plan *plan, enum plan_where where, struct arena_item *items, size_t *bytes)
{
    size_t n = 0, next = 0;
    for (uint32_t t = 0; t < plan->n_tensors; t++)
        if (plan->tensors[t].where == where && !describe(plan, &plan->tensors[t], &items[n++])) return false;
    if (!arena_place(items, n, bytes)) return false;
    for (uint32_t t = 0; t < plan->n_tensors; t++)
        if (plan->tensors[t].where == where) plan->tensors[t].offset = items[next++].offset;
    return true;
}

static void follow_roots(struct plan *plan)
{
    for (uint32_t t = 0; t < plan->n_tensors; t++) {
        const struct plan_tensor *root = &plan->tensors[root_of(plan, t)];
        plan->tensors[t].where = root->where;
        plan->tensors[t].offset = root->offset;
    }
}

bool plan_memory(struct plan *plan)
{
    struct arena_item *items = mem_alloc(plan->n_tensors, sizeof *items);
    if (!items) return false;
    find_lives(plan);
    share_in_place(plan);
    settle_where(plan);
    bool placed = place(plan, PLAN_WHOLE, items, &plan->whole_bytes) &&
                  place(plan, PLAN_THREAD, items, &plan->thread_bytes);
    mem_free(items);
    if (placed) follow_roots(plan);
    return placed;
}
