/* A network's predictions: rows encoded, run through it, and its outputs made classes, probabilities or
 * values. */
#ifndef API_NET_PREDICTION_H
#define API_NET_PREDICTION_H

#include "api/prediction.h"

/* As prediction_run, for a model that is a network. */
bramble_status net_prediction_run(const struct bramble_model *model, const struct prediction_rows *rows,
                                  uint32_t threads, const struct prediction_outputs *out,
                                  bramble_error *error);

#endif
