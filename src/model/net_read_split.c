/* What takes values apart along an axis, and puts them together. */
#include <string.h>

#include "model/net_read.h"
#include "model/net_read_fold.h"

/* Input 0 in its own order in memory with `axis` as an axis of its own there. */
struct along {
    struct view view; /* of what was brought */
    uint32_t axis;    /* as ONNX counts */
    uint8_t order[VIEW_AXES_MAX];
    uint32_t n, place; /* axes in memory, and which of them is `axis` */
};

static bramble_status bring_along(struct net_reader *r, const struct view *x, int64_t axis,
                                  struct along *along)
{
    bramble_status status = reader_axis(r, axis, x->n_axes, &along->axis);
    if (status) return status;
    if (view_axis_has_batch(x, along->axis))
        return reader_unsupported(r, "works along the batch, where every sample stands for itself");
    uint8_t axes[VIEW_AXES_MAX];
    uint32_t n = view_memory_axes(x, axes);
    along->n = along->place = 0;
    for (uint32_t a = 0; a < n; a++) {
        if (axes[a] != along->axis && view_axis_length(x, axes[a]) == 1) continue;
        if (axes[a] == along->axis) along->place = along->n;
        along->order[along->n++] = axes[a];
    }
    along->view = *x;
    status = reader_bring(r, x, along->order, along->n, &along->view.value);
    if (!status) view_settle(&along->view, along->order, along->n);
    return status;
}

/* The view with another value and length along the axis. */
static void view_along(const struct along *along, uint32_t value, uint32_t length, struct view *out)
{
    view_begin(out, value);
    out->integer = along->view.integer;
    for (uint32_t a = 0; a < along->view.n_axes; a++) {
        if (a == along->axis)
            view_add_axis(out, length);
        else
            view_copy_axis(out, &along->view, a);
    }
    view_settle(out, along->order, along->n);
}

bramble_status read_split(struct net_reader *r)
{
    const struct view *x;
    struct along along;
    int64_t sizes[NET_OUTPUTS_MAX];
    uint32_t n, n_outputs = (uint32_t)r->node->n_output, first;
    if (r->node->n_output < 1 || r->node->n_output > NET_OUTPUTS_MAX)
        return reader_unsupported(r, "splits into %zu parts; 1 to %d are supported", r->node->n_output,
                                  NET_OUTPUTS_MAX);
    bramble_status status = reader_view(r, 0, &x);
    if (!status) status = bring_along(r, x, reader_int(r, "axis", 0), &along);
    if (!status) status = reader_ints(r, "split", 1, sizes, NET_OUTPUTS_MAX, &n);
    if (status) return status;
    uint32_t length = view_axis_length(&along.view, along.axis), part = (length + n_outputs - 1) / n_outputs;
    int64_t total = 0;
    if (n && n != n_outputs) return reader_refuse(r, "has %u sizes for %u outputs", n, n_outputs);
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.axis = along.place;
    for (uint32_t o = 0; o < n_outputs; o++) {
        int64_t size = n ? sizes[o] : o + 1 < n_outputs ? part : length - total;
        if (size < 1 || size > length)
            return reader_refuse(r, "splits %u places into parts that are not 1 to %u", length, length);
        attributes.split[o] = (uint32_t)size;
        total += size;
    }
    if (total != length) return reader_refuse(r, "splits %u places into %lld", length, (long long)total);
    status = reader_add(r, "Split", &along.view.value, 1, n_outputs, &attributes, &first);
    for (uint32_t o = 0; !status && o < n_outputs; o++) {
        struct view out;
        view_along(&along, first + o, attributes.split[o], &out);
        status = reader_define_view(r, o, &out);
    }
    return status;
}

/* `length` places from `start` on: one of up to three parts of a Split. */
static bramble_status cut(struct net_reader *r, const struct view *x, uint32_t axis, uint32_t start,
                          uint32_t length, struct view *out)
{
    struct along along;
    uint32_t whole = view_axis_length(x, axis), n = 0, wanted, first;
    if (length == whole) {
        *out = *x;
        return BRAMBLE_OK;
    }
    bramble_status status = bring_along(r, x, axis, &along);
    if (status) return status;
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.axis = along.place;
    if (start) attributes.split[n++] = start;
    wanted = n;
    attributes.split[n++] = length;
    if (start + length < whole) attributes.split[n++] = whole - start - length;
    status = reader_add(r, "Split", &along.view.value, 1, n, &attributes, &first);
    if (!status) view_along(&along, first + wanted, length, out);
    return status;
}

bramble_status read_slice(struct net_reader *r)
{
    const struct view *x;
    struct reader_slices slices;
    int64_t dims[VIEW_AXES_MAX];
    bramble_status status = reader_view(r, 0, &x);
    if (status) return status;
    struct view out = *x;
    for (uint32_t a = 0; a < x->n_axes; a++) dims[a] = (int64_t)view_axis_size(x, a);
    status = reader_slices(r, dims, x->n_axes, &slices);
    for (uint32_t a = 0; !status && a < out.n_axes; a++) {
        if (slices.start[a] == 0 && slices.step[a] == 1 && slices.length[a] == dims[a]) continue;
        if (view_axis_has_batch(&out, a) || slices.length[a] < 1 ||
            (slices.step[a] != 1 && slices.length[a] > 1))
            return reader_unsupported(r,
                                      "takes a part of the batch, nothing at all, or every few places; parts "
                                      "that hang together are supported");
        struct view part;
        status = cut(r, &out, a, (uint32_t)slices.start[a], (uint32_t)slices.length[a], &part);
        if (!status) out = part;
    }
    return status ? status : reader_define_view(r, 0, &out);
}

/* One place along an axis, which then is gone. */
static bramble_status pick(struct net_reader *r, const struct view *x, const struct known *place)
{
    uint32_t axis;
    bramble_status status = reader_axis(r, reader_int(r, "axis", 0), x->n_axes, &axis);
    if (status) return status;
    if (place->n != 1)
        return reader_unsupported(r, "takes %zu places of what is computed; 1 is supported", place->n);
    if (view_axis_has_batch(x, axis)) return reader_unsupported(r, "takes one sample of the batch");
    int64_t at = known_integer(place, 0), length = view_axis_length(x, axis);
    if (at < 0) at += length;
    if (at < 0 || at >= length)
        return reader_refuse(r, "takes place %lld of %lld", (long long)at, (long long)length);
    struct view part, out;
    status = cut(r, x, axis, (uint32_t)at, 1, &part);
    if (status) return status;
    view_begin(&out, part.value);
    for (uint32_t a = 0; a < part.n_axes; a++)
        if (a != axis || place->rank) view_copy_axis(&out, &part, a);
    return reader_define_view(r, 0, &out);
}

/* Rows of a known table: an embedding. */
static bramble_status embed(struct net_reader *r, const struct known *table, const struct view *places)
{
    uint32_t inputs[2], value;
    uint8_t order[VIEW_AXES_MAX];
    struct view out;
    if (table->rank != 2 || reader_int(r, "axis", 0) != 0)
        return reader_unsupported(r, "takes rows of a table with %u dimensions; 2 are supported",
                                  table->rank);
    if (places->n_axes >= VIEW_AXES_MAX) return reader_unsupported(r, "makes too many axes");
    bramble_status status =
        reader_add_weight(r,
                          &(struct reader_weight){.known = table,
                                                  .source = reader_source(r, 0),
                                                  .kind = NET_PARAMETER,
                                                  .shape = {2, {table->dim[0], table->dim[1]}},
                                                  .filler = NET_FILL_NORMAL,
                                                  .fan_in = table->dim[1],
                                                  .decays = true},
                          &inputs[0]);
    uint32_t n = view_memory_axes(places, order);
    if (!status) status = reader_bring(r, places, order, n, &inputs[1]);
    if (!status) status = reader_add(r, "Gather", inputs, 2, 1, NULL, &value);
    if (status) return status;
    view_begin(&out, value);
    for (uint32_t a = 0; a < places->n_axes; a++) view_copy_axis(&out, places, a);
    order[n] = (uint8_t)out.n_axes;
    if (!view_add_axis(&out, table->dim[1])) return reader_unsupported(r, "makes too many axes");
    view_settle(&out, order, n + 1);
    return reader_define_view(r, 0, &out);
}

bramble_status read_gather(struct net_reader *r)
{
    struct operand data, places;
    bramble_status status = reader_operand(r, 0, &data);
    if (!status) status = reader_operand(r, 1, &places);
    if (status) return status;
    if (data.known && places.view) return embed(r, data.known, places.view);
    if (data.view && places.known) return pick(r, data.view, places.known);
    return reader_unsupported(r, "takes places that are computed of what is computed");
}

bramble_status read_concat(struct net_reader *r)
{
    struct along first, other;
    uint32_t inputs[NET_INPUTS_MAX], n = (uint32_t)r->node->n_input, length = 0, value;
    bramble_status status = BRAMBLE_OK;
    if (r->node->n_input < 1 || r->node->n_input > NET_INPUTS_MAX)
        return reader_unsupported(r, "joins %zu tensors; 1 to %d are supported", r->node->n_input,
                                  NET_INPUTS_MAX);
    for (uint32_t i = 0; !status && i < n; i++) {
        const struct view *x;
        status = reader_view(r, i, &x);
        if (!status && i && x->n_axes != first.view.n_axes)
            status = reader_refuse(r, "joins tensors of different ranks");
        if (!status) status = bring_along(r, x, reader_int(r, "axis", 0), i ? &other : &first);
        if (status) break;
        for (uint32_t a = 0; i && !status && a < x->n_axes; a++)
            if (a != first.axis && view_axis_size(x, a) != view_axis_size(&first.view, a))
                status = reader_refuse(r, "joins tensors that differ along axis %u", a);
        if (!status) status = reader_bring(r, x, first.order, first.n, &inputs[i]);
        length += status ? 0 : view_axis_length(x, first.axis);
    }
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.axis = status ? 0 : first.place;
    if (!status) status = reader_add(r, "Concat", inputs, n, 1, &attributes, &value);
    if (status) return status;
    struct view out;
    view_along(&first, value, length, &out);
    return reader_define_view(r, 0, &out);
}
