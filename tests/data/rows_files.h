/* Small training rows of every kind in tests, and files of them. */
#ifndef TESTS_DATA_ROWS_FILES_H
#define TESTS_DATA_ROWS_FILES_H

#include "array_tables.h"
#include "scratch.h"

#include "data/batches.h"
#include "data/rows_file.h"

enum { N = 60, N_VALIDATION = 13, F = 6 };

enum kind { IMAGES, IMAGES_OF_NUMBERS, MIXED, WEIGHTED, REGRESSION, PLACES, KINDS };

struct data {
    struct bramble_table *table;
    struct encoder encoder;
    struct rows rows;
};

/* 2 x 3 pixels. */
static inline void data_fill_image(struct rng *rng, bool bytes, float x[F])
{
    for (int f = 0; f < F; f++) x[f] = bytes ? (float)rng_below(rng, 256) : (float)draw_normal(rng);
}

/* A byte, numbers, numbers with gaps, categories with gaps, a number that never varies, a byte. */
static inline void data_fill_mixed(struct rng *rng, float x[F])
{
    x[0] = (float)rng_below(rng, 256);
    x[1] = (float)draw_normal(rng);
    x[2] = rng_below(rng, 4) ? (float)draw_normal(rng) : NAN;
    x[3] = rng_below(rng, 4) ? (float)rng_below(rng, 9) : NAN;
    x[4] = 0.5F;
    x[5] = (float)rng_below(rng, 9);
}

static inline struct bramble_table *data_table(enum kind kind)
{
    static float x[N * F];
    static double y[N], w[N];
    bool image = kind == IMAGES || kind == IMAGES_OF_NUMBERS, classify = kind != REGRESSION;
    struct rng rng;
    rng_init(&rng, 5, RNG_HOLDOUT, (uint32_t)kind, 0);
    for (size_t i = 0; i < N; i++) {
        if (image)
            data_fill_image(&rng, kind == IMAGES, x + i * F);
        else
            data_fill_mixed(&rng, x + i * F);
        y[i] = classify ? rng_below(&rng, 3) * 10 : 100 + 7 * draw_normal(&rng);
        w[i] = (double)rng_below(&rng, 3);
    }
    struct bramble_table *table = table_of(N, F, x, y, kind == WEIGHTED ? w : NULL,
                                           classify ? BRAMBLE_TASK_CLASSIFICATION : BRAMBLE_TASK_REGRESSION);
    if (image) table->schema.shape[0] = 2, table->schema.shape[1] = 3;
    if (!image) table_set_categories(table, 3, 9);
    return table;
}

static inline struct data *data_new(enum kind kind)
{
    static const uint32_t tables[F] = {1, ENCODER_NO_TABLE, ENCODER_NO_TABLE, 1, ENCODER_NO_TABLE, 2};
    struct data *d = mem_zalloc(1, sizeof *d);
    bramble_error error = {0};
    d->table = data_table(kind);
    bramble_status status = kind == PLACES ? encoder_init_places(&d->encoder, d->table, NULL, tables, &error)
                                           : encoder_init(&d->encoder, d->table, NULL, &error);
    d->encoder.one_vs_rest = kind == WEIGHTED;
    if (!status) status = rows_init(&d->rows, d->table, &d->encoder, &error);
    if (status) fail_msg("%s", error.message);
    return d;
}

static inline void data_free(struct data *d)
{
    rows_fini(&d->rows);
    encoder_fini(&d->encoder);
    bramble_table_free(d->table);
    mem_free(d);
}

static inline const char *data_write(struct scratch *scratch, const char *name, const struct data *d)
{
    bramble_error error;
    if (rows_file_write(scratch_path(scratch, name), &d->rows, N_VALIDATION, &d->encoder, &error))
        fail_msg("%s", error.message);
    return scratch->path;
}

static inline struct rows_file *must_open(const char *path)
{
    struct rows_file *file = NULL;
    bramble_error error;
    if (rows_file_open(&file, path, &error)) fail_msg("%s", error.message);
    return file;
}

static inline struct batches *batches_start(const struct encoder *encoder, const struct rows *rows,
                                            bool augment)
{
    struct batches *batches = NULL;
    struct batches_options options = BATCHES_OPTIONS_INIT;
    bramble_error error = {0};
    options.batch_size = 8;
    options.augment.flip = augment;
    if (batches_new(&batches, encoder, rows, &options, (struct batches_state){0}, &error))
        fail_msg("%s", error.message);
    return batches;
}

#endif
