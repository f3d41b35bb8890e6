/* bramble/table.h on top of the data room. */
#include <bramble/table.h>

#include "base/error.h"
#include "data/table.h"

bramble_status bramble_table_read(bramble_table **out, const char *path, const bramble_read_options *options,
                                  bramble_error *error)
{
    static const bramble_read_options defaults = BRAMBLE_READ_OPTIONS_INIT;
    if (!out || !path || !*path)
        return error_set(error, BRAMBLE_ERR_USAGE, "no file named; name one to read");
    return table_read(out, path, options ? options : &defaults, error);
}

bool bramble_path_has_test(const char *path)
{
    return path && table_path_has_test(path);
}

bramble_status bramble_table_from_arrays(bramble_table **out, size_t n_rows, uint32_t n_features,
                                         const float *x, const double *y, const double *weight,
                                         bramble_task task, bramble_error *error)
{
    if (!out) return error_set(error, BRAMBLE_ERR_USAGE, "nowhere to put the table");
    return table_from_arrays(out, n_rows, n_features, x, y, weight, task, error);
}

void bramble_table_free(bramble_table *table)
{
    table_free(table);
}

bramble_status bramble_table_holdout(bramble_table *table, double fraction, uint64_t seed,
                                     bramble_table **test, bramble_error *error)
{
    if (!table || !test) return error_set(error, BRAMBLE_ERR_USAGE, "no table to split");
    return table_holdout(table, fraction, seed, test, error);
}

size_t bramble_table_n_rows(const bramble_table *table)
{
    return table->n_rows;
}

const bramble_schema *bramble_table_schema(const bramble_table *table)
{
    return &table->schema;
}

bool bramble_table_has_target(const bramble_table *table)
{
    return table->classes || table->values;
}

bool bramble_table_has_weight(const bramble_table *table)
{
    return table->weights != NULL;
}

const char *bramble_table_format(const bramble_table *table)
{
    return table->format;
}

size_t bramble_table_bytes(const bramble_table *table)
{
    return table_bytes(table);
}

size_t bramble_table_file_bytes(const bramble_table *table)
{
    return table_file_bytes(table);
}

uint64_t bramble_table_checksum(const bramble_table *table)
{
    return table_checksum(table);
}

uint64_t bramble_table_n_missing(const bramble_table *table, uint32_t feature)
{
    return feature < table->schema.n_features ? table->columns[feature].n_missing : 0;
}

bool bramble_table_range(const bramble_table *table, uint32_t feature, double *min, double *max)
{
    return feature < table->schema.n_features && table_range(table, feature, min, max);
}

uint64_t bramble_table_class_count(const bramble_table *table, uint32_t c)
{
    uint64_t count = 0;
    for (size_t r = 0; table->classes && r < table->n_rows; r++) count += table->classes[r] == c;
    return count;
}
