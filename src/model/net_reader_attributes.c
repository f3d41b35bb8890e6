/* What the attributes of an ONNX node say. */
#include <string.h>

#include "model/net_reader.h"

const Onnx__AttributeProto *reader_attribute(const struct net_reader *r, const char *name)
{
    for (size_t a = 0; a < r->node->n_attribute; a++) {
        const Onnx__AttributeProto *attribute = r->node->attribute[a];
        if (attribute->name && strcmp(attribute->name, name) == 0) return attribute;
    }
    return NULL;
}

int64_t reader_int(const struct net_reader *r, const char *name, int64_t fallback)
{
    const Onnx__AttributeProto *attribute = reader_attribute(r, name);
    return attribute && attribute->has_i ? attribute->i : fallback;
}

float reader_float(const struct net_reader *r, const char *name, float fallback)
{
    const Onnx__AttributeProto *attribute = reader_attribute(r, name);
    return attribute && attribute->has_f ? attribute->f : fallback;
}

bool reader_text_is(const struct net_reader *r, const char *name, const char *text, bool fallback)
{
    const Onnx__AttributeProto *attribute = reader_attribute(r, name);
    if (!attribute || !attribute->has_s) return fallback;
    return attribute->s.len == strlen(text) && memcmp(attribute->s.data, text, attribute->s.len) == 0;
}

bramble_status reader_ints(struct net_reader *r, const char *name, size_t i, int64_t *out, uint32_t room,
                           uint32_t *n)
{
    const struct known *known = NULL;
    *n = 0;
    if (i && reader_has_input(r, i)) {
        bramble_status status = reader_known(r, i, &known);
        if (status) return status;
        if (known->n > room)
            return reader_refuse(r, "\"%s\" has %zu numbers, not 0 to %u", name, known->n, room);
        for (; *n < known->n; (*n)++) out[*n] = known_integer(known, *n);
        return BRAMBLE_OK;
    }
    const Onnx__AttributeProto *attribute = reader_attribute(r, name);
    if (!attribute) return BRAMBLE_OK;
    if (attribute->n_ints > room)
        return reader_refuse(r, "\"%s\" has %zu numbers, not 0 to %u", name, attribute->n_ints, room);
    for (; *n < attribute->n_ints; (*n)++) out[*n] = attribute->ints[*n];
    return BRAMBLE_OK;
}

bramble_status reader_axis(struct net_reader *r, int64_t axis, uint32_t n_axes, uint32_t *out)
{
    int64_t counted = axis < 0 ? axis + n_axes : axis;
    if (counted < 0 || counted >= n_axes)
        return reader_refuse(r, "axis %lld is not one of the %u there are", (long long)axis, n_axes);
    *out = (uint32_t)counted;
    return BRAMBLE_OK;
}
