/* What a model is trained and tested on, read as the options of bramble train say. */
#ifndef CLI_TRAIN_DATA_H
#define CLI_TRAIN_DATA_H

#include <bramble/bramble.h>

#include "common.h"
#include "report/progress.h"

/* As a command line gave them. */
struct train_source {
    const char *data, *test; /* test: NULL, or other data */
    const char *target, *sample_weight;
    bramble_task task;
    double holdout;         /* 0: none */
    uint32_t image_size[2]; /* {0, 0}: as most images are */
};

/* For the values' field `source`. */
#define OPTIONS_TRAIN_SOURCE_OF(values)                                                                      \
    OPTION_TARGET_AT(FIELD(values, source.target)), OPTION_TASK_AT(FIELD(values, source.task)),              \
        OPTION_IMAGE_SIZE_AT(FIELD(values, source.image_size)),                                              \
        {.name = "test",                                                                                     \
         .value = "DATA",                                                                                    \
         .kind = OPTION_TEXT,                                                                                \
         .offset = FIELD(values, source.test),                                                               \
         .fallback = "DATA's test part, where there is one",                                                 \
         .help = "data to test the model on"},                                                               \
    {                                                                                                        \
        .name = "holdout", .value = "SHARE", .kind = OPTION_NUMBER, .offset = FIELD(values, source.holdout), \
        .above_min = true, .max = 1, .below_max = true,                                                      \
        .help = "draw this share of the rows and test on them instead of training"                           \
    }

struct train_data {
    bramble_table *train, *test; /* test: NULL, when there are none */
    size_t n_rows, n_test_rows;
    uint64_t file_bytes; /* of the tables in a file, as memory cannot hold them */
    double load_seconds;
};

/* BRAMBLE_ERR_USAGE when both --test and --holdout name test data. */
bramble_status train_source_check(const struct train_source *source, bramble_error *error);

/* The test data are another file, rows set aside (drawn by `seed`), or the test part of the same path.
 * train_data_fini releases them, after a failure too. */
bramble_status train_data_read(struct train_data *out, const struct train_source *source, uint64_t seed,
                               struct progress *progress, bramble_error *error);
void train_data_fini(struct train_data *data);

/* Writes the model; a signal waits until the file is whole, and one that came before leaves none
 * (BRAMBLE_ERR_CANCELLED). *bytes is the file's size. */
bramble_status trained_model_save(const bramble_model *model, const char *path, uint64_t *bytes,
                                  bramble_error *error);

/* BRAMBLE_ERR_CANCELLED, in words. */
bramble_status training_stopped(bramble_error *error);

/* The most memory this process had so far. */
uint64_t peak_rss_bytes(void);

#endif
