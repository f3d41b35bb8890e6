/* LSTM and GRU. */
#include <string.h>

#include "model/net_read.h"

struct recurrence {
    uint32_t gates, directions, hidden, inputs; /* G D H I */
    struct net_attributes attributes;
};

static bramble_status read_attributes(struct net_reader *r, struct recurrence *rnn, bool *reverse)
{
    bool lstm = rnn->gates == 4;
    rnn->attributes = (struct net_attributes)NET_ATTRIBUTES_INIT;
    rnn->attributes.bidirectional = reader_text_is(r, "direction", "bidirectional", false);
    rnn->attributes.reverse = *reverse = reader_text_is(r, "direction", "reverse", false);
    rnn->attributes.linear_before_reset = !lstm && reader_int(r, "linear_before_reset", 0) != 0;
    rnn->directions = rnn->attributes.bidirectional ? 2 : 1;
    if (reader_attribute(r, "clip") || reader_int(r, "input_forget", 0))
        return reader_unsupported(r, "clips its gates or couples them, which is not supported");
    const Onnx__AttributeProto *functions = reader_attribute(r, "activations");
    static const char *const usual[2][3] = {{"Sigmoid", "Tanh", NULL}, {"Sigmoid", "Tanh", "Tanh"}};
    for (size_t i = 0; functions && i < functions->n_strings; i++) {
        const char *name = usual[lstm][i % (lstm ? 3 : 2)];
        if (functions->strings[i].len != strlen(name) ||
            memcmp(functions->strings[i].data, name, strlen(name)) != 0)
            return reader_unsupported(r, "has activations other than the usual Sigmoid and Tanh");
    }
    if (reader_has_input(r, 7)) return reader_unsupported(r, "has peepholes, which are not supported");
    return BRAMBLE_OK;
}

static bramble_status add_gates(struct net_reader *r, struct recurrence *rnn, size_t input,
                                struct net_shape shape, bool decays, uint32_t *value)
{
    static const char *const suffixes[] = {"", "input", "recurrent", "bias"};
    const struct known *known;
    bramble_status status = reader_known(r, input, &known);
    if (status) return status;
    return reader_add_weight(r,
                             &(struct reader_weight){.known = known,
                                                     .source = reader_source(r, input),
                                                     .suffix = suffixes[input],
                                                     .kind = NET_PARAMETER,
                                                     .shape = shape,
                                                     .filler = NET_FILL_RECURRENT,
                                                     .fan_in = rnn->hidden,
                                                     .decays = decays},
                             value);
}

static bramble_status add_weights(struct net_reader *r, struct recurrence *rnn, uint32_t *inputs, uint32_t *n)
{
    const struct known *w, *recurrent;
    bramble_status status = reader_known(r, 1, &w);
    if (!status) status = reader_known(r, 2, &recurrent);
    if (status) return status;
    if (w->rank != 3 || recurrent->rank != 3 || w->dim[0] != rnn->directions || recurrent->dim[2] < 1 ||
        recurrent->dim[2] > INT16_MAX)
        return reader_refuse(r, "its weights do not have the dimensions ONNX wants");
    uint32_t d = rnn->directions, h = rnn->hidden = recurrent->dim[2], g = rnn->gates * h;
    rnn->inputs = w->dim[2];
    rnn->attributes.hidden = h;
    if (reader_int(r, "hidden_size", h) != h)
        return reader_refuse(r, "its weights do not have the size of \"hidden_size\"");
    status = add_gates(r, rnn, 1, (struct net_shape){3, {d, g, rnn->inputs}}, true, &inputs[1]);
    if (!status) status = add_gates(r, rnn, 2, (struct net_shape){3, {d, g, h}}, true, &inputs[2]);
    *n = 3;
    if (status || !reader_has_input(r, 3)) return status;
    *n = 4;
    return add_gates(r, rnn, 3, (struct net_shape){2, {d, 2 * g}}, false, &inputs[3]);
}

/* States that begin at 0 need no input; others are not read. */
static bramble_status check_states(struct net_reader *r)
{
    for (size_t i = 5; i <= 6; i++) {
        struct operand state;
        bramble_status status = reader_operand(r, i, &state);
        if (status) return status;
        double number = 0;
        bool zeros = state.known && state.known->n <= 1 << 16;
        for (size_t k = 0; zeros && k < state.known->n; k++) zeros = known_number(state.known, k) == 0;
        if (state.known && !zeros && !state.known->numbers && !state.known->proto)
            zeros = (number = state.known->fill) == 0;
        if (state.view || (state.known && !zeros))
            return reader_unsupported(r, "begins with a state other than 0, which is not supported");
    }
    return BRAMBLE_OK;
}

/* Every sample has all steps: lengths that are given say so, or are refused. */
static bramble_status check_lengths(struct net_reader *r, uint32_t steps)
{
    struct operand lengths;
    bramble_status status = reader_operand(r, 4, &lengths);
    if (status || (!lengths.known && !lengths.view)) return status;
    bool all = lengths.known && lengths.known->n > 0;
    if (all && !lengths.known->numbers && !lengths.known->proto)
        all = lengths.known->fill == steps;
    else
        for (size_t i = 0; all && i < lengths.known->n; i++) all = known_number(lengths.known, i) == steps;
    return all ? BRAMBLE_OK
               : reader_unsupported(r, "has samples of different lengths, which is not supported");
}

/* Y: T x DH in memory; [T, D, N, H] for ONNX, or [N, T, D, H] with layout 1. */
static bramble_status define_sequence(struct net_reader *r, const struct recurrence *rnn, uint32_t value,
                                      uint32_t steps, bool batch_first)
{
    static const uint8_t time_first[3] = {0, 1, 3}, batch_leading[3] = {1, 2, 3};
    struct view out;
    view_begin(&out, value);
    if (batch_first) view_add_batch(&out);
    view_add_axis(&out, steps);
    view_add_axis(&out, rnn->directions);
    if (!batch_first) view_add_batch(&out);
    view_add_axis(&out, rnn->hidden);
    view_settle(&out, batch_first ? batch_leading : time_first, 3);
    return reader_define_view(r, 0, &out);
}

/* Last states: D x H in memory; [D, N, H] or [N, D, H]. */
static bramble_status define_last(struct net_reader *r, const struct recurrence *rnn, uint32_t value,
                                  size_t i, bool batch_first)
{
    struct view out;
    view_begin(&out, value);
    if (batch_first) view_add_batch(&out);
    view_add_axis(&out, rnn->directions);
    if (!batch_first) view_add_batch(&out);
    view_add_axis(&out, rnn->hidden);
    view_settle_straight(&out);
    return reader_define_view(r, i, &out);
}

bramble_status read_recurrent(struct net_reader *r)
{
    const struct view *x;
    struct recurrence rnn = {.gates = reader_is(r->node, "LSTM") ? 4 : 3};
    bool reverse, batch_first = reader_int(r, "layout", 0) != 0;
    uint32_t inputs[4], n = 0, first, n_outputs = rnn.gates == 4 ? 3 : 2;
    uint8_t time = batch_first ? 1 : 0, order[2] = {time, 2};
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = read_attributes(r, &rnn, &reverse);
    if (status) return status;
    if (x->n_axes != 3 || !view_axis_is_batch(x, batch_first ? 0 : 1))
        return reader_unsupported(r,
                                  "wants the batch as axis %d of its input; mark that axis as dynamic when "
                                  "exporting",
                                  batch_first ? 0 : 1);
    uint32_t steps = view_axis_length(x, time);
    status = check_states(r);
    if (!status) status = check_lengths(r, steps);
    if (!status) status = add_weights(r, &rnn, inputs, &n);
    if (!status) status = reader_bring(r, x, order, 2, &inputs[0]);
    while (n_outputs > 1 && (n_outputs > r->node->n_output || !*r->node->output[n_outputs - 1])) n_outputs--;
    if (!status) status = reader_add(r, r->node->op_type, inputs, n, n_outputs, &rnn.attributes, &first);
    if (!status) status = define_sequence(r, &rnn, first, steps, batch_first);
    for (uint32_t o = 1; !status && o < n_outputs; o++)
        status = define_last(r, &rnn, first + o, o, batch_first);
    return status;
}
