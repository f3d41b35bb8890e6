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

static void learn_feature(struct encoded_feature *feature, const struct bramble_table *table, uint32_t f,
                          bool indicators)
{
    const struct column *column = &table->columns[f];
    bramble_feature_type type = table->schema.features[f].type;
    feature->indicator = indicators && column->n_missing > 0;
    if (feature->encoding != ENCODING_NUMBER) return;
    struct spread spread = {0};
    for (size_t r = 0; r < table->n_rows; r++) {
        float value = column_value(column, type, r);
        if (!isnan(value)) spread_add(&spread, (double)value);
    }
    feature->mean = (float)spread.mean;
    feature->deviation = (float)spread_deviation(&spread);
}

/* From how often each byte occurs: exact sums, whatever the number of rows. */
static void learn_channel(struct encoder *encoder, const struct bramble_table *table, uint32_t channel)
{
    uint64_t counts[256] = {0}, n = 0;
    for (uint32_t f = channel; f < encoder->n_features; f += encoder->shape[2], n += table->n_rows)
        for (size_t r = 0; r < table->n_rows; r++) counts[table->columns[f].bytes[r]]++;
    double sum = 0, squares = 0;
    for (int v = 0; v < 256; v++) sum += (double)counts[v] * v / 255;
    double mean = sum / (double)n;
    for (int v = 0; v < 256; v++) squares += (double)counts[v] * (v / 255.0 - mean) * (v / 255.0 - mean);
    double deviation = sqrt(squares / (double)n);
    encoder->channel_mean[channel] = (float)mean;
    encoder->channel_deviation[channel] = deviation > 1e-6 ? (float)deviation : 1;
}

static void learn_target(struct encoder *encoder, const struct bramble_table *table)
{
    if (encoder->task != BRAMBLE_TASK_REGRESSION) return;
    struct spread spread = {0};
    for (size_t r = 0; r < table->n_rows; r++) spread_add(&spread, table->values[r]);
    encoder->target_mean = spread.mean;
    encoder->target_deviation = spread_deviation(&spread);
}

bramble_status encoder_init(struct encoder *out, const struct bramble_table *table,
                            const struct encoder_options *options, bramble_error *error)
{
    bramble_status status = encoder_from_schema(out, &table->schema, options->index_categories, error);
    if (status) return status;
    bool indicators = !options->no_indicators && !out->shape[0]; /* an image's shape has no room for them */
    for (uint32_t f = 0; !out->pixels && f < out->n_features; f++)
        learn_feature(&out->features[f], table, f, indicators);
    for (uint32_t c = 0; out->pixels && options->standardise_pixels && c < out->shape[2]; c++)
        learn_channel(out, table, c);
    learn_target(out, table);
    status = encoder_place(out, error);
    if (status) encoder_fini(out);
    return status;
}
