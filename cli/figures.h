/* How good a model is, in text and JSON. */
#ifndef CLI_FIGURES_H
#define CLI_FIGURES_H

#include <bramble/bramble.h>

#include "json_out.h"

/* "accuracy 87.71 %, log-loss 0.4012, macro-F1 0.8765" or "R2 0.9812, RMSE 534.2, MAE 281.9"; no newline. */
void figures_print(const bramble_evaluation *evaluation);

/* accuracy, log_loss, macro_f1, or rmse, mae, r2. */
void figures_put(struct json_out *out, const bramble_evaluation *evaluation);

/* The confusion matrix, or where it does not fit the `columns` the most frequent mistakes. */
void figures_print_confusion(const bramble_evaluation *evaluation, const bramble_schema *schema,
                             unsigned columns);
void figures_put_confusion(struct json_out *out, const bramble_evaluation *evaluation);

/* The names of the classes as a list under "classes"; nothing for regression. */
void figures_put_classes(struct json_out *out, const bramble_schema *schema);

#endif
