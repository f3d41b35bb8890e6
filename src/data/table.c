#include "data/table.h"

#include <math.h>
#include <xxhash.h>

#include "base/mem.h"

size_t feature_type_size(bramble_feature_type type)
{
    return type == BRAMBLE_FEATURE_NUMBER ? sizeof(float) : 1;
}

void table_free(struct bramble_table *table)
{
    if (!table) return;
    for (uint32_t f = 0; table->columns && f < table->schema.n_features; f++)
        spill_release(table->columns[f].any);
    mem_free(table->columns);
    spill_release(table->classes);
    spill_release(table->values);
    spill_release(table->weights);
    spill_free(table->spill);
    schema_fini(&table->schema);
    mem_free(table);
}

size_t table_bytes(const struct bramble_table *table)
{
    size_t row = 0;
    for (uint32_t f = 0; f < table->schema.n_features; f++)
        row += feature_type_size(table->schema.features[f].type);
    if (table->classes) row += sizeof *table->classes;
    if (table->values) row += sizeof *table->values;
    if (table->weights) row += sizeof *table->weights;
    return row * table->n_rows;
}

size_t table_file_bytes(const struct bramble_table *table)
{
    return (size_t)spill_file_bytes(table->spill);
}

bool table_range(const struct bramble_table *table, uint32_t feature, double *min, double *max)
{
    bramble_feature_type type = table->schema.features[feature].type;
    if (type == BRAMBLE_FEATURE_CATEGORY) return false;
    float least = INFINITY, greatest = -INFINITY;
    for (size_t r = 0; r < table->n_rows; r++) {
        float value = column_value(&table->columns[feature], type, r);
        if (value < least) least = value;
        if (value > greatest) greatest = value;
    }
    if (least > greatest) return false;
    *min = least;
    *max = greatest;
    return true;
}

uint64_t table_checksum(const struct bramble_table *table)
{
    size_t n = table->n_rows;
    XXH64_hash_t sum = XXH3_64bits_withSeed(NULL, 0, n);
    for (uint32_t f = 0; f < table->schema.n_features; f++) {
        bramble_feature_type type = table->schema.features[f].type;
        sum = XXH3_64bits_withSeed(table->columns[f].any, n * feature_type_size(type), sum + (uint64_t)type);
    }
    if (table->classes) sum = XXH3_64bits_withSeed(table->classes, n * sizeof *table->classes, sum);
    if (table->values) sum = XXH3_64bits_withSeed(table->values, n * sizeof *table->values, sum);
    if (table->weights) sum = XXH3_64bits_withSeed(table->weights, n * sizeof *table->weights, sum);
    return sum;
}
