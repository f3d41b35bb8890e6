/* Forests in tests: grown or the test fails, compared by hash, judged on the rows of a table. */
#ifndef TESTS_FOREST_FORESTS_H
#define TESTS_FOREST_FORESTS_H

#include "array_tables.h"

#include "forest/forest.h"

static const bramble_forest_options forest_defaults = BRAMBLE_FOREST_OPTIONS_INIT;

static inline struct forest *grow(const struct bramble_table *table, const bramble_forest_options *options)
{
    struct forest *forest = NULL;
    bramble_error error;
    if (forest_fit(&forest, table, options, NULL, &error)) fail_msg("%s", error.message);
    return forest;
}

struct hash {
    char text[33];
};

static inline struct hash grow_hash(const struct bramble_table *table, const bramble_forest_options *options)
{
    struct forest *forest = grow(table, options);
    struct hash hash;
    forest_hash(forest, hash.text);
    forest_free(forest);
    return hash;
}

/* Class shares or values for each row of the table; the caller's to free. */
static inline float *predict(const struct forest *forest, const struct bramble_table *table)
{
    size_t n = table->n_rows, width = forest->n_features;
    float *x = malloc(n * width * sizeof *x), *out = malloc(n * (forest->n_classes + 1) * sizeof *out);
    assert_true(x && out);
    for (uint32_t f = 0; f < width; f++)
        for (size_t i = 0; i < n; i++)
            x[i * width + f] = column_value(&table->columns[f], table->schema.features[f].type, i);
    forest_predict_rows(forest, x, n, out);
    free(x);
    return out;
}

static inline uint32_t greatest(const float *share, uint32_t n_classes)
{
    uint32_t best = 0;
    for (uint32_t c = 1; c < n_classes; c++)
        if (share[c] > share[best]) best = c;
    return best;
}

static inline double accuracy(const struct forest *forest, const struct bramble_table *table)
{
    float *share = predict(forest, table);
    size_t right = 0;
    for (size_t i = 0; i < table->n_rows; i++)
        right += greatest(share + i * forest->n_classes, forest->n_classes) == table->classes[i];
    free(share);
    return (double)right / (double)table->n_rows;
}

static inline double r2(const struct forest *forest, const struct bramble_table *table)
{
    float *value = predict(forest, table);
    double mean = 0, residual = 0, spread = 0;
    for (size_t i = 0; i < table->n_rows; i++) mean += table->values[i] / (double)table->n_rows;
    for (size_t i = 0; i < table->n_rows; i++) {
        residual += (table->values[i] - (double)value[i]) * (table->values[i] - (double)value[i]);
        spread += (table->values[i] - mean) * (table->values[i] - mean);
    }
    free(value);
    return 1 - residual / spread;
}

/* How a mixed table is to be. */
struct mixture {
    uint32_t n_classes; /* 0: regression */
    bool weights, missing;
    uint64_t seed;
};

/*
 * n rows of 8 features: 0 a byte, 1 to 5 numbers, 6 and 7 categories (6 and 12 of them). 0, 1 and 6 tell
 * about the target, and so does it when 2 is missing; the others are noise.
 */
static inline struct bramble_table *mixed_table(size_t n, struct mixture mix)
{
    enum { F = 8 };
    float *x = malloc(n * F * sizeof *x);
    double *y = malloc(n * sizeof *y), *w = malloc(n * sizeof *w);
    assert_true(x && y && w);
    struct rng rng;
    rng_init(&rng, mix.seed, RNG_HOLDOUT, 77, 0);
    for (size_t i = 0; i < n; i++) {
        float *row = x + i * F;
        row[0] = (float)rng_below(&rng, 200);
        for (int f = 1; f < 6; f++) row[f] = (float)draw_normal(&rng);
        row[6] = (float)rng_below(&rng, 6);
        row[7] = (float)rng_below(&rng, 12);
        bool gone = mix.missing && rng_below(&rng, 5) == 0;
        if (gone) row[2] = NAN;
        if (mix.missing && rng_below(&rng, 9) == 0) row[7] = NAN;
        double signal =
            row[0] / 50 + row[1] + ((int)row[6] % 2 ? 2 : 0) + (gone ? 3 : 0) + 0.3 * draw_normal(&rng);
        y[i] = signal;
        if (mix.n_classes) y[i] = fmin(mix.n_classes - 1, fmax(0, floor((signal + 1) / 7 * mix.n_classes)));
        w[i] = (double)rng_below(&rng, 5) / 4;
    }
    w[0] = 1;
    struct bramble_table *table =
        table_of(n, F, x, y, mix.weights ? w : NULL,
                 mix.n_classes ? BRAMBLE_TASK_CLASSIFICATION : BRAMBLE_TASK_REGRESSION);
    table_set_categories(table, 6, 6);
    table_set_categories(table, 7, 12);
    free(x);
    free(y);
    free(w);
    return table;
}

#endif
