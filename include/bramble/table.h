/*
 * bramble/table.h: data sets in memory.
 *
 * A table holds N rows of F features (numbers, bytes or categories), and usually a target and sometimes a
 * weight a row. It comes from a file or from the caller's arrays and is never changed by training.
 *
 *     bramble_table *train;
 *     bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
 *     options.target = "price";
 *     if (bramble_table_read(&train, "diamonds.csv", &options, &error)) ...
 *     bramble_table_free(train);
 *
 * Formats, recognised by content and then by name: CSV/TSV, IDX (a file, a pair or a folder as MNIST ships
 * them), folders of PNG and JPEG images, NPY, NPZ, libsvm/svmlight; all but NPZ also gzipped. docs/formats.md
 * describes each.
 */
#ifndef BRAMBLE_TABLE_H
#define BRAMBLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <bramble/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bramble_table bramble_table;
typedef struct bramble_schema bramble_schema;

typedef enum bramble_task {
    BRAMBLE_TASK_AUTO = 0,       /* text, or at most 100 different whole numbers: classes; else numbers */
    BRAMBLE_TASK_CLASSIFICATION, /* the target is one of C classes */
    BRAMBLE_TASK_REGRESSION,     /* the target is a number */
} bramble_task;

typedef enum bramble_split {
    BRAMBLE_SPLIT_TRAIN = 0, /* where a path holds both a training and a test part, the former */
    BRAMBLE_SPLIT_TEST,      /* ... the latter; BRAMBLE_ERR_DATA where there is none */
} bramble_split;

typedef enum bramble_feature_type {
    BRAMBLE_FEATURE_BYTE = 0, /* whole numbers 0..255, one byte a row, never missing */
    BRAMBLE_FEATURE_NUMBER,   /* float32, NaN where missing */
    BRAMBLE_FEATURE_CATEGORY, /* one of at most 255 texts, one byte a row */
} bramble_feature_type;

typedef struct bramble_read_options {
    const char *target; /* column NAME, or INDEX from 0 (negative counts from the end); NULL: the last */
    const char *sample_weight;    /* column NAME or INDEX that holds a weight a row; NULL: all rows weigh 1 */
    bramble_task task;            /* what the target is */
    bramble_split split;          /* which part of a path that holds two */
    const bramble_schema *schema; /* read as this says (columns found by name, else by position; categories
                                     and classes coded alike), for test and prediction data; NULL: find out */
    bool target_optional;         /* with a schema: data without the target column are fine */
    uint32_t image_size[2];       /* PNG and JPEG files: the height and width they are fitted to, as
                                     docs/formats.md says; {0, 0}: those of the schema, or else of most images */
} bramble_read_options;
#define BRAMBLE_READ_OPTIONS_INIT                                                                            \
    {                                                                                                        \
        NULL, NULL, BRAMBLE_TASK_AUTO, BRAMBLE_SPLIT_TRAIN, NULL, false,                                     \
        {                                                                                                    \
            0, 0                                                                                             \
        }                                                                                                    \
    }

/* Reads PATH. *out is the caller's to free. Streams: peak memory is about 1.3 times the finished table. */
BRAMBLE_API bramble_status bramble_table_read(bramble_table **out, const char *path,
                                              const bramble_read_options *options, bramble_error *error);

/* True when PATH holds a training and a test part (a folder with both, an NPZ with x_test). Reads names
 * only. */
BRAMBLE_API bool bramble_path_has_test(const char *path);

/*
 * A table from arrays, copied. x: N x F, row-major, NaN for missing. y: N class labels (whole numbers) or
 * target values, or NULL. weight: N weights >= 0, or NULL. Features are named x0, x1, ...
 */
BRAMBLE_API bramble_status bramble_table_from_arrays(bramble_table **out, size_t n_rows, uint32_t n_features,
                                                     const float *x, const double *y, const double *weight,
                                                     bramble_task task, bramble_error *error);

/* NULL is fine. */
BRAMBLE_API void bramble_table_free(bramble_table *table);

/*
 * Moves about `fraction` (0 < fraction < 1, at least one row each side) of the rows, drawn by `seed`, into
 * a new table *test; both keep the order of their rows. Memory: one column more than the two tables.
 */
BRAMBLE_API bramble_status bramble_table_holdout(bramble_table *table, double fraction, uint64_t seed,
                                                 bramble_table **test, bramble_error *error);

/* What is in it. Everything returned is borrowed and lives as long as the table. */
BRAMBLE_API size_t bramble_table_n_rows(const bramble_table *table);
BRAMBLE_API const bramble_schema *bramble_table_schema(const bramble_table *table);
BRAMBLE_API bool bramble_table_has_target(const bramble_table *table);
BRAMBLE_API bool bramble_table_has_weight(const bramble_table *table);
BRAMBLE_API const char *bramble_table_format(
    const bramble_table *table); /* "csv", "idx", "images", "npy", "npz", "libsvm", "array" */
BRAMBLE_API size_t bramble_table_bytes(const bramble_table *table); /* what the columns take */
BRAMBLE_API size_t bramble_table_file_bytes(
    const bramble_table *table); /* of them in a file of the cache folder, as memory cannot hold them */
BRAMBLE_API uint64_t
bramble_table_checksum(const bramble_table *table); /* XXH3 of all values; same data, same sum */
BRAMBLE_API uint64_t bramble_table_n_missing(const bramble_table *table, uint32_t feature);
/* Least and greatest value of a number or byte feature (false when it has none). O(N). */
BRAMBLE_API bool bramble_table_range(const bramble_table *table, uint32_t feature, double *min, double *max);
/* Rows of class c. O(N). */
BRAMBLE_API uint64_t bramble_table_class_count(const bramble_table *table, uint32_t c);

/* The schema: what each column means, without the rows. */
BRAMBLE_API uint32_t bramble_schema_n_features(const bramble_schema *schema);
BRAMBLE_API const char *bramble_schema_feature_name(const bramble_schema *schema, uint32_t feature);
BRAMBLE_API bramble_feature_type bramble_schema_feature_type(const bramble_schema *schema, uint32_t feature);
BRAMBLE_API uint32_t bramble_schema_n_categories(const bramble_schema *schema, uint32_t feature);
BRAMBLE_API const char *bramble_schema_category(const bramble_schema *schema, uint32_t feature,
                                                uint32_t category);
/* True when the features are the pixels of images; then also their height and width. */
BRAMBLE_API bool bramble_schema_image_size(const bramble_schema *schema, uint32_t size[2]);
BRAMBLE_API const char *bramble_schema_target_name(const bramble_schema *schema);
BRAMBLE_API bramble_task bramble_schema_task(const bramble_schema *schema); /* AUTO when there is no target */
BRAMBLE_API uint32_t bramble_schema_n_classes(const bramble_schema *schema); /* 0 for regression */
BRAMBLE_API const char *bramble_schema_class_name(const bramble_schema *schema, uint32_t c);

#ifdef __cplusplus
}
#endif
#endif
