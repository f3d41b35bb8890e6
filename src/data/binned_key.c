#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "data/binned_file.h"
#include "data/binned_layout.h"

static void add_text(XXH3_state_t *sum, const char *text)
{
    XXH3_128bits_update(sum, text, strlen(text) + 1);
}

static void add_schema(XXH3_state_t *sum, const struct bramble_table *table)
{
    const struct bramble_schema *schema = &table->schema;
    uint64_t sizes[] = {table->n_rows, schema->n_features, (uint64_t)schema->task, schema->n_classes,
                        table->weights != NULL};
    XXH3_128bits_update(sum, sizes, sizeof sizes);
    add_text(sum, schema->target_name ? schema->target_name : "");
    for (uint32_t c = 0; c < schema->n_classes; c++) add_text(sum, schema->classes[c]);
    for (uint32_t f = 0; f < schema->n_features; f++) {
        uint32_t feature[] = {(uint32_t)schema->features[f].type, schema->features[f].n_categories};
        XXH3_128bits_update(sum, feature, sizeof feature);
    }
}

static void add_values(XXH3_state_t *sum, const struct bramble_table *table)
{
    size_t n = table->n_rows;
    for (uint32_t f = 0; f < table->schema.n_features; f++)
        XXH3_128bits_update(sum, table->columns[f].any,
                            n * feature_type_size(table->schema.features[f].type));
    if (table->classes) XXH3_128bits_update(sum, table->classes, n * sizeof *table->classes);
    if (table->values) XXH3_128bits_update(sum, table->values, n * sizeof *table->values);
    if (table->weights) XXH3_128bits_update(sum, table->weights, n * sizeof *table->weights);
}

bramble_status binned_file_key(char key[BINNED_KEY_LENGTH + 1], const struct bramble_table *table,
                               bramble_error *error)
{
    XXH3_state_t *sum = XXH3_createState();
    if (!sum) return error_memory(error, "a key of the data");
    XXH3_128bits_reset(sum);
    add_text(sum, BRAMBLE_VERSION " " BINNED_MAGIC);
    add_schema(sum, table);
    add_values(sum, table);
    XXH128_hash_t digest = XXH3_128bits_digest(sum);
    snprintf(key, BINNED_KEY_LENGTH + 1, "%016" PRIx64 "%016" PRIx64, (uint64_t)digest.high64,
             (uint64_t)digest.low64);
    XXH3_freeState(sum);
    return BRAMBLE_OK;
}
