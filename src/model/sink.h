/*
 * Where the bytes of a file go: written on, or only counted, so that one piece of code both measures and
 * writes. Speaks the few words of protocol buffers' wire format that large repeated fields need
 * (protobuf.dev, "Encoding"); everything small is packed by protobuf-c.
 */
#ifndef MODEL_SINK_H
#define MODEL_SINK_H

#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

#include "base/outfile.h"

struct sink {
    struct outfile *file; /* NULL: count only */
    uint64_t bytes;       /* so far */
};

void sink_put(struct sink *sink, const void *bytes, size_t length);
void sink_varint(struct sink *sink, uint64_t value);
void sink_float(struct sink *sink, float value);
/* Begins field number `field` that holds `length` bytes: a text, a message or packed numbers. */
void sink_field(struct sink *sink, uint32_t field, uint64_t length);
/* Bytes of such a field, with its beginning. */
uint64_t sink_field_bytes(uint32_t field, uint64_t length);
/* Puts all of a (small) message. */
bramble_status sink_message(struct sink *sink, const ProtobufCMessage *message, bramble_error *error);

#endif
