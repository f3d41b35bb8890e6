#include "data/encoder.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/encoder_parts.h"

enum { BLOCK_ROWS = 64 };

void encoder_fini(struct encoder *encoder)
{
    mem_free(encoder->features);
    *encoder = (struct encoder){0};
}

bramble_status encoder_copy(struct encoder *out, const struct encoder *encoder, bramble_error *error)
{
    struct encoder copy = *encoder;
    copy.features = NULL;
    if (encoder->features) {
        copy.features = mem_alloc(encoder->n_features, sizeof *copy.features);
        if (!copy.features) return error_memory(error, "how rows become a network's input");
        memcpy(copy.features, encoder->features, encoder->n_features * sizeof *copy.features);
    }
    *out = copy;
    return BRAMBLE_OK;
}

/* Height, width and channels, if that is what the features are. */
static bool is_image(const struct bramble_schema *schema, uint32_t shape[3])
{
    uint64_t area = (uint64_t)schema->shape[0] * schema->shape[1];
    if (!area || schema->n_features % area || schema->n_features / area > ENCODER_CHANNELS_MAX) return false;
    for (uint32_t f = 0; f < schema->n_features; f++)
        if (schema->features[f].type == BRAMBLE_FEATURE_CATEGORY) return false;
    shape[0] = schema->shape[0];
    shape[1] = schema->shape[1];
    shape[2] = (uint32_t)(schema->n_features / area);
    return true;
}

static bool all_bytes(const struct bramble_schema *schema)
{
    for (uint32_t f = 0; f < schema->n_features; f++)
        if (schema->features[f].type != BRAMBLE_FEATURE_BYTE) return false;
    return true;
}

static bramble_status features_from_schema(struct encoder *out, const struct bramble_schema *schema,
                                           bramble_error *error)
{
    out->features = mem_zalloc(schema->n_features, sizeof *out->features);
    if (!out->features) return error_memory(error, "how rows become a network's input");
    for (uint32_t f = 0; f < schema->n_features; f++) {
        struct encoded_feature *feature = &out->features[f];
        feature->deviation = 1;
        if (schema->features[f].type != BRAMBLE_FEATURE_CATEGORY) continue;
        feature->encoding = ENCODING_ONE_HOT;
        feature->n_categories = schema->features[f].n_categories;
    }
    return BRAMBLE_OK;
}

bramble_status encoder_from_schema(struct encoder *out, const struct bramble_schema *schema,
                                   bramble_error *error)
{
    *out = (struct encoder){.n_features = schema->n_features, .task = schema->task, .target_deviation = 1};
    if (schema->task == BRAMBLE_TASK_CLASSIFICATION) out->n_outputs = schema->n_classes;
    if (schema->task == BRAMBLE_TASK_REGRESSION) out->n_outputs = 1;
    out->pixels = is_image(schema, out->shape) && all_bytes(schema);
    return out->pixels ? BRAMBLE_OK : features_from_schema(out, schema, error);
}

static uint32_t feature_inputs(const struct encoded_feature *feature)
{
    uint32_t own = feature->encoding == ENCODING_ONE_HOT ? feature->n_categories : 1;
    return own + feature->indicator;
}

bramble_status encoder_place(struct encoder *encoder, bramble_error *error)
{
    uint64_t n = 0;
    for (uint32_t f = 0; encoder->features && f < encoder->n_features; f++) {
        encoder->features[f].first = (uint32_t)n;
        n += feature_inputs(&encoder->features[f]);
        if (n > ENCODER_INPUTS_MAX) break;
    }
    if (encoder->pixels) n = encoder->n_features;
    if (n > ENCODER_INPUTS_MAX)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "the features make more than %d numbers a row; leave out some, or those with many "
                         "categories",
                         ENCODER_INPUTS_MAX);
    if (n == 0)
        return error_set(error, BRAMBLE_ERR_DATA, "no feature has a value in any row; check the data");
    encoder->n_inputs = (uint32_t)n;
    return BRAMBLE_OK;
}

static void encode_category(const struct encoded_feature *feature, float value, float *to)
{
    bool known = value >= 0 && value < (float)feature->n_categories;
    for (uint32_t c = 0; c < feature->n_categories; c++) to[c] = 0;
    if (known) to[(uint32_t)value] = 1;
}

void encoder_encode_value(const struct encoder *encoder, uint32_t f, float value, float *row)
{
    if (encoder->pixels) {
        row[f] = value / 255.0f;
        return;
    }
    const struct encoded_feature *feature = &encoder->features[f];
    float *to = row + feature->first;
    bool missing = isnan(value);
    if (feature->encoding == ENCODING_PLACE)
        *to = missing ? 0 : value + (float)feature->base;
    else if (feature->encoding == ENCODING_NUMBER)
        *to = missing ? 0 : (float)(((double)value - (double)feature->mean) / (double)feature->deviation);
    else
        encode_category(feature, value, to);
    if (feature->indicator) to[feature_inputs(feature) - 1] = missing;
}

/* Some rows at a time: what a column's values are written to is then still in the cache at the next. */
static void encode_block(const struct encoder *encoder, const struct bramble_table *table, size_t first,
                         size_t n, float *out)
{
    for (uint32_t f = 0; f < encoder->n_features; f++) {
        bramble_feature_type type = table->schema.features[f].type;
        for (size_t i = 0; i < n; i++) {
            float value = column_value(&table->columns[f], type, first + i);
            encoder_encode_value(encoder, f, value, out + i * encoder->n_inputs);
        }
    }
}

void encoder_encode(const struct encoder *encoder, const struct bramble_table *table, size_t first, size_t n,
                    float *out)
{
    for (size_t at = 0; at < n; at += BLOCK_ROWS)
        encode_block(encoder, table, first + at, n - at < BLOCK_ROWS ? n - at : BLOCK_ROWS,
                     out + at * encoder->n_inputs);
}

void encoder_targets(const struct encoder *encoder, const struct bramble_table *table, size_t first, size_t n,
                     void *out)
{
    uint32_t *classes = out;
    float *values = out;
    for (size_t i = 0; i < n; i++)
        if (encoder->task == BRAMBLE_TASK_CLASSIFICATION)
            classes[i] = table->classes[first + i];
        else
            values[i] =
                (float)((table->values[first + i] - encoder->target_mean) / encoder->target_deviation);
}

/* The logarithm of 1 / (1 + exp(-x)). */
static double log_sigmoid(double x)
{
    return x < 0 ? x - log1p(exp(x)) : -log1p(exp(-x));
}

/* The softmax of the sigmoids' logarithms is the sigmoids divided by their sum, also where all are tiny. */
static double score(const struct encoder *encoder, float output)
{
    return encoder->one_vs_rest ? log_sigmoid((double)output) : (double)output;
}

void encoder_probabilities(const struct encoder *encoder, const float *outputs, float *out)
{
    float top = outputs[0];
    for (uint32_t c = 1; c < encoder->n_outputs; c++)
        if (outputs[c] > top) top = outputs[c];
    double sum = 0, best = score(encoder, top);
    for (uint32_t c = 0; c < encoder->n_outputs; c++) {
        out[c] = (float)exp(score(encoder, outputs[c]) - best);
        sum += (double)out[c];
    }
    for (uint32_t c = 0; c < encoder->n_outputs; c++) out[c] = (float)((double)out[c] / sum);
}
