/*
 * A data set in memory: one typed array a column (columns are what training sweeps).
 */
#ifndef DATA_TABLE_H
#define DATA_TABLE_H

#include "data/schema.h"
#include "data/spill.h"

/* The values of one feature, N of them, of the type its schema entry says. */
struct column {
    union {
        uint8_t *bytes; /* BYTE */
        float *numbers; /* NUMBER; NaN is missing, infinities do not occur */
        uint8_t *codes; /* CATEGORY; CATEGORY_MISSING is missing */
        void *any;
    };
    uint64_t n_missing;
};

struct bramble_table {
    const char *format; /* static: "csv", "idx", ... */
    size_t n_rows;      /* N, at least 1 */
    struct bramble_schema schema;
    struct column *columns; /* F */
    uint16_t *classes;      /* N class numbers, classification only */
    double *values;         /* N target values, finite, regression only */
    double *weights;        /* N, finite and >= 0, not all 0; NULL: all 1 */
    struct spill *spill;    /* holds all these arrays; NULL: the table is not to be freed by table_free */
};

/* Bytes a value of this type takes. */
size_t feature_type_size(bramble_feature_type type);

/* Value of row r as a model sees it: a float, a category's number, NaN for missing. */
static inline float column_value(const struct column *column, bramble_feature_type type, size_t row)
{
    if (type == BRAMBLE_FEATURE_NUMBER) return column->numbers[row];
    uint8_t code = column->bytes[row];
    if (type == BRAMBLE_FEATURE_CATEGORY && code == CATEGORY_MISSING) return __builtin_nanf("");
    return (float)code;
}

void table_free(struct bramble_table *table); /* NULL and half-built ones are fine */

/* The work behind the functions of the same name in bramble/table.h. */
bramble_status table_read(struct bramble_table **out, const char *path, const bramble_read_options *options,
                          bramble_error *error);
bool table_path_has_test(const char *path);
bramble_status table_from_arrays(struct bramble_table **out, size_t n_rows, uint32_t n_features,
                                 const float *x, const double *y, const double *weight, bramble_task task,
                                 bramble_error *error);
bramble_status table_holdout(struct bramble_table *table, double fraction, uint64_t seed,
                             struct bramble_table **test, bramble_error *error);

size_t table_bytes(const struct bramble_table *table);      /* that columns, target and weights take */
size_t table_file_bytes(const struct bramble_table *table); /* of them in a file (data/spill.h) */
bool table_range(const struct bramble_table *table, uint32_t feature, double *min, double *max);

/* XXH3-64 over the values of every column, target and weight (not over names). */
uint64_t table_checksum(const struct bramble_table *table);

#endif
