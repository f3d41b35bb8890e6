/* Parameters, states and constants of tensors that an ONNX file holds. */
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "model/net_reader.h"

static bool gather(float *numbers, const struct reader_weight *weight)
{
    bool finite = true;
    double factor = weight->factor == 0 ? 1 : weight->factor;
    for (size_t i = 0; i < weight->known->n; i++) {
        size_t from = weight->place ? weight->place(weight->context, i) : i;
        numbers[i] = (float)(known_number(weight->known, from) * factor);
        finite = finite && isfinite(numbers[i]);
    }
    return finite;
}

static bramble_status add_value(struct net_reader *r, const struct reader_weight *weight,
                                const float *numbers, uint32_t *value)
{
    char name[160];
    snprintf(name, sizeof name, "%.120s%s%s",
             r->node->name && *r->node->name ? r->node->name : r->node->op_type, weight->suffix ? "." : "",
             weight->suffix ? weight->suffix : "");
    bool trained = weight->known->trained || weight->kind != NET_PARAMETER;
    struct net_value_new new = {.name = weight->source ? weight->source : name,
                                .kind = trained ? weight->kind : NET_CONSTANT,
                                .shape = weight->shape,
                                .numbers = numbers,
                                .filler = weight->filler,
                                .fan_in = weight->fan_in,
                                .decays = weight->decays};
    return graph_add_value(r->graph, &new, value, r->error);
}

static bramble_status make(struct net_reader *r, const struct reader_weight *weight, uint32_t *value)
{
    if (shape_size(&weight->shape) != weight->known->n)
        return reader_refuse(r, "\"%.80s\" has %zu numbers where %zu are due",
                             weight->source ? weight->source : weight->suffix, weight->known->n,
                             shape_size(&weight->shape));
    if (!weight->known->n)
        return reader_refuse(r, "\"%.80s\" has no numbers", weight->source ? weight->source : weight->suffix);
    if (!weight->known->proto && weight->known->n > READER_FOLD_MAX)
        return reader_unsupported(r, "makes a weight of %zu numbers; keep large weights in the file",
                                  weight->known->n);
    float *numbers = mem_alloc(weight->known->n, sizeof *numbers);
    if (!numbers) return reader_memory(r);
    bramble_status status =
        gather(numbers, weight)
            ? add_value(r, weight, numbers, value)
            : reader_refuse(r, "\"%.80s\" has numbers that are infinite or none; export sound weights",
                            weight->source ? weight->source : weight->suffix);
    mem_free(numbers);
    return status;
}

bramble_status reader_add_weight(struct net_reader *r, const struct reader_weight *weight, uint32_t *value)
{
    struct named *named = weight->source ? reader_named(r, weight->source) : NULL;
    if (named && named->weight != NET_NONE && named->weight_place == weight->place && !weight->factor &&
        shape_equal(&r->graph->values[named->weight].shape, &weight->shape)) {
        *value = named->weight;
        return BRAMBLE_OK;
    }
    bramble_status status = make(r, weight, value);
    if (!status && named && !weight->factor) {
        named->weight = *value;
        named->weight_place = weight->place;
    }
    return status;
}
