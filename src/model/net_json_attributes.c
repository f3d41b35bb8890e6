#include "model/net_json_attributes.h"

#include <math.h>
#include <string.h>

enum kind { COUNT, REAL, FLAG };

static const struct field {
    const char *name;
    enum kind kind;
    size_t offset;
    size_t n;
} fields[] = {
#define FIELD(kind, name, n)                                                                                 \
    {                                                                                                        \
#name, kind, offsetof(struct net_attributes, name), n                                                \
    }
    FIELD(COUNT, kernel, 2),
    FIELD(COUNT, stride, 2),
    FIELD(COUNT, dilation, 2),
    FIELD(COUNT, pad, 4),
    FIELD(COUNT, group, 1),
    FIELD(FLAG, count_include_pad, 1),
    FIELD(FLAG, ceil_mode, 1),
    FIELD(REAL, alpha, 1),
    FIELD(REAL, beta, 1),
    FIELD(REAL, epsilon, 1),
    FIELD(REAL, momentum, 1),
    FIELD(REAL, rate, 1),
    FIELD(COUNT, axis, 1),
    FIELD(COUNT, n_axes, 1),
    FIELD(COUNT, perm, NET_RANK_MAX),
    FIELD(COUNT, split, NET_OUTPUTS_MAX),
    FIELD(FLAG, transpose_b, 1),
    FIELD(FLAG, approximate, 1),
    FIELD(COUNT, hidden, 1),
    FIELD(FLAG, reverse, 1),
    FIELD(FLAG, bidirectional, 1),
    FIELD(FLAG, linear_before_reset, 1),
    FIELD(FLAG, relu, 1),
#undef FIELD
};

enum { FIELDS = sizeof fields / sizeof *fields };

static size_t field_bytes(const struct field *field)
{
    static const size_t bytes[] = {[COUNT] = sizeof(uint32_t), [REAL] = sizeof(float), [FLAG] = sizeof(bool)};
    return bytes[field->kind];
}

static const char *at(const struct net_attributes *attributes, const struct field *field, size_t i)
{
    return (const char *)attributes + field->offset + i * field_bytes(field);
}

static json_t *item_to_json(const struct net_attributes *attributes, const struct field *field, size_t i)
{
    uint32_t count;
    float real;
    bool flag;
    switch (field->kind) {
    case COUNT: memcpy(&count, at(attributes, field, i), sizeof count); return json_integer(count);
    case REAL: memcpy(&real, at(attributes, field, i), sizeof real); return json_real((double)real);
    default: memcpy(&flag, at(attributes, field, i), sizeof flag); return json_boolean(flag);
    }
}

static json_t *field_to_json(const struct net_attributes *attributes, const struct field *field)
{
    if (field->n == 1) return item_to_json(attributes, field, 0);
    json_t *array = json_array();
    for (size_t i = 0; array && i < field->n; i++)
        if (json_array_append_new(array, item_to_json(attributes, field, i)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

json_t *shape_to_json(const struct net_shape *shape)
{
    json_t *array = json_array();
    for (uint32_t d = 0; array && d < shape->rank; d++)
        if (json_array_append_new(array, json_integer(shape->dim[d])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

bool shape_from_array(struct net_shape *shape, const json_t *array)
{
    size_t rank = json_array_size(array);
    if (!json_is_array(array) || rank > NET_RANK_MAX) return false;
    *shape = (struct net_shape){.rank = (uint32_t)rank};
    for (size_t d = 0; d < rank; d++) {
        const json_t *dim = json_array_get(array, d);
        if (!json_is_integer(dim) || json_integer_value(dim) < 1 || json_integer_value(dim) > INT32_MAX)
            return false;
        shape->dim[d] = (uint32_t)json_integer_value(dim);
    }
    return true;
}

json_t *attributes_to_json(const struct net_attributes *attributes)
{
    static const struct net_attributes usual = NET_ATTRIBUTES_INIT;
    json_t *object = json_object();
    bool done = object != NULL;
    for (size_t f = 0; done && f < FIELDS; f++)
        if (memcmp(at(attributes, &fields[f], 0), at(&usual, &fields[f], 0),
                   fields[f].n * field_bytes(&fields[f])) != 0)
            done = json_object_set_new(object, fields[f].name, field_to_json(attributes, &fields[f])) == 0;
    if (done && attributes->shape.rank)
        done = json_object_set_new(object, "shape", shape_to_json(&attributes->shape)) == 0;
    if (done) return object;
    json_decref(object);
    return NULL;
}

static bool item_from_json(struct net_attributes *attributes, const struct field *field, size_t i,
                           const json_t *item)
{
    char *to = (char *)attributes + field->offset + i * field_bytes(field);
    if (field->kind == COUNT) {
        if (!json_is_integer(item) || json_integer_value(item) < 0 || json_integer_value(item) > INT32_MAX)
            return false;
        uint32_t count = (uint32_t)json_integer_value(item);
        memcpy(to, &count, sizeof count);
    } else if (field->kind == REAL) {
        float real = (float)json_number_value(item);
        if (!json_is_number(item) || !isfinite(real)) return false;
        memcpy(to, &real, sizeof real);
    } else {
        bool flag = json_is_true(item);
        if (!json_is_boolean(item)) return false;
        memcpy(to, &flag, sizeof flag);
    }
    return true;
}

static bool field_from_json(struct net_attributes *attributes, const struct field *field, const json_t *value)
{
    if (field->n == 1) return item_from_json(attributes, field, 0, value);
    if (json_array_size(value) != field->n) return false;
    for (size_t i = 0; i < field->n; i++)
        if (!item_from_json(attributes, field, i, json_array_get(value, i))) return false;
    return true;
}

bool attributes_from_json(struct net_attributes *attributes, const json_t *object)
{
    const char *key;
    json_t *value;
    *attributes = (struct net_attributes)NET_ATTRIBUTES_INIT;
    if (!json_is_object(object)) return false;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t f = 0;
        while (f < FIELDS && strcmp(fields[f].name, key) != 0) f++;
        if (f == FIELDS ? strcmp(key, "shape") != 0 || !shape_from_array(&attributes->shape, value)
                        : !field_from_json(attributes, &fields[f], value))
            return false;
    }
    return true;
}
