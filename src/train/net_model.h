/* A network's model before and after training: built for a table from a preset or a file, and copied. */
#ifndef TRAIN_NET_MODEL_H
#define TRAIN_NET_MODEL_H

#include <bramble/net.h>

#include "model/model.h"

/* Whether the network of the options takes places (data/encoder.h). False where it cannot be built for a
 * table with this schema: net_model_build says why. */
bramble_status net_model_takes_places(bool *places, const bramble_net_options *options,
                                      const struct bramble_schema *schema, bramble_error *error);

/*
 * A model whose network takes rows as `encoder` makes them and puts out as many numbers as it says, with the
 * weights that training begins with. The encoder is copied. BRAMBLE_ERR_DATA, naming row and feature, where
 * the table has a place that an embedding lacks.
 */
bramble_status net_model_build(struct bramble_model **out, const struct bramble_table *table,
                               const struct encoder *encoder, const bramble_net_options *options,
                               bramble_error *error);

bramble_status net_model_copy(struct bramble_model **out, const struct bramble_model *model,
                              bramble_error *error);

#endif
