/* A network's model before and after training: built for a table from a preset or a file, and copied. */
#ifndef TRAIN_NET_MODEL_H
#define TRAIN_NET_MODEL_H

#include <bramble/net.h>

#include "model/model.h"
#include "net/places.h"

/* Which features of a table with this schema the network of the options looks up: *out (mem_free) has a place
 * for each, or is NULL where it looks up none, or cannot be built for such a table: net_model_build says why.
 */
bramble_status net_model_places(struct net_place **out, const bramble_net_options *options,
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
