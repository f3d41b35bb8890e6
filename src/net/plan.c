#include "net/plan.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { LINE = 64, DOUBLES_A_LINE = 8 };

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* total += more; false when that is more than a size_t counts. */
static bool extend(size_t *total, size_t more)
{
    return more <= SIZE_MAX / 2 && !__builtin_add_overflow(*total, more, total);
}

static bool is_parameter(const struct net_graph *graph, uint32_t value)
{
    return value != NET_NONE && graph->values[value].kind == NET_PARAMETER;
}

/* Which nodes train: those with parameters, and all behind them. */
static void find_training(struct plan *plan)
{
    for (uint32_t n = 0; n < plan->graph->n_nodes && plan->training; n++) {
        const struct net_node *node = &plan->graph->nodes[n];
        for (uint32_t i = 0; i < node->n_inputs; i++)
            plan->nodes[n].trains |= is_parameter(plan->graph, node->inputs[i]) || plan_wants(plan, n, i);
    }
}

static bool find_needed(struct plan *plan)
{
    bool *needed = mem_alloc(plan->graph->n_nodes, sizeof *needed);
    if (!needed) return false;
    graph_needed(plan->graph, needed);
    for (uint32_t n = 0; n < plan->graph->n_nodes; n++) plan->nodes[n].needed = needed[n];
    mem_free(needed);
    return true;
}

static bramble_status check_trainable(const struct plan *plan, bramble_error *error)
{
    for (uint32_t n = 0; n < plan->graph->n_nodes; n++) {
        const struct net_node *node = &plan->graph->nodes[n];
        bool can = node->op->parameter_gradient || node->op->backward_combine;
        for (uint32_t i = 0; i < node->n_inputs && plan->training && plan->nodes[n].needed && !can; i++)
            if (is_parameter(plan->graph, node->inputs[i]))
                return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                                 "%.80s: %s cannot train its parameter %.80s; make it a constant", node->name,
                                 node->op->name, plan->graph->values[node->inputs[i]].name);
    }
    return BRAMBLE_OK;
}

/* Room that one node takes besides tensors, for what it keeps and for scratch. */
static bool measure_node(struct plan *plan, uint32_t n)
{
    const struct net_graph *graph = plan->graph;
    const struct net_node *node = &graph->nodes[n];
    const struct net_operator *op = node->op;
    struct plan_node *planned = &plan->nodes[n];
    size_t kept = op->kept_bytes ? op->kept_bytes(graph, node, MICROBATCH) : 0;
    size_t scratch = op->scratch_bytes ? op->scratch_bytes(graph, node, MICROBATCH) : 0;
    if (kept > SIZE_MAX / 4 || scratch > SIZE_MAX / 4) return false;
    plan->tensors[plan_kept(plan, n)].stride = round_up(kept, LINE);
    scratch = round_up(scratch, LINE);
    for (uint32_t i = 0; i < node->n_inputs && planned->trains; i++) /* gradients of repeated inputs */
        for (uint32_t before = 0; before < i; before++)
            if (node->inputs[before] == node->inputs[i] && plan_wants(plan, n, i) &&
                !extend(&scratch, plan->tensors[node->inputs[i]].stride))
                return false;
    if (scratch > plan->scratch_bytes) plan->scratch_bytes = scratch;
    planned->prepared = plan->prepared_bytes;
    return !op->prepared_bytes ||
           extend(&plan->prepared_bytes, round_up(op->prepared_bytes(graph, node), LINE));
}

/* Room for what looks across samples, and for parameters' gradients. */
static bool measure_training(struct plan *plan, uint32_t n)
{
    const struct net_graph *graph = plan->graph;
    const struct net_node *node = &graph->nodes[n];
    const struct net_operator *op = node->op;
    struct plan_node *planned = &plan->nodes[n];
    uint32_t n_partial = op->n_partial ? op->n_partial(graph, node) : 0;
    size_t partials = 0;
    planned->partial = plan->n_partials;
    planned->n_partial = (uint32_t)round_up(n_partial, DOUBLES_A_LINE);
    if (__builtin_mul_overflow((size_t)planned->n_partial, (size_t)plan->microbatches, &partials) ||
        !extend(&plan->n_partials, partials))
        return false;
    planned->batch = plan->n_batch;
    if (op->n_batch && !extend(&plan->n_batch, net_aligned(op->n_batch(graph, node)))) return false;
    if (!op->gradient_scratch_bytes) return true;
    size_t scratch = op->gradient_scratch_bytes(graph, node);
    if (scratch > plan->scratch_bytes) plan->scratch_bytes = scratch;
    return scratch <= SIZE_MAX / 4;
}

static bool measure(struct plan *plan)
{
    for (uint32_t t = 0; t < plan->n_tensors; t++) {
        struct plan_tensor *tensor = &plan->tensors[t];
        *tensor = (struct plan_tensor){.begin = UINT64_MAX, .same_as = t};
        if (t >= 2 * plan->graph->n_values) continue;
        const struct net_value *value = &plan->graph->values[t % plan->graph->n_values];
        if (value->kind == NET_ACTIVATION || value->kind == NET_INPUT)
            tensor->stride = value->size * MICROBATCH * sizeof(float);
    }
    plan->tensors[plan->graph->input].where = PLAN_INPUT;
    if (plan->graph->values[plan->graph->input].trained)
        plan->tensors[plan_gradient(plan, plan->graph->input)].where = PLAN_INPUT_GRADIENT;
    if (!plan->training) plan->tensors[plan->graph->output].where = PLAN_OUTPUT;
    for (uint32_t n = 0; n < plan->graph->n_nodes; n++) {
        if (!plan->nodes[n].needed) continue;
        if (!measure_node(plan, n) || (plan->training && !measure_training(plan, n))) return false;
    }
    return true;
}

/* Where a node's gradients of parameters go: a parameter that has been met before gets more numbers behind.
 */
static bool place_gradients(struct plan *plan, uint32_t n, bool *met)
{
    const struct net_graph *graph = plan->graph;
    const struct net_node *node = &graph->nodes[n];
    for (uint32_t i = 0; i < node->n_inputs; i++) {
        if (!plan->nodes[n].needed || !is_parameter(graph, node->inputs[i])) continue;
        const struct net_value *value = &graph->values[node->inputs[i]];
        size_t at = value->offset;
        if (met[node->inputs[i]]) {
            at = plan->n_gradients;
            plan->sums[plan->n_sums++] = (struct plan_sum){value->offset, at, value->size};
            if (!extend(&plan->n_gradients, net_aligned(value->size))) return false;
        }
        met[node->inputs[i]] = true;
        plan->nodes[n].gradient[i] = at;
    }
    return true;
}

static bool place_all_gradients(struct plan *plan)
{
    size_t uses = 0;
    plan->n_gradients = plan->graph->n_parameters;
    for (uint32_t n = 0; n < plan->graph->n_nodes; n++) {
        memset(plan->nodes[n].gradient, 0xff, sizeof plan->nodes[n].gradient); /* SIZE_MAX */
        uses += plan->graph->nodes[n].n_inputs;
    }
    if (!plan->training) return true;
    plan->sums = mem_alloc(uses, sizeof *plan->sums);
    bool *met = mem_zalloc(plan->graph->n_values, sizeof *met), placed = plan->sums && met;
    for (uint32_t n = 0; n < plan->graph->n_nodes && placed; n++) placed = place_gradients(plan, n, met);
    mem_free(met);
    return placed;
}

static bramble_status fill(struct plan *plan, bramble_error *error)
{
    uint64_t n_tensors = 2 * (uint64_t)plan->graph->n_values + plan->graph->n_nodes;
    plan->n_tensors = n_tensors < UINT32_MAX / 8 ? (uint32_t)n_tensors : 0;
    plan->nodes = mem_zalloc(plan->graph->n_nodes, sizeof *plan->nodes);
    plan->tensors = mem_alloc(plan->n_tensors, sizeof *plan->tensors);
    bool room = plan->n_tensors && plan->nodes && plan->tensors && find_needed(plan);
    if (room) {
        find_training(plan);
        bramble_status status = check_trainable(plan, error);
        if (status) return status;
    }
    if (room && place_all_gradients(plan) && measure(plan) && plan_schedule(plan) && plan_memory(plan))
        return BRAMBLE_OK;
    return error_memory(error, "the plan of a network");
}

static bramble_status init(struct plan *plan, uint32_t batch_size, bramble_error *error)
{
    plan->microbatches = (uint32_t)(((uint64_t)batch_size + MICROBATCH - 1) / MICROBATCH);
    bramble_status status = fill(plan, error);
    if (status) plan_fini(plan);
    return status;
}

bramble_status plan_init(struct plan *plan, const struct net_graph *graph, bool training, uint32_t batch_size,
                         bramble_error *error)
{
    *plan = (struct plan){.graph = graph, .training = training};
    return init(plan, batch_size, error);
}

bramble_status plan_init_part(struct plan *plan, const struct net_graph *graph, bool leaves,
                              uint32_t batch_size, bramble_error *error)
{
    *plan = (struct plan){.graph = graph, .training = true, .parted = true, .leaves = leaves};
    return init(plan, batch_size, error);
}

void plan_fini(struct plan *plan)
{
    mem_free(plan->phases);
    mem_free(plan->steps);
    mem_free(plan->parts);
    mem_free(plan->sums);
    mem_free(plan->nodes);
    mem_free(plan->tensors);
    *plan = (struct plan){0};
}
