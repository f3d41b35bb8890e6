#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/encoder_parts.h"

static const char *const encoding_names[] = {"number", "one-hot", "place"};

/* Takes over `value`; a NULL anywhere makes the whole NULL. */
static json_t *with(json_t *object, const char *key, json_t *value)
{
    if (object && json_object_set_new(object, key, value) == 0) return object;
    if (!object) json_decref(value);
    json_decref(object);
    return NULL;
}

static json_t *with_spread(json_t *object, double mean, double deviation)
{
    return with(with(object, "mean", json_real(mean)), "deviation", json_real(deviation));
}

static json_t *feature_to_json(const struct encoded_feature *feature)
{
    json_t *object = with(json_object(), "encoding", json_string(encoding_names[feature->encoding]));
    object = with(object, "indicator", json_boolean(feature->indicator));
    if (feature->encoding == ENCODING_PLACE) return with(object, "base", json_integer(feature->base));
    if (feature->encoding != ENCODING_NUMBER) return object;
    return with_spread(object, (double)feature->mean, (double)feature->deviation);
}

static json_t *features_to_json(const struct encoder *encoder)
{
    json_t *array = json_array();
    for (uint32_t f = 0; array && f < encoder->n_features; f++)
        if (json_array_append_new(array, feature_to_json(&encoder->features[f])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

bramble_status encoder_to_json(char **out, const struct encoder *encoder, bramble_error *error)
{
    json_t *object = json_object();
    if (!encoder->pixels) object = with(object, "features", features_to_json(encoder));
    json_t *target = with_spread(json_object(), encoder->target_mean, encoder->target_deviation);
    if (encoder->one_vs_rest) target = with(target, "one_vs_rest", json_true());
    object = with(object, "target", target);
    char *text = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(object);
    char *copy = text ? mem_strdup(text) : NULL;
    free(text);
    if (!copy) return error_memory(error, "how rows become a network's input");
    *out = copy;
    return BRAMBLE_OK;
}

static bramble_status damaged(bramble_error *error, const char *name, const char *what)
{
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: damaged model: %s; take an undamaged copy or train it again", name, what);
}

/* False unless both are there, finite, and the deviation is greater than 0; also as floats if `single`. */
static bool read_spread(const json_t *object, bool single, double *mean, double *deviation)
{
    const json_t *m = json_object_get(object, "mean"), *d = json_object_get(object, "deviation");
    if (!json_is_number(m) || !json_is_number(d)) return false;
    *mean = json_number_value(m);
    *deviation = json_number_value(d);
    if (single) return isfinite((float)*mean) && isnormal((float)*deviation) && *deviation > 0;
    return isfinite(*mean) && isnormal(*deviation) && *deviation > 0;
}

static bool read_place(struct encoded_feature *feature, const json_t *object, bool image)
{
    const json_t *base = json_object_get(object, "base");
    json_int_t number = json_integer_value(base);
    if (feature->indicator || image || !json_is_integer(base) || number < 0 || number > ENCODER_INPUTS_MAX)
        return false;
    *feature = (struct encoded_feature){.encoding = ENCODING_PLACE, .base = (uint32_t)number, .deviation = 1};
    return true;
}

static bool read_feature(struct encoded_feature *feature, const json_t *object, bool image)
{
    const char *encoding = json_string_value(json_object_get(object, "encoding"));
    const json_t *indicator = json_object_get(object, "indicator");
    if (!encoding || !json_is_boolean(indicator)) return false;
    feature->indicator = json_is_true(indicator);
    if (feature->indicator && image) return false;
    if (strcmp(encoding, encoding_names[ENCODING_PLACE]) == 0) return read_place(feature, object, image);
    if (feature->encoding == ENCODING_NUMBER) {
        double mean, deviation;
        if (strcmp(encoding, encoding_names[ENCODING_NUMBER]) ||
            !read_spread(object, true, &mean, &deviation))
            return false;
        feature->mean = (float)mean;
        feature->deviation = (float)deviation;
        return true;
    }
    return strcmp(encoding, encoding_names[ENCODING_ONE_HOT]) == 0;
}

static bramble_status read_features(struct encoder *out, const json_t *root, const char *name,
                                    bramble_error *error)
{
    const json_t *array = json_object_get(root, "features");
    if (json_array_size(array) != out->n_features)
        return damaged(error, name, "its encoder is not made for as many features as its schema has");
    for (uint32_t f = 0; f < out->n_features; f++)
        if (!read_feature(&out->features[f], json_array_get(array, f), out->shape[0]))
            return damaged(error, name, "its encoder does not say how to encode one of the features");
    return BRAMBLE_OK;
}

static bramble_status read_target(struct encoder *out, const json_t *root, const char *name,
                                  bramble_error *error)
{
    const json_t *target = json_object_get(root, "target"), *each = json_object_get(target, "one_vs_rest");
    out->one_vs_rest = json_is_true(each);
    if (!read_spread(target, false, &out->target_mean, &out->target_deviation) ||
        (each && (!out->one_vs_rest || out->task != BRAMBLE_TASK_CLASSIFICATION)))
        return damaged(error, name, "its encoder does not say how the target was encoded");
    if (out->task != BRAMBLE_TASK_REGRESSION) {
        out->target_mean = 0;
        out->target_deviation = 1;
    }
    return BRAMBLE_OK;
}

static bramble_status read_root(struct encoder *out, const json_t *root, const char *name,
                                const struct bramble_schema *schema, bramble_error *error)
{
    bramble_status status = encoder_from_schema(out, schema, error);
    if (status) return status;
    if (!out->pixels) status = read_features(out, root, name, error);
    if (!status) status = read_target(out, root, name, error);
    if (!status) status = encoder_place(out, error);
    if (status) encoder_fini(out);
    return status;
}

bramble_status encoder_from_json(struct encoder *out, const char *json, const char *name,
                                 const struct bramble_schema *schema, bramble_error *error)
{
    json_t *root = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
    if (!root) return damaged(error, name, "its encoder is not JSON");
    bramble_status status = read_root(out, root, name, schema, error);
    json_decref(root);
    return status;
}
