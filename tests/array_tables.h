/* Tables for tests: from arrays, which must be fine, and columns of categories, which arrays do not have. */
#ifndef TESTS_ARRAY_TABLES_H
#define TESTS_ARRAY_TABLES_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "data/table.h"

/* weight may be NULL. */
static inline struct bramble_table *table_of(size_t n, uint32_t n_features, const float *x, const double *y,
                                             const double *weight, bramble_task task)
{
    struct bramble_table *table = NULL;
    bramble_error error;
    if (bramble_table_from_arrays(&table, n, n_features, x, y, weight, task, &error))
        fail_msg("%s", error.message);
    return table;
}

/* Makes column f, of whole numbers below n_categories or NaN, one of categories "c0", "c1", ... */
static inline void table_set_categories(struct bramble_table *table, uint32_t f, uint32_t n_categories)
{
    struct feature *feature = &table->schema.features[f];
    uint8_t *codes = mem_alloc(table->n_rows, 1);
    assert_non_null(codes);
    for (size_t i = 0; i < table->n_rows; i++) {
        float x = column_value(&table->columns[f], feature->type, i);
        assert_true(isnan(x) || x < (float)n_categories);
        codes[i] = isnan(x) ? CATEGORY_MISSING : (uint8_t)x;
    }
    table->columns[f].any = spill_resize(table->spill, table->columns[f].any, table->n_rows, 1);
    memcpy(table->columns[f].codes, codes, table->n_rows);
    mem_free(codes);
    feature->type = BRAMBLE_FEATURE_CATEGORY;
    feature->n_categories = n_categories;
    feature->categories = mem_alloc(n_categories, sizeof *feature->categories);
    assert_non_null(feature->categories);
    for (uint32_t c = 0; c < n_categories; c++) {
        char name[16];
        snprintf(name, sizeof name, "c%u", c);
        feature->categories[c] = mem_strdup(name);
        assert_non_null(feature->categories[c]);
    }
}

/* A standard normal number, near enough: twelve uniform ones. */
static inline double draw_normal(struct rng *rng)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) sum += rng_double(rng);
    return sum;
}

#endif
