/*
 * bramble/model.h: trained models: on disk, at work and under the microscope.
 *
 * Models are ONNX files (forests: ai.onnx.ml TreeEnsembleClassifier or TreeEnsembleRegressor; float input
 * [N, F]) that any ONNX program can run; the names, settings and checksums bramble needs are in the file's
 * metadata.
 */
#ifndef BRAMBLE_MODEL_H
#define BRAMBLE_MODEL_H

#include <bramble/table.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bramble_model bramble_model;

/* *out is the caller's to free. A file that is not a bramble model is refused; nothing in it is executed. */
BRAMBLE_API bramble_status bramble_model_load(bramble_model **out, const char *path, bramble_error *error);

/* Appears whole or not at all: written beside PATH, synced, then renamed over it. */
BRAMBLE_API bramble_status bramble_model_save(const bramble_model *model, const char *path,
                                              bramble_error *error);

/* NULL is fine. */
BRAMBLE_API void bramble_model_free(bramble_model *model);

typedef struct bramble_model_info {
    const char *kind; /* "forest" or "network"; what a network has none of is 0 */
    bramble_task task;
    uint32_t n_features; /* F */
    uint32_t n_classes;  /* C, 0 for regression */
    uint32_t n_trees;    /* T */
    uint64_t n_nodes;    /* inner nodes and leaves of all trees */
    uint64_t n_leaves;
    uint32_t max_depth;    /* of the deepest tree; a lone leaf has 0 */
    double oob_score;      /* accuracy or R2 on rows no tree saw; NaN when not asked for */
    uint32_t n_layers;     /* of a network, as bramble_model_layer counts them; a forest has 0 of all these */
    uint64_t n_parameters; /* numbers that training changes */
    uint64_t n_macs;       /* multiply-adds that a row's prediction takes */
    uint64_t weight_bytes; /* of all parameters, and what is kept beside them */
    uint64_t row_bytes;    /* of what layers hand on when one row is predicted */
    char hash[33]; /* of the trees or weights alone, hexadecimal: the same forest or network, the same hash */
} bramble_model_info;

BRAMBLE_API void bramble_model_info_get(const bramble_model *model, bramble_model_info *info);

/* A network's layer; all texts and numbers are the model's. */
typedef struct bramble_layer {
    const char *name, *op; /* op: ONNX's name for what it does: "Conv" */
    uint32_t rank;         /* of its output, for one row */
    const uint32_t *shape; /* rank numbers; images: height, width, channels */
    uint64_t n_parameters, n_macs;
    uint64_t row_bytes; /* of its outputs, for one row */
} bramble_layer;

/* Layer `i` in the order in which they work, from 0; false when there is none, and for a forest. */
BRAMBLE_API bool bramble_model_layer(const bramble_model *model, uint32_t i, bramble_layer *out);

/* How the input must look; borrowed. */
BRAMBLE_API const bramble_schema *bramble_model_schema(const bramble_model *model);

/* Seed, parameters, data checksum, version: `i` from 0 until it returns false. Borrowed. */
BRAMBLE_API bool bramble_model_setting(const bramble_model *model, uint32_t i, const char **key,
                                       const char **value);

/* Impurity-based importances, F values that sum to 1 (all 0 when no tree ever split). Borrowed.
 * NULL: the model is a network. */
BRAMBLE_API const double *bramble_model_importances(const bramble_model *model);

/*
 * Prediction. Rows of `table` (read with the model's schema) or of x, N x F row-major float32 with NaN for
 * missing and a category's number for a category. threads: 0 for all processors.
 * predict:       out[N], the class number (first of the most probable) or the value.
 * predict_proba: out[N * C], row-major; classification only.
 * A network takes pixels and numbers as they are in the data, and scales and encodes them itself.
 * Forests: O(N T depth), single-precision sums in tree order, as ONNX Runtime does them. Networks: O(N macs).
 */
BRAMBLE_API bramble_status bramble_model_predict(const bramble_model *model, const bramble_table *table,
                                                 uint32_t threads, double *out, bramble_error *error);
BRAMBLE_API bramble_status bramble_model_predict_proba(const bramble_model *model, const bramble_table *table,
                                                       uint32_t threads, float *out, bramble_error *error);
BRAMBLE_API bramble_status bramble_model_predict_rows(const bramble_model *model, const float *x,
                                                      size_t n_rows, uint32_t threads, double *out,
                                                      bramble_error *error);
BRAMBLE_API bramble_status bramble_model_predict_proba_rows(const bramble_model *model, const float *x,
                                                            size_t n_rows, uint32_t threads, float *out,
                                                            bramble_error *error);

/* Figures of a model on a table that has its target; sample weights, where there are, count. */
typedef struct bramble_evaluation {
    size_t n_rows;
    double accuracy, log_loss, macro_f1; /* classification, else NaN */
    double rmse, mae, r2;                /* regression, else NaN */
    uint32_t n_classes;                  /* C */
    double *confusion;                   /* C x C, row: truth, column: prediction; NULL for regression */
} bramble_evaluation;

/* Fills *out; bramble_evaluation_fini releases what it holds. */
BRAMBLE_API bramble_status bramble_model_evaluate(const bramble_model *model, const bramble_table *table,
                                                  uint32_t threads, bramble_evaluation *out,
                                                  bramble_error *error);
BRAMBLE_API void bramble_evaluation_fini(bramble_evaluation *evaluation);

typedef enum bramble_tree_format { BRAMBLE_TREE_TEXT = 0, BRAMBLE_TREE_DOT } bramble_tree_format;

/* Tree `tree` (from 0) as indented text or Graphviz; *out is the caller's, release with bramble_string_free.
 */
BRAMBLE_API bramble_status bramble_model_tree_print(const bramble_model *model, uint32_t tree,
                                                    bramble_tree_format format, char **out,
                                                    bramble_error *error);
BRAMBLE_API void bramble_string_free(char *string);

#ifdef __cplusplus
}
#endif
#endif
