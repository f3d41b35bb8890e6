/* Which column is the target, which the weight, and which feature each of the others is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/reader.h"

enum { NAMES_SHOWN = 6 };
static const uint32_t none = 0xffffffff;

/* Column of that name, or none. */
static uint32_t find_name(const struct raw_table *raw, const char *name)
{
    char buffer[32];
    for (uint32_t c = 0; c < raw->n_columns; c++)
        if (strcmp(raw_column_name(raw, c, buffer), name) == 0) return c;
    return none;
}

/* Column that NAME or INDEX stands for, or none. */
static uint32_t find_column(const struct raw_table *raw, const char *text)
{
    uint32_t named = find_name(raw, text);
    if (named != none) return named;
    char *end;
    long index = strtol(text, &end, 10);
    if (end == text || *end || strchr("+ \t", *text)) return none;
    if (index < 0) index += (long)raw->n_columns;
    return index >= 0 && index < (long)raw->n_columns ? (uint32_t)index : none;
}

static bramble_status no_such_column(const struct raw_table *raw, const char *what, const char *name,
                                     bramble_error *error)
{
    struct str list = {0};
    char buffer[32];
    for (uint32_t c = 0; c < raw->n_columns && c < NAMES_SHOWN; c++) {
        const char *shown = raw_column_name(raw, c, buffer);
        str_printf(&list, "%s\"%.*s\"", c ? ", " : "", text_clip(shown, strlen(shown)), shown);
    }
    if (raw->n_columns > NAMES_SHOWN) str_puts(&list, ", ...");
    bramble_status status = error_set(
        error, BRAMBLE_ERR_DATA, "%s: no column \"%.*s\" to be the %s; name one of the %u columns: %s",
        raw->path, text_clip(name, strlen(name)), name, what, raw->n_columns, list.data ? list.data : "...");
    str_fini(&list);
    return status;
}

static uint32_t columns_beside(const struct raw_table *raw, uint32_t weight)
{
    return raw->n_columns - (weight != none);
}

/* The target where nobody named one. */
static uint32_t default_target(const struct raw_table *raw, const struct bramble_schema *schema,
                               uint32_t weight)
{
    uint32_t last = raw->n_columns - 1;
    if (raw->labels_apart) {
        const char *name = raw->columns[last].name;
        return name && strcmp(name, "label") == 0 ? last : none;
    }
    if (last == weight) last = last ? last - 1 : none;
    if (!schema) return last;
    if (!schema->target_name) return none;
    if (raw->named && schema->named) return find_name(raw, schema->target_name);
    if (columns_beside(raw, weight) <= schema->n_features) return none;
    uint32_t named = find_name(raw, schema->target_name);
    return named != none ? named : last;
}

static bramble_status find_target(const struct raw_table *raw, const bramble_read_options *options,
                                  uint32_t weight, uint32_t *target, bramble_error *error)
{
    const struct bramble_schema *schema = options->schema;
    bool by_name = schema && raw->named && schema->named;
    bool room = !schema || by_name || raw->labels_apart || columns_beside(raw, weight) > schema->n_features ||
                !options->target_optional;
    uint32_t found = none;
    if (options->target && room) found = find_column(raw, options->target);
    if (!options->target) found = default_target(raw, schema, weight);
    bool optional = options->target_optional || (schema && !schema->target_name && !options->target);
    if (found == none && !optional) {
        if (options->target) return no_such_column(raw, "target", options->target, error);
        if (schema && schema->target_name) return no_such_column(raw, "target", schema->target_name, error);
        return error_set(error, BRAMBLE_ERR_DATA, "%s: there is no target: no labels come with the features",
                         raw->path);
    }
    if (found != none && found == weight)
        return error_set(error, BRAMBLE_ERR_USAGE, "%s: one column cannot be both target and sample weight",
                         raw->path);
    *target = found;
    return BRAMBLE_OK;
}

/* Column numbers in the order of their names, for binary search. */
struct name_index {
    const struct raw_table *raw;
    uint32_t *order;
};

static int compare_columns(const void *a, const void *b, void *context)
{
    const struct raw_table *raw = context;
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    char buffers[2][32];
    int order = strcmp(raw_column_name(raw, left, buffers[0]), raw_column_name(raw, right, buffers[1]));
    return order ? order : (left > right) - (left < right);
}

static bool index_init(struct name_index *index, const struct raw_table *raw)
{
    *index = (struct name_index){raw, mem_alloc(raw->n_columns, sizeof *index->order)};
    if (!index->order) return false;
    for (uint32_t c = 0; c < raw->n_columns; c++) index->order[c] = c;
    qsort_r(index->order, raw->n_columns, sizeof *index->order, compare_columns, (void *)raw);
    return true;
}

static uint32_t index_find(const struct name_index *index, const char *name)
{
    uint32_t low = 0, high = index->raw->n_columns;
    char buffer[32];
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (strcmp(raw_column_name(index->raw, index->order[middle], buffer), name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == index->raw->n_columns) return none;
    uint32_t c = index->order[low];
    return strcmp(raw_column_name(index->raw, c, buffer), name) == 0 ? c : none;
}

/* "a", "b" and 3 more. */
static bramble_status missing_features(const struct raw_table *raw, const struct bramble_schema *schema,
                                       const struct str *list, uint32_t n_missing, bramble_error *error)
{
    char more[32] = "";
    if (n_missing > NAMES_SHOWN) snprintf(more, sizeof more, " and %u more", n_missing - NAMES_SHOWN);
    return error_set(error, BRAMBLE_ERR_DATA, "%s: %u of the %u columns the model needs are missing: %s%s",
                     raw->path, n_missing, schema->n_features, list->data ? list->data : "...", more);
}

static void assign(struct raw_table *raw, uint32_t c, uint32_t feature)
{
    raw->columns[c].role = ROLE_FEATURE;
    raw->columns[c].feature = feature;
}

static bramble_status assign_by_name(struct raw_table *raw, const struct bramble_schema *schema,
                                     bramble_error *error)
{
    struct name_index index;
    struct str list = {0};
    uint32_t n_missing = 0;
    if (!index_init(&index, raw)) return error_memory(error, "the names of the columns");
    for (uint32_t f = 0; f < schema->n_features; f++) {
        const char *name = schema->features[f].name;
        uint32_t c = index_find(&index, name);
        if (c != none && raw->columns[c].role == ROLE_IGNORED)
            assign(raw, c, f);
        else if (n_missing++ < NAMES_SHOWN)
            str_printf(&list, "%s\"%.*s\"", list.length ? ", " : "", text_clip(name, strlen(name)), name);
    }
    mem_free(index.order);
    bramble_status status = BRAMBLE_OK;
    if (n_missing) status = missing_features(raw, schema, &list, n_missing, error);
    str_fini(&list);
    return status;
}

static bramble_status assign_by_position(struct raw_table *raw, const struct bramble_schema *schema,
                                         bramble_error *error)
{
    uint32_t f = 0, limit = schema ? schema->n_features : raw->n_columns;
    for (uint32_t c = 0; c < raw->n_columns && f < limit; c++)
        if (raw->columns[c].role == ROLE_IGNORED) assign(raw, c, f++);
    if (!schema || f == limit) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: %u feature columns where the model needs %u: there is none for \"%.*s\"", raw->path,
                     f, limit, text_clip(schema->features[f].name, strlen(schema->features[f].name)),
                     schema->features[f].name);
}

/* Columns without names still keep the places they had beside a target or weight that is gone now. */
static bool places_match(const struct raw_table *raw, const struct bramble_schema *schema)
{
    if (raw->named || schema->named || raw->labels_apart || raw->n_columns <= schema->n_features)
        return false;
    for (uint32_t f = 0; f < schema->n_features; f++) {
        const char *name = schema->features[f].name;
        char *end;
        unsigned long c = *name ? strtoul(name + 1, &end, 10) : raw->n_columns;
        char buffer[32];
        if (c >= raw->n_columns || strcmp(raw_column_name(raw, (uint32_t)c, buffer), name) != 0) return false;
        if (raw->columns[c].role != ROLE_IGNORED) return false;
    }
    return true;
}

/* Two columns of one name could not be told apart later. */
static bramble_status refuse_duplicates(const struct raw_table *raw, bramble_error *error)
{
    struct name_index index;
    if (!index_init(&index, raw)) return error_memory(error, "the names of the columns");
    bramble_status status = BRAMBLE_OK;
    char buffers[2][32];
    for (uint32_t i = 1; i < raw->n_columns && status == BRAMBLE_OK; i++) {
        const char *name = raw_column_name(raw, index.order[i], buffers[0]);
        if (strcmp(raw_column_name(raw, index.order[i - 1], buffers[1]), name) != 0) continue;
        status = error_set(error, BRAMBLE_ERR_DATA,
                           "%s: columns %u and %u are both called \"%.*s\"; rename one of them", raw->path,
                           index.order[i - 1] + 1, index.order[i] + 1, text_clip(name, strlen(name)), name);
    }
    mem_free(index.order);
    return status;
}

bramble_status raw_table_resolve(struct raw_table *raw, const bramble_read_options *options,
                                 bramble_error *error)
{
    const struct bramble_schema *schema = options->schema;
    bramble_status status = BRAMBLE_OK;
    uint32_t weight = none, target = none;
    for (uint32_t c = 0; c < raw->n_columns; c++) {
        raw->columns[c].role = ROLE_IGNORED;
        raw->columns[c].feature = RAW_NO_FEATURE;
    }
    if (raw->n_columns == 0) return error_set(error, BRAMBLE_ERR_DATA, "%s: there are no columns", raw->path);
    if (raw->named) status = refuse_duplicates(raw, error);
    if (status != BRAMBLE_OK) return status;
    if (options->sample_weight && (weight = find_column(raw, options->sample_weight)) == none)
        return no_such_column(raw, "sample weight", options->sample_weight, error);
    status = find_target(raw, options, weight, &target, error);
    if (status != BRAMBLE_OK) return status;
    if (weight != none) raw->columns[weight].role = ROLE_WEIGHT;
    if (target != none) raw->columns[target].role = ROLE_TARGET;
    bool by_name = schema && ((raw->named && schema->named) || places_match(raw, schema));
    return by_name ? assign_by_name(raw, schema, error) : assign_by_position(raw, schema, error);
}
