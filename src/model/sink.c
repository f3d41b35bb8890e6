#include "model/sink.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { WIRE_LENGTH_DELIMITED = 2 };

void sink_put(struct sink *sink, const void *bytes, size_t length)
{
    sink->bytes += length;
    if (sink->file) outfile_write(sink->file, bytes, length);
}

void sink_varint(struct sink *sink, uint64_t value)
{
    uint8_t bytes[10];
    size_t n = 0;
    for (; value >= 0x80; value >>= 7) bytes[n++] = (uint8_t)(value | 0x80);
    bytes[n++] = (uint8_t)value;
    sink_put(sink, bytes, n);
}

void sink_float(struct sink *sink, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint8_t bytes[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16), (uint8_t)(bits >> 24)};
    sink_put(sink, bytes, sizeof bytes);
}

void sink_field(struct sink *sink, uint32_t field, uint64_t length)
{
    sink_varint(sink, (uint64_t)field << 3 | WIRE_LENGTH_DELIMITED);
    sink_varint(sink, length);
}

uint64_t sink_field_bytes(uint32_t field, uint64_t length)
{
    struct sink counter = {0};
    sink_field(&counter, field, length);
    return counter.bytes + length;
}

bramble_status sink_message(struct sink *sink, const ProtobufCMessage *message, bramble_error *error)
{
    size_t length = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = mem_alloc(length, 1);
    if (!bytes) return error_memory(error, "a model's description");
    protobuf_c_message_pack(message, bytes);
    sink_put(sink, bytes, length);
    mem_free(bytes);
    return BRAMBLE_OK;
}
