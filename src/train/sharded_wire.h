/* What members of a sharded forest tell each other about a node, as bytes. */
#ifndef TRAIN_SHARDED_WIRE_H
#define TRAIN_SHARDED_WIRE_H

#include "base/str.h"
#include "forest/shared_tree.h"

/* Bytes that are read from front to back; what does not fit makes it fail for good. */
struct wire_reader {
    const uint8_t *at;
    size_t left;
    bool failed;
};

void wire_put_offer(struct str *out, const struct offer *offer);
struct offer wire_get_offer(struct wire_reader *in, uint32_t n_features);

void wire_put_question(struct str *out, const struct question *question, const uint8_t *sides, size_t n_rows);
/* *sides points into what is read. Fails unless the question and the sides make sense for a node of n_rows
 * and features begin..end - 1. */
struct question wire_get_question(struct wire_reader *in, size_t n_rows, uint32_t begin, uint32_t end,
                                  const uint8_t **sides);

#endif
