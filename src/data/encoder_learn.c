/* Means and deviations of the training rows. */
#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/encoder_parts.h"

/* Of numbers as they come: Welford, "Note on a method for calculating corrected sums of squares and
 * products", Technometrics 4 (1962). Squares are exactly 0 where the numbers are all the same. */
struct spread {
    uint64_t n;
    double mean, squares;
};

static void spread_add(struct spread *spread, double x)
{
    double step = x - spread->mean;
    spread->mean += step / (double)++spread->n;
    spread->squares += step * (x - spread->mean);
}

/* 1 where dividing by it would say nothing: what does not vary, what is too small or large for a float. */
static double spread_deviation(const struct spread *spread)
{
    double deviation = sqrt(spread->squares / (double)spread->n);
    return isnormal((float)deviation) ? deviation : 1;
}

static size_t row_number(const struct encoder_rows *rows, size_t i)
{
    return rows->numbers ? rows->numbers[i] : i;
}

static void learn_feature(struct encoded_feature *feature, const struct bramble_table *table,
                          const struct encoder_rows *rows, uint32_t f, bool indicators)
{
    bramble_feature_type type = table->schema.features[f].type;
    struct spread spread = {0};
    bool missing = false;
    for (size_t i = 0; i < rows->n; i++) {
        float value = column_value(&table->columns[f], type, row_number(rows, i));
        if (isnan(value))
            missing = true;
        else if (feature->encoding == ENCODING_NUMBER)
            spread_add(&spread, (double)value);
    }
    feature->indicator = indicators && missing;
    if (feature->encoding != ENCODING_NUMBER || !spread.n) return;
    feature->mean = (float)spread.mean;
    feature->deviation = (float)spread_deviation(&spread);
}

static void learn_target(struct encoder *encoder, const struct bramble_table *table,
                         const struct encoder_rows *rows)
{
    if (encoder->task != BRAMBLE_TASK_REGRESSION) return;
    struct spread spread = {0};
    for (size_t i = 0; i < rows->n; i++) spread_add(&spread, table->values[row_number(rows, i)]);
    encoder->target_mean = spread.mean;
    encoder->target_deviation = spread_deviation(&spread);
}

bramble_status encoder_init(struct encoder *out, const struct bramble_table *table,
                            const struct encoder_rows *rows, bramble_error *error)
{
    const struct encoder_rows all = {.n = table->n_rows};
    if (!rows) rows = &all;
    bramble_status status = encoder_from_schema(out, &table->schema, error);
    if (status) return status;
    bool indicators = !out->shape[0]; /* an image's shape has no room for them */
    for (uint32_t f = 0; !out->pixels && f < out->n_features; f++)
        learn_feature(&out->features[f], table, rows, f, indicators);
    learn_target(out, table, rows);
    status = encoder_place(out, error);
    if (status) encoder_fini(out);
    return status;
}

/* The first place of a feature's categories: behind those of the features before it in its table. */
static uint32_t first_place(const struct encoder *encoder, const struct bramble_schema *schema,
                            const uint32_t *tables, uint32_t f)
{
    if (!schema->features[f].n_categories) return 0;
    for (uint32_t before = f; before-- > 0;)
        if (tables[before] == tables[f] && schema->features[before].n_categories)
            return encoder->features[before].base + schema->features[before].n_categories;
    return 1;
}

bramble_status encoder_init_places(struct encoder *out, const struct bramble_table *table,
                                   const struct encoder_rows *rows, const uint32_t *tables,
                                   bramble_error *error)
{
    const struct encoder_rows all = {.n = table->n_rows};
    if (!rows) rows = &all;
    bramble_status status = encoder_from_schema(out, &table->schema, error);
    if (status) return status;
    if (out->shape[0])
        status = error_set(error, BRAMBLE_ERR_DATA,
                           "the network looks numbers up in an embedding, and images have no such numbers; "
                           "take another network, or a table");
    for (uint32_t f = 0; !status && f < out->n_features; f++) {
        if (tables[f] == ENCODER_NO_TABLE && out->features[f].encoding == ENCODING_NUMBER)
            learn_feature(&out->features[f], table, rows, f, false);
        else
            out->features[f] = (struct encoded_feature){.encoding = ENCODING_PLACE,
                                                        .base = first_place(out, &table->schema, tables, f),
                                                        .deviation = 1};
    }
    learn_target(out, table, rows);
    if (!status) status = encoder_place(out, error);
    if (status) encoder_fini(out);
    return status;
}
