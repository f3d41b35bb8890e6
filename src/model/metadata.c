#include "model/metadata.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/mem.h"
#include "model/damaged.h"
#include "model/text_json.h"

enum { FEATURES_MAX = 1 << 24, CHANNELS_MAX = 4 };

static const char *const type_names[] = {"byte", "number", "category"};
static const char *const task_names[] = {"none", "classification", "regression"};

/* Takes over `value`; a NULL anywhere makes the whole NULL. */
static json_t *with(json_t *object, const char *key, json_t *value)
{
    if (object && json_object_set_new(object, key, value) == 0) return object;
    if (!object) json_decref(value);
    json_decref(object);
    return NULL;
}

static json_t *feature_to_json(const struct feature *feature)
{
    json_t *object = with(json_object(), "name", text_to_json(feature->name));
    object = with(object, "type", json_string(type_names[feature->type]));
    if (feature->type != BRAMBLE_FEATURE_CATEGORY) return object;
    object = with(object, "categories", texts_to_json(feature->categories, feature->n_categories));
    return with(object, "other", json_boolean(feature->has_other));
}

static json_t *features_to_json(const struct bramble_schema *schema)
{
    json_t *array = json_array();
    for (uint32_t f = 0; array && f < schema->n_features; f++)
        if (json_array_append_new(array, feature_to_json(&schema->features[f])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

/* Takes over `json`. */
static bramble_status print_json(char **out, json_t *json, bramble_error *error)
{
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(json);
    char *copy = text ? mem_strdup(text) : NULL;
    free(text);
    if (!copy) return error_memory(error, "a model's metadata");
    *out = copy;
    return BRAMBLE_OK;
}

bramble_status schema_to_json(char **out, const struct bramble_schema *schema, bramble_error *error)
{
    json_t *object = with(json_object(), "features", features_to_json(schema));
    object = with(object, "named", json_boolean(schema->named));
    object =
        with(object, "shape", json_pack("[I,I]", (json_int_t)schema->shape[0], (json_int_t)schema->shape[1]));
    object = with(object, "target", schema->target_name ? text_to_json(schema->target_name) : json_null());
    object = with(object, "task", json_string(task_names[schema->task]));
    object = with(object, "classes", texts_to_json(schema->classes, schema->n_classes));
    return print_json(out, object, error);
}

bramble_status numbers_to_json(char **out, const double *numbers, size_t n, bramble_error *error)
{
    json_t *array = json_array();
    for (size_t i = 0; array && i < n; i++)
        if (json_array_append_new(array, json_real(numbers[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    return print_json(out, array, error);
}

/* The place of a text among `n` names, or n. */
static int name_place(const json_t *text, const char *const *names, int n)
{
    const char *value = json_string_value(text);
    for (int i = 0; value && i < n; i++)
        if (strcmp(value, names[i]) == 0) return i;
    return n;
}

/* Binary search finds codes, so order matters; "(other)" stands last whatever it is. */
static bool categories_sorted(const struct feature *feature)
{
    uint32_t sorted = feature->n_categories - (feature->has_other ? 1 : 0);
    for (uint32_t c = 1; c < sorted; c++)
        if (strcmp(feature->categories[c - 1], feature->categories[c]) >= 0) return false;
    return true;
}

static bramble_status categories_from_json(struct feature *feature, const json_t *object, const char *name,
                                           bramble_error *error)
{
    bramble_status status = texts_from_json(&feature->categories, &feature->n_categories, CATEGORY_MAX,
                                            json_object_get(object, "categories"), name, error);
    if (status) return status;
    feature->has_other = json_is_true(json_object_get(object, "other"));
    if ((feature->has_other && !feature->n_categories) || !categories_sorted(feature))
        return model_damaged(error, name, "the categories of feature \"%s\" are not in order", feature->name);
    return BRAMBLE_OK;
}

static bramble_status feature_from_json(struct feature *feature, const json_t *object, const char *name,
                                        bramble_error *error)
{
    bramble_status status = text_from_json(&feature->name, json_object_get(object, "name"), name, error);
    if (status) return status;
    int type = name_place(json_object_get(object, "type"), type_names, 3);
    if (type == 3)
        return model_damaged(error, name, "feature \"%s\" has a type of no known kind", feature->name);
    feature->type = (bramble_feature_type)type;
    if (feature->type != BRAMBLE_FEATURE_CATEGORY) return BRAMBLE_OK;
    return categories_from_json(feature, object, name, error);
}

static bramble_status features_from_json(struct bramble_schema *schema, const json_t *array, const char *name,
                                         bramble_error *error)
{
    size_t n = json_array_size(array);
    if (n < 1 || n > FEATURES_MAX)
        return model_damaged(error, name, "its schema has %zu features, not 1 to %d", n, FEATURES_MAX);
    schema->features = mem_zalloc(n, sizeof *schema->features);
    if (!schema->features) return error_memory(error, "a model's schema");
    schema->n_features = (uint32_t)n;
    for (size_t f = 0; f < n; f++) {
        bramble_status status =
            feature_from_json(&schema->features[f], json_array_get(array, f), name, error);
        if (status) return status;
    }
    return BRAMBLE_OK;
}

static bool shape_from_json(struct bramble_schema *schema, const json_t *array)
{
    json_int_t height = json_integer_value(json_array_get(array, 0));
    json_int_t width = json_integer_value(json_array_get(array, 1));
    if (json_array_size(array) != 2 || height < 0 || width < 0) return false;
    if (height > FEATURES_MAX || width > FEATURES_MAX) return false;
    json_int_t area = height * width; /* of pixels, each of a few features */
    if (area ? schema->n_features % area || schema->n_features / area > CHANNELS_MAX : height || width)
        return false;
    schema->shape[0] = (uint32_t)height;
    schema->shape[1] = (uint32_t)width;
    return true;
}

static bramble_status target_from_json(struct bramble_schema *schema, const json_t *object, const char *name,
                                       bramble_error *error)
{
    const json_t *target = json_object_get(object, "target");
    if (!json_is_null(target)) {
        bramble_status status = text_from_json(&schema->target_name, target, name, error);
        if (status) return status;
    }
    int task = name_place(json_object_get(object, "task"), task_names, 3);
    if (task != BRAMBLE_TASK_CLASSIFICATION && task != BRAMBLE_TASK_REGRESSION)
        return model_damaged(error, name, "its schema does not say what the target is");
    schema->task = (bramble_task)task;
    bramble_status status = texts_from_json(&schema->classes, &schema->n_classes, CLASS_MAX,
                                            json_object_get(object, "classes"), name, error);
    if (status) return status;
    if (schema->task == BRAMBLE_TASK_CLASSIFICATION ? schema->n_classes < 2 : schema->n_classes > 0)
        return model_damaged(error, name, "its schema has %u classes, which does not fit its task",
                             schema->n_classes);
    return BRAMBLE_OK;
}

static bramble_status fill_schema(struct bramble_schema *schema, const json_t *object, const char *name,
                                  bramble_error *error)
{
    bramble_status status = features_from_json(schema, json_object_get(object, "features"), name, error);
    if (status) return status;
    schema->named = json_is_true(json_object_get(object, "named"));
    if (!shape_from_json(schema, json_object_get(object, "shape")))
        return model_damaged(error, name, "the image shape does not fit the features");
    return target_from_json(schema, object, name, error);
}

/* As far as jansson tells: it has no words for some failed allocations. */
static bool out_of_memory(const json_error_t *parse)
{
    return json_error_code(parse) == json_error_out_of_memory || !*parse->text;
}

bramble_status schema_from_json(struct bramble_schema *out, const char *json, const char *name,
                                bramble_error *error)
{
    json_error_t parse;
    json_t *object = json_loads(json, JSON_REJECT_DUPLICATES, &parse);
    if (!object && out_of_memory(&parse)) return error_memory(error, "a model's schema");
    if (!object)
        return model_damaged(error, name, "its schema is not JSON (line %d: %s)", parse.line, parse.text);
    struct bramble_schema schema = {0};
    bramble_status status = fill_schema(&schema, object, name, error);
    json_decref(object);
    if (status)
        schema_fini(&schema);
    else
        *out = schema;
    return status;
}

bramble_status numbers_from_json(double *out, size_t n, const char *json, const char *name,
                                 bramble_error *error)
{
    json_error_t parse;
    json_t *array = json_loads(json, 0, &parse);
    if (!array && out_of_memory(&parse)) return error_memory(error, "a model's metadata");
    bool sound = json_array_size(array) == n;
    for (size_t i = 0; sound && i < n; i++) {
        const json_t *number = json_array_get(array, i);
        sound = json_is_number(number);
        out[i] = json_number_value(number);
    }
    json_decref(array);
    if (!sound) return model_damaged(error, name, "its metadata should hold %zu numbers and do not", n);
    return BRAMBLE_OK;
}
