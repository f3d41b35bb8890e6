/* What learning an encoder and reading one back share. */
#ifndef DATA_ENCODER_PARTS_H
#define DATA_ENCODER_PARTS_H

#include "data/encoder.h"

/* What follows from the schema alone: sizes, shape, whether it is an image of bytes, task, outputs; and
 * `features` of the encodings to expect, with mean 0 and deviation 1. *out is empty on failure. */
bramble_status encoder_from_schema(struct encoder *out, const struct bramble_schema *schema,
                                   bramble_error *error);

/* Gives every feature its place, once encodings and indicators are settled, and counts the inputs. */
bramble_status encoder_place(struct encoder *encoder, bramble_error *error);

#endif
