/* Options and values that several commands share, so that the same word means the same everywhere. */
#ifndef CLI_COMMON_H
#define CLI_COMMON_H

#include <bramble/bramble.h>

#include "command.h"

extern const struct choice task_choices[], split_choices[];

enum { SPLIT_ANY = -1 }; /* no --split: the test part where there is one */

#define FIELD(values, field) offsetof(struct values, field)

#define OPTION_TARGET_AT(place)                                                                              \
    {                                                                                                        \
        .name = "target", .value = "COLUMN", .kind = OPTION_TEXT, .offset = place,                           \
        .fallback = "the last column",                                                                       \
        .help = "what to predict: a column's name, or its number from 0 (-1 is the last)",                   \
    }
#define OPTION_TARGET_BESIDE(values)                                                                         \
    {                                                                                                        \
        .name = "target", .value = "COLUMN", .kind = OPTION_TEXT, .offset = FIELD(values, target),           \
        .fallback = "the column the model was trained on",                                                   \
        .help = "the target's column in DATA, by name or by number from 0 (-1 is the last)",                 \
    }
#define OPTION_TASK_AT(place)                                                                                \
    {                                                                                                        \
        .name = "task", .value = "TASK", .kind = OPTION_CHOICE, .offset = place, .choices = task_choices,    \
        .fallback = "auto",                                                                                  \
        .help = "what the target is: classes or numbers; auto takes text, and at most 100 different whole "  \
                "numbers, as classes",                                                                       \
    }
#define OPTION_SAMPLE_WEIGHT_AT(place)                                                                       \
    {                                                                                                        \
        .name = "sample-weight", .value = "COLUMN", .kind = OPTION_TEXT, .offset = place,                    \
        .fallback = "every row weighs 1", .help = "column that holds each row's weight",                     \
    }
#define OPTION_IMAGE_SIZE_AT(place)                                                                          \
    {                                                                                                        \
        .name = "image-size", .value = "HxW", .kind = OPTION_SIZE, .offset = place,                          \
        .fallback = "the size that most images have, or 224x224 where those are large",                      \
        .help = "folders of images: fit each to this height and width in pixels",                            \
    }
#define OPTION_TARGET_OF(values) OPTION_TARGET_AT(FIELD(values, target))
#define OPTION_TASK_OF(values) OPTION_TASK_AT(FIELD(values, task))
#define OPTION_SAMPLE_WEIGHT_OF(values) OPTION_SAMPLE_WEIGHT_AT(FIELD(values, sample_weight))
#define OPTION_SPLIT_OF(values, otherwise)                                                                   \
    {                                                                                                        \
        .name = "split", .value = "PART", .kind = OPTION_CHOICE, .offset = FIELD(values, split),             \
        .choices = split_choices, .fallback = otherwise,                                                     \
        .help = "which part of data that hold a training and a test part",                                   \
    }
#define OPTION_THREADS_AT(place)                                                                             \
    {                                                                                                        \
        .name = "threads", .value = "N", .kind = OPTION_COUNT, .offset = place, .max = 1024,                 \
        .fallback = "0", .help = "threads to work on; 0 takes every processor",                              \
    }
#define OPTION_PLOT_OF(values)                                                                               \
    {                                                                                                        \
        .name = "plot", .value = "FILE", .kind = OPTION_TEXT, .offset = FIELD(values, plot),                 \
        .help = "also draw loss and accuracy over epochs into this file, which ends with .svg or .png",      \
    }
#define OPTION_JSON_OF(values)                                                                               \
    {                                                                                                        \
        .name = "json", .kind = OPTION_FLAG, .offset = FIELD(values, json),                                  \
        .help = "print one JSON object instead of text",                                                     \
    }

/* "classification" or "regression". */
const char *task_name(bramble_task task);

/* "byte", "number" or "category". */
const char *feature_type_name(bramble_feature_type type);

/* "12 byte, 3 number": how many features of each type; into buffer. */
void count_types(const bramble_schema *schema, char *buffer, size_t size);

/*
 * Reads the rows a model is to be tried on, as its schema says. `split` may be SPLIT_ANY; what was taken
 * goes to *taken, and with `say` a line about a choice nobody made goes to stderr.
 */
bramble_status read_for_model(bramble_table **out, const char *path, const bramble_read_options *options,
                              int split, bool say, bramble_split *taken, bramble_error *error);

/*
 * Fails unless `path` can be written, by beginning to: long work should not end at a locked door. `input`
 * (may be NULL) is a file that must not be overwritten by its own result.
 */
bramble_status check_output(const char *path, const char *input, bramble_error *error);

/* The same for a plot's file, whose name must end with .svg or .png. */
bramble_status check_plot(const char *path, bramble_error *error);

/* True when `name` ends with `ending` (".csv"). */
bool has_ending(const char *name, const char *ending);

#endif
