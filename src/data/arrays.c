/* Tables from the caller's arrays. */
#include "base/error.h"
#include "base/mem.h"
#include "data/reader.h"

enum { ROWS_AT_ONCE = 64 };

/* Row-major to columns, some rows at a time so that both sides stay in the cache. */
static void transpose(struct raw_table *raw, uint32_t n_features, const float *x)
{
    for (size_t start = 0; start < raw->n_rows; start += ROWS_AT_ONCE) {
        size_t end = start + ROWS_AT_ONCE < raw->n_rows ? start + ROWS_AT_ONCE : raw->n_rows;
        for (uint32_t f = 0; f < n_features; f++)
            for (size_t r = start; r < end; r++) raw->columns[f].floats[r] = x[r * n_features + f];
    }
}

static bramble_status add_column(struct raw_table *raw, uint32_t c, enum raw_role role, const char *name,
                                 const double *values, bramble_error *error)
{
    struct raw_column *column = &raw->columns[c];
    column->role = role;
    column->feature = RAW_NO_FEATURE;
    column->name = mem_strdup(name);
    if (!column->name) return error_memory(error, "the names of the columns");
    bramble_status status = raw_column_resize(raw, column, RAW_DOUBLES, raw->n_rows, error);
    for (size_t r = 0; status == BRAMBLE_OK && r < raw->n_rows; r++) column->doubles[r] = values[r];
    return status;
}

static bramble_status fill(struct raw_table *raw, uint32_t n_features, const float *x, const double *y,
                           const double *weight, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    raw_table_expect(raw, raw->n_rows, n_features * sizeof *x);
    for (uint32_t f = 0; f < n_features && status == BRAMBLE_OK; f++) {
        raw->columns[f].role = ROLE_FEATURE;
        raw->columns[f].feature = f;
        status = raw_column_resize(raw, &raw->columns[f], RAW_FLOATS, raw->n_rows, error);
    }
    if (status != BRAMBLE_OK) return status;
    transpose(raw, n_features, x);
    uint32_t c = n_features;
    if (y) status = add_column(raw, c++, ROLE_TARGET, "y", y, error);
    if (weight && status == BRAMBLE_OK) status = add_column(raw, c, ROLE_WEIGHT, "weight", weight, error);
    return status;
}

bramble_status table_from_arrays(struct bramble_table **out, size_t n_rows, uint32_t n_features,
                                 const float *x, const double *y, const double *weight, bramble_task task,
                                 bramble_error *error)
{
    if (n_rows == 0 || n_features == 0 || !x)
        return error_set(error, BRAMBLE_ERR_USAGE, "array: a table needs at least one row and one feature");
    struct raw_table raw = {0};
    size_t n_columns = (size_t)n_features + (y != NULL) + (weight != NULL);
    bramble_status status = raw_table_init(&raw, "array", "array", "x", n_columns, error);
    if (status != BRAMBLE_OK) return status;
    raw.n_rows = n_rows;
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.task = task;
    status = fill(&raw, n_features, x, y, weight, error);
    if (status == BRAMBLE_OK) status = table_finish(out, &raw, &options, error);
    raw_table_fini(&raw);
    return status;
}
