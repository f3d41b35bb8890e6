/*
 * How rows of a table become the numbers that a network takes, and its outputs targets again.
 *
 * What must be known for that is learned from the training rows and kept with the model:
 *
 *   pixels        x / 255
 *   number, byte  (x - mean) / deviation; missing: 0, which is the mean
 *   category      one number a category, 1 for its own and else 0 (missing: all 0)
 *   class         its number; one_vs_rest: a 1 for its own and 0 for each other, which the loss is given
 *   place         the value itself; a category its number, from 1 on; missing: 0
 *   target        (y - mean) / deviation, undone in predictions
 *
 * Places are for what a network looks up in embeddings.
 * A feature with missing training values gets a further number, 1 where it is missing, right behind its own.
 * Images lie as height x width x channels, so channels are a pixel's neighbours.
 */
#ifndef DATA_ENCODER_H
#define DATA_ENCODER_H

#include "data/table.h"

enum { ENCODER_CHANNELS_MAX = 4, ENCODER_INPUTS_MAX = 1 << 24 };

#define ENCODER_NO_TABLE UINT32_MAX

enum encoding {
    ENCODING_NUMBER,  /* one number */
    ENCODING_ONE_HOT, /* n_categories numbers */
    ENCODING_PLACE,   /* one whole number */
};

struct encoded_feature {
    enum encoding encoding;
    bool indicator;        /* followed by a number that is 1 where the value is missing, else 0 */
    uint32_t n_categories; /* 0 for a NUMBER */
    uint32_t first;        /* its first number's place among the inputs; follows from those before it */
    uint32_t base;         /* of a PLACE: what is added to a value */
    float mean, deviation; /* of a NUMBER; deviation > 0, 1 for a feature that never varies */
};

struct encoder {
    uint32_t n_features; /* F of the table */
    uint32_t n_inputs;   /* numbers a row becomes: D */
    uint32_t shape[3];   /* height, width, channels of an image, D in all; 0 where rows are no images */
    bool pixels;         /* an image of bytes: there are no `features` */
    struct encoded_feature *features; /* F, or NULL for pixels */
    bramble_task task;                /* AUTO: the table had no target */
    uint32_t n_outputs;               /* C for classes, 1 for a regression, 0 without a target */
    bool one_vs_rest; /* each class is told from the rest by its own output's sigmoid; else by the softmax of
                         all. The trainer decides: encoder_init leaves it false */
    double target_mean, target_deviation; /* regression; else 0, 1 */
};

/* Rows of a table that are learned from. */
struct encoder_rows {
    const uint32_t *numbers; /* n, or NULL: the first n */
    size_t n;                /* at least 1 */
};

/* Learns from these rows of the training table (NULL: all); *out is empty on failure. BRAMBLE_ERR_DATA beyond
 * ENCODER_INPUTS_MAX inputs. O(N F). */
bramble_status encoder_init(struct encoder *out, const struct bramble_table *table,
                            const struct encoder_rows *rows, bramble_error *error);
/* The same for a network that takes one number a feature and looks some of them up. tables[F]: features with
 * the same number there share an embedding, so their categories are numbered through; ENCODER_NO_TABLE: it is
 * not looked up. BRAMBLE_ERR_DATA for images. */
bramble_status encoder_init_places(struct encoder *out, const struct bramble_table *table,
                                   const struct encoder_rows *rows, const uint32_t *tables,
                                   bramble_error *error);
void encoder_fini(struct encoder *encoder); /* zeroed ones too */
bramble_status encoder_copy(struct encoder *out, const struct encoder *encoder, bramble_error *error);

/* Rows first..first + n - 1 into out[n][D]. The table has the features of the one learned from, by type too
 * where it was read with that one's schema. A column at a time: for prediction; training gathers from struct
 * rows (data/rows.h). */
void encoder_encode(const struct encoder *encoder, const struct bramble_table *table, size_t first, size_t n,
                    float *out);

/* One value of feature f (as column_value has it, NaN for missing) into its place in a row's numbers. */
void encoder_encode_value(const struct encoder *encoder, uint32_t f, float value, float *row);

/* Targets of rows first..first + n - 1: n uint32_t classes, or n standardised floats. The table has one. */
void encoder_targets(const struct encoder *encoder, const struct bramble_table *table, size_t first, size_t n,
                     void *out);
/* The target that an output of a regression stands for. */
static inline double encoder_target_value(const struct encoder *encoder, float output)
{
    return encoder->target_mean + encoder->target_deviation * (double)output;
}

/* Probabilities of the C classes from a row's outputs, which may be the same array: the softmax of all, or
 * with one_vs_rest the sigmoid of each divided by their sum, as scikit-learn's OneVsRestClassifier has it. */
void encoder_probabilities(const struct encoder *encoder, const float *outputs, float *out);

/* A terminated text, to be released with mem_free; the numbers come back from it bit for bit. */
bramble_status encoder_to_json(char **out, const struct encoder *encoder, bramble_error *error);
/* *out is empty on failure. Everything is checked, also that it fits `schema`; `name` is the file's, for
 * messages. */
bramble_status encoder_from_json(struct encoder *out, const char *json, const char *name,
                                 const struct bramble_schema *schema, bramble_error *error);

#endif
