/* From a raw table to the table that people see. */
#include "data/finish.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/table.h"

void raw_column_drop(struct raw_column *column)
{
    spill_release(column->any);
    column->any = NULL;
    column->type = RAW_NOTHING;
}

/* Gives back what a shrunken array no longer needs; keeping it all is no failure. */
static void *shrink(struct spill *spill, void *array, size_t count, size_t size)
{
    void *smaller = spill_resize(spill, array, count, size);
    return smaller ? smaller : array;
}

static bramble_status to_floats(struct raw_table *raw, struct raw_column *column, bramble_error *error)
{
    const size_t n = raw->n_rows;
    if (column->type == RAW_FLOATS) return BRAMBLE_OK;
    float *floats = spill_resize(raw->spill, NULL, n, sizeof *floats);
    if (!floats) return spill_error(raw->spill, error, "a column of the table");
    for (size_t r = 0; r < n; r++) floats[r] = (float)raw_column_number(column, r);
    raw_column_drop(column);
    column->floats = floats;
    column->type = RAW_FLOATS;
    return BRAMBLE_OK;
}

/* Whether all values are whole numbers 0..255. */
static bool all_bytes(const float *values, size_t n)
{
    for (size_t r = 0; r < n; r++)
        if (!(values[r] >= 0 && values[r] <= 255 && values[r] == (float)(uint8_t)values[r])) return false;
    return true;
}

static bramble_status to_bytes(struct raw_table *raw, struct raw_column *column, bramble_error *error)
{
    const size_t n = raw->n_rows;
    uint8_t *bytes = spill_resize(raw->spill, NULL, n, 1);
    if (!bytes) return spill_error(raw->spill, error, "a column of the table");
    for (size_t r = 0; r < n; r++) bytes[r] = (uint8_t)column->floats[r];
    raw_column_drop(column);
    column->bytes = bytes;
    column->type = RAW_BYTES;
    return BRAMBLE_OK;
}

/* Counts missing values, gives NaN and zero one form each, and refuses infinities. */
static bramble_status check_floats(struct bramble_table *table, struct raw_table *raw, uint32_t c,
                                   bramble_error *error)
{
    float *values = raw->columns[c].floats;
    uint64_t n_missing = 0;
    for (size_t r = 0; r < raw->n_rows; r++) {
        if (isinf(values[r])) {
            char buffer[32];
            const char *name = raw_column_name(raw, c, buffer);
            return error_set(error, BRAMBLE_ERR_DATA,
                             "%s: row %zu, column \"%.*s\": infinite or too large a number; correct it, or "
                             "leave it empty where it is missing",
                             raw->path, r + 1, text_clip(name, strlen(name)), name);
        }
        bool missing = isnan(values[r]);
        n_missing += missing;
        values[r] = missing ? NAN : values[r] + 0.0f;
    }
    table->columns[raw->columns[c].feature].n_missing = n_missing;
    return BRAMBLE_OK;
}

static bramble_status finish_numbers(struct bramble_table *table, struct raw_table *raw, uint32_t c,
                                     const struct bramble_schema *schema, bramble_error *error)
{
    struct raw_column *column = &raw->columns[c];
    struct feature *feature = &table->schema.features[column->feature];
    bool as_bytes = !schema || feature->type == BRAMBLE_FEATURE_BYTE;
    bramble_status status = BRAMBLE_OK;
    if (column->type != RAW_BYTES || !as_bytes) {
        status = to_floats(raw, column, error);
        if (status == BRAMBLE_OK) status = check_floats(table, raw, c, error);
        as_bytes = as_bytes && status == BRAMBLE_OK && all_bytes(column->floats, raw->n_rows);
        if (as_bytes) status = to_bytes(raw, column, error);
    }
    feature->type = as_bytes ? BRAMBLE_FEATURE_BYTE : BRAMBLE_FEATURE_NUMBER;
    return status;
}

bramble_status finish_feature(struct bramble_table *table, struct raw_table *raw, uint32_t c,
                              const struct bramble_schema *schema, bramble_error *error)
{
    struct raw_column *column = &raw->columns[c];
    struct feature *feature = &table->schema.features[column->feature];
    char buffer[32];
    const char *name = raw_column_name(raw, c, buffer);
    bool text = raw_column_is_text(column);
    if (schema && text != (feature->type == BRAMBLE_FEATURE_CATEGORY))
        return error_set(error, BRAMBLE_ERR_DATA, "%s: column \"%.*s\" holds %s where the model needs %s",
                         raw->path, text_clip(name, strlen(name)), name, text ? "texts" : "numbers",
                         text ? "numbers" : "texts");
    if (!schema && !(feature->name = mem_strdup(name)))
        return error_memory(error, "the names of the columns");
    bramble_status status =
        text ? finish_categories(table, raw, c, schema, error) : finish_numbers(table, raw, c, schema, error);
    if (status != BRAMBLE_OK) return status;
    size_t size = feature_type_size(feature->type);
    table->columns[column->feature].any = shrink(raw->spill, column->any, raw->n_rows, size);
    column->any = NULL;
    column->type = RAW_NOTHING;
    return BRAMBLE_OK;
}

bramble_status finish_weight(struct bramble_table *table, struct raw_table *raw, uint32_t c,
                             bramble_error *error)
{
    struct raw_column *column = &raw->columns[c];
    char buffer[32];
    const char *name = raw_column_name(raw, c, buffer);
    int shown = text_clip(name, strlen(name));
    if (raw_column_is_text(column))
        return error_set(error, BRAMBLE_ERR_DATA, "%s: the weights in column \"%.*s\" must be numbers",
                         raw->path, shown, name);
    table->weights = spill_resize(raw->spill, NULL, raw->n_rows, sizeof *table->weights);
    if (!table->weights) return spill_error(raw->spill, error, "the sample weights");
    bool any = false;
    for (size_t r = 0; r < raw->n_rows; r++) {
        double weight = raw_column_number(column, r) + 0.0;
        if (!(weight >= 0) || isinf(weight))
            return error_set(error, BRAMBLE_ERR_DATA,
                             "%s: row %zu, column \"%.*s\": %s; weights are finite and at least 0", raw->path,
                             r + 1, shown, name, isnan(weight) ? "the weight is missing" : "no such weight");
        table->weights[r] = weight;
        any |= weight > 0;
    }
    raw_column_drop(column);
    if (any) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA, "%s: all weights in column \"%.*s\" are 0", raw->path, shown,
                     name);
}

/* The schema to start from: a copy of the given one without its target, or F features to be found out. */
static bramble_status start_schema(struct bramble_schema *out, const struct raw_table *raw,
                                   const struct bramble_schema *schema, uint32_t n_features,
                                   bramble_error *error)
{
    if (schema) {
        struct bramble_schema features = *schema;
        features.target_name = NULL;
        features.task = BRAMBLE_TASK_AUTO;
        features.n_classes = 0;
        features.classes = NULL;
        return schema_copy(out, &features, error);
    }
    struct feature *features = mem_zalloc(n_features, sizeof *features);
    if (!features) return error_memory(error, "the columns of a table");
    *out = (struct bramble_schema){
        .n_features = n_features,
        .features = features,
        .named = raw->named,
        .shape = {raw->shape[0], raw->shape[1]},
    };
    return BRAMBLE_OK;
}

static bramble_status fill(struct bramble_table *table, struct raw_table *raw,
                           const bramble_read_options *options, bramble_error *error)
{
    for (uint32_t c = 0; c < raw->n_columns; c++) {
        bramble_status status = BRAMBLE_OK;
        switch (raw->columns[c].role) {
        case ROLE_FEATURE: status = finish_feature(table, raw, c, options->schema, error); break;
        case ROLE_TARGET: status = finish_target(table, raw, c, options, error); break;
        case ROLE_WEIGHT: status = finish_weight(table, raw, c, error); break;
        case ROLE_IGNORED: raw_column_drop(&raw->columns[c]); break;
        }
        if (status != BRAMBLE_OK) return status;
    }
    return BRAMBLE_OK;
}

bramble_status table_finish(bramble_table **out, struct raw_table *raw, const bramble_read_options *options,
                            bramble_error *error)
{
    uint32_t n_features = 0;
    for (uint32_t c = 0; c < raw->n_columns; c++) n_features += raw->columns[c].role == ROLE_FEATURE;
    if (raw->n_rows == 0)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: there are no rows of data", raw->path);
    if (n_features == 0)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: there is no feature column beside the target",
                         raw->path);
    struct bramble_table *table = mem_zalloc(1, sizeof *table);
    if (!table) return error_memory(error, "a table");
    table->format = raw->format;
    table->n_rows = raw->n_rows;
    bramble_status status = start_schema(&table->schema, raw, options->schema, n_features, error);
    if (status == BRAMBLE_OK) {
        table->columns = mem_zalloc(n_features, sizeof *table->columns);
        if (!table->columns) status = error_memory(error, "the columns of a table");
    }
    spill_scattered(raw->spill, false);
    if (status == BRAMBLE_OK) status = fill(table, raw, options, error);
    if (status != BRAMBLE_OK) {
        table_free(table);
        return status;
    }
    spill_scattered(raw->spill, false);
    table->spill = raw->spill;
    raw->spill = NULL;
    *out = table;
    return BRAMBLE_OK;
}
