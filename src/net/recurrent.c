#include <string.h>

#include "base/error.h"
#include "net/operators.h"
#include "net/recurrent.h"

bool recurrent_has(const struct net_node *node, enum recurrent_input place)
{
    return (uint32_t)place < node->n_inputs && node->inputs[place] != NET_NONE;
}

struct recurrent recurrent_shape(const struct net_graph *graph, const struct net_node *node)
{
    const struct net_shape *x = &graph->values[node->inputs[RECURRENT_X]].shape;
    const struct net_attributes *attributes = &node->attributes;
    bool lstm = node->op == &op_lstm;
    return (struct recurrent){.directions = attributes->bidirectional ? 2 : 1,
                              .steps = x->dim[0],
                              .inputs = x->dim[1],
                              .hidden = attributes->hidden,
                              .gates = lstm ? LSTM_GATES : GRU_GATES,
                              .first_part = lstm ? LSTM_GATES : GRU_GATES - 1,
                              .reverse = attributes->reverse,
                              .width = (size_t)(lstm ? LSTM_WIDTH : GRU_WIDTH) * attributes->hidden};
}

static bool is_of_samples(const struct net_value *value)
{
    return value->kind == NET_INPUT || value->kind == NET_ACTIVATION;
}

static bramble_status check_weight(const struct net_value *value, const char *letter, struct net_shape want,
                                   bramble_error *error)
{
    char have[64], wanted[64];
    if (is_of_samples(value))
        return error_set(error, BRAMBLE_ERR_DATA, "%s must be weights, not computed from the samples",
                         letter);
    if (shape_equal(&value->shape, &want)) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA, "%s is %s, but for this input and hidden_size it must be %s",
                     letter, shape_text(&value->shape, have), shape_text(&want, wanted));
}

static bramble_status check_weights(const struct net_graph *graph, const struct net_node *node,
                                    const struct recurrent *r, bramble_error *error)
{
    const struct {
        enum recurrent_input place;
        const char *letter;
        struct net_shape want;
    } weights[] = {
        {RECURRENT_W, "W", {3, {r->directions, r->gates * r->hidden, r->inputs}}},
        {RECURRENT_R, "R", {3, {r->directions, r->gates * r->hidden, r->hidden}}},
        {RECURRENT_B, "B", {2, {r->directions, 2 * r->gates * r->hidden}}},
    };
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
        if (!recurrent_has(node, weights[i].place)) continue; /* W and R are there: check_input */
        const struct net_value *value = &graph->values[node->inputs[weights[i].place]];
        bramble_status status = check_weight(value, weights[i].letter, weights[i].want, error);
        if (status) return status;
    }
    return BRAMBLE_OK;
}

static bramble_status check_state(const struct net_graph *graph, const struct net_node *node,
                                  enum recurrent_input place, const struct recurrent *r, bramble_error *error)
{
    if (!recurrent_has(node, place)) return BRAMBLE_OK;
    const struct net_value *value = &graph->values[node->inputs[place]];
    const char *name = place == RECURRENT_H0 ? "initial_h" : "initial_c";
    struct net_shape want = {2, {r->directions, r->hidden}};
    char have[64], wanted[64];
    if (!is_of_samples(value))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s must be computed from the samples (leave it out when it is all zeros)", name);
    if (shape_equal(&value->shape, &want)) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA, "%s is %s of a sample, but must be %s", name,
                     shape_text(&value->shape, have), shape_text(&want, wanted));
}

static bramble_status check_input(const struct net_graph *graph, const struct net_node *node,
                                  bramble_error *error)
{
    if (!recurrent_has(node, RECURRENT_X) || !recurrent_has(node, RECURRENT_W) ||
        !recurrent_has(node, RECURRENT_R))
        return error_set(error, BRAMBLE_ERR_DATA, "it needs an input and the weights W and R");
    const struct net_value *x = &graph->values[node->inputs[RECURRENT_X]];
    char text[64];
    if (!is_of_samples(x) || x->shape.rank != 2 || !x->shape.dim[0] || !x->shape.dim[1])
        return error_set(error, BRAMBLE_ERR_DATA,
                         "its input must be steps x numbers for each sample, but is %s",
                         shape_text(&x->shape, text));
    if (x->shape.dim[0] > UINT32_MAX / MICROBATCH)
        return error_set(error, BRAMBLE_ERR_DATA, "%u steps are too many", x->shape.dim[0]);
    if (!node->attributes.hidden || node->attributes.hidden > UINT32_MAX / 16)
        return error_set(error, BRAMBLE_ERR_DATA, "hidden_size cannot be %u", node->attributes.hidden);
    if (node->attributes.reverse && node->attributes.bidirectional)
        return error_set(error, BRAMBLE_ERR_DATA, "it cannot be both reverse and bidirectional");
    if (recurrent_has(node, RECURRENT_LENGTHS))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "sequence_lens is not supported: every sample has as many steps as the input");
    return BRAMBLE_OK;
}

bramble_status recurrent_infer(const struct net_graph *graph, const struct net_node *node,
                               struct net_shape *shapes, bramble_error *error)
{
    bramble_status status = check_input(graph, node, error);
    if (status) return status;
    struct recurrent r = recurrent_shape(graph, node);
    status = check_weights(graph, node, &r, error);
    if (!status) status = check_state(graph, node, RECURRENT_H0, &r, error);
    if (!status) status = check_state(graph, node, RECURRENT_C0, &r, error);
    if (status) return status;
    shapes[0] = (struct net_shape){2, {r.steps, r.directions * r.hidden}};
    for (uint32_t i = 1; i < node->n_outputs; i++)
        shapes[i] = (struct net_shape){2, {r.directions, r.hidden}};
    return BRAMBLE_OK;
}

/* Where in what is prepared a direction's parts lie, and its numbers in all. */
struct places {
    size_t bias, input, recurrent[2], input_back, recurrent_back[2], all;
};

static size_t take(size_t *end, size_t numbers)
{
    size_t at = *end;
    *end += net_aligned(numbers);
    return at;
}

static struct places places_of(const struct recurrent *r)
{
    uint32_t gates = r->gates * r->hidden, first = r->first_part * r->hidden, rest = gates - first;
    struct places places = {0};
    places.bias = take(&places.all, (size_t)gates + r->hidden);
    places.input = take(&places.all, packed_size(r->inputs, gates));
    places.recurrent[0] = take(&places.all, packed_size(r->hidden, first));
    places.recurrent[1] = take(&places.all, packed_size(r->hidden, rest));
    places.input_back = take(&places.all, packed_size(gates, r->inputs));
    places.recurrent_back[0] = take(&places.all, packed_size(first, r->hidden));
    places.recurrent_back[1] = take(&places.all, packed_size(rest, r->hidden));
    return places;
}

size_t recurrent_prepared_bytes(const struct net_graph *graph, const struct net_node *node)
{
    struct recurrent r = recurrent_shape(graph, node);
    return r.directions * places_of(&r).all * sizeof(float);
}

/* b: W's biases, then R's, or NULL. With linear_before_reset the last gate's of R are not added: its product
 * is multiplied first. */
static void prepare_bias(const struct recurrent *r, bool apart, const float *b, float *bias)
{
    size_t gates = (size_t)r->gates * r->hidden, summed = apart ? gates - r->hidden : gates;
    memset(bias, 0, (gates + r->hidden) * sizeof *bias);
    if (!b) return;
    for (size_t i = 0; i < gates; i++) bias[i] = i < summed ? b[i] + b[gates + i] : b[i];
    for (size_t i = summed; i < gates; i++) bias[gates + i - summed] = b[gates + i];
}

/* w: GH x I, recurrent: GH x H. */
static void pack_direction(const struct recurrent *r, const float *w, const float *recurrent, bool training,
                           float *packed)
{
    struct places places = places_of(r);
    uint32_t gates = r->gates * r->hidden, first = r->first_part * r->hidden;
    uint32_t parts[] = {first, gates - first};
    packed_fill(packed + places.input, r->inputs, gates, 0, r->inputs, w, 1, r->inputs);
    if (training) packed_fill(packed + places.input_back, gates, r->inputs, 0, gates, w, r->inputs, 1);
    for (int i = 0; i < 2; i++) {
        const float *part = recurrent + (i ? (size_t)first * r->hidden : 0);
        packed_fill(packed + places.recurrent[i], r->hidden, parts[i], 0, r->hidden, part, 1, r->hidden);
        if (training)
            packed_fill(packed + places.recurrent_back[i], parts[i], r->hidden, 0, parts[i], part, r->hidden,
                        1);
    }
}

void recurrent_prepare(const struct net_graph *graph, const struct net_node *node, void *prepared,
                       bool training)
{
    struct recurrent r = recurrent_shape(graph, node);
    size_t gates = (size_t)r.gates * r.hidden;
    bool apart = node->op == &op_gru && node->attributes.linear_before_reset;
    bool has_bias = recurrent_has(node, RECURRENT_B);
    const float *w = graph_numbers(graph, node->inputs[RECURRENT_W]);
    const float *recurrent = graph_numbers(graph, node->inputs[RECURRENT_R]);
    const float *b = has_bias ? graph_numbers(graph, node->inputs[RECURRENT_B]) : NULL;
    for (uint32_t d = 0; d < r.directions; d++) {
        struct places places = places_of(&r);
        float *packed = (float *)prepared + d * places.all;
        prepare_bias(&r, apart, b ? b + d * 2 * gates : NULL, packed + places.bias);
        pack_direction(&r, w + d * gates * r.inputs, recurrent + d * gates * r.hidden, training, packed);
    }
}

size_t recurrent_kept_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    struct recurrent r = recurrent_shape(graph, node);
    return (size_t)r.directions * samples * r.steps * r.width * sizeof(float);
}

size_t recurrent_scratch_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples)
{
    size_t rows = recurrent_kept_bytes(graph, node, samples);
    size_t backward = 2 * (size_t)samples * node->attributes.hidden * sizeof(float);
    return rows > backward ? rows : backward;
}

uint64_t recurrent_macs(const struct net_graph *graph, const struct net_node *node)
{
    struct recurrent r = recurrent_shape(graph, node);
    return (uint64_t)r.directions * r.steps * r.gates * r.hidden * ((uint64_t)r.inputs + r.hidden);
}

struct recurrent_sweep recurrent_sweep(const struct net_call *call, uint32_t direction)
{
    struct recurrent r = recurrent_shape(call->graph, call->node);
    struct places at = places_of(&r);
    const float *packed = (const float *)call->prepared + direction * at.all;
    float *rows = call->training ? call->kept : call->scratch;
    return (struct recurrent_sweep){
        .call = call,
        .kernels = net_kernels_or_best(call->kernels),
        .shape = r,
        .direction = direction,
        .rows = rows + (size_t)direction * call->samples * r.steps * r.width,
        .packed = {.input = packed + at.input,
                   .recurrent = {packed + at.recurrent[0], packed + at.recurrent[1]},
                   .input_back = packed + at.input_back,
                   .recurrent_back = {packed + at.recurrent_back[0], packed + at.recurrent_back[1]},
                   .bias = packed + at.bias},
    };
}
