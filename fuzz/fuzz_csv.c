/*
 * CSV: whatever the bytes, reading ends in an error or in a table that is sound, and reading them again with
 * that table's schema gives the same table.
 *
 * The first byte chooses the options, the rest is the file.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/csv.h"
#include "data/table.h"

static void require(bool condition)
{
    if (!condition) abort();
}

static bramble_table *read_bytes(const uint8_t *bytes, size_t n, const bramble_read_options *options)
{
    struct infile *file;
    struct raw_table raw = {0};
    bramble_error error = {0};
    bramble_table *table = NULL;
    require(infile_open_memory(&file, "fuzz.csv", bytes, n, &error) == BRAMBLE_OK || error.status);
    if (error.status) return NULL;
    bramble_status status = csv_read(&raw, file, "fuzz.csv", options, &error);
    if (status == BRAMBLE_OK) status = table_finish(&table, &raw, options, &error);
    require(status == error.status);
    require((status == BRAMBLE_OK) == (table != NULL));
    require((status == BRAMBLE_OK) == (error.message[0] == 0));
    raw_table_fini(&raw);
    infile_close(file);
    return table;
}

static void check_column(const bramble_table *table, uint32_t f)
{
    const struct feature *feature = &table->schema.features[f];
    uint64_t n_missing = 0;
    for (size_t r = 0; r < table->n_rows; r++) {
        float value = column_value(&table->columns[f], feature->type, r);
        require(!isinf(value));
        n_missing += isnan(value) != 0;
        if (feature->type == BRAMBLE_FEATURE_CATEGORY && !isnan(value))
            require(value < (float)feature->n_categories);
    }
    require(n_missing == table->columns[f].n_missing);
}

static void check(const bramble_table *table)
{
    require(table->n_rows > 0 && table->schema.n_features > 0);
    for (uint32_t f = 0; f < table->schema.n_features; f++) check_column(table, f);
    for (size_t r = 0; table->classes && r < table->n_rows; r++)
        require(table->classes[r] < table->schema.n_classes);
    for (size_t r = 0; table->values && r < table->n_rows; r++) require(isfinite(table->values[r]));
    for (size_t r = 0; table->weights && r < table->n_rows; r++)
        require(isfinite(table->weights[r]) && table->weights[r] >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const targets[] = {NULL, "0", "-2", "y"};
    if (size == 0) return 0;
    bramble_read_options options = {
        .target = targets[data[0] & 3],
        .sample_weight = data[0] & 4 ? "1" : NULL,
        .task = (bramble_task)(data[0] >> 3 & 3) % 3,
        .target_optional = data[0] >> 5 & 1,
    };
    bramble_table *table = read_bytes(data + 1, size - 1, &options);
    if (!table) return 0;
    check(table);
    options.schema = &table->schema;
    bramble_table *again = read_bytes(data + 1, size - 1, &options);
    require(again != NULL);
    check(again);
    require(table_checksum(table) == table_checksum(again));
    table_free(again);
    table_free(table);
    return 0;
}
