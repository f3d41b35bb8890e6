/*
 * An allocator for unpacking protocol buffers that others wrote. Short messages unpack into large structures
 * and messages may lie in each other to any depth, so it hands out no more than it was given and refuses once
 * the unpacker, which recurses, has gone too deep into the stack.
 */
#ifndef MODEL_BOUNDED_H
#define MODEL_BOUNDED_H

#include <stdbool.h>

#include <protobuf-c/protobuf-c.h>

struct bounded {
    ProtobufCAllocator allocator; /* to be passed on; its allocator_data is this structure */
    size_t left;                  /* bytes it may still hand out */
    const char *stack;
    bool out_of_memory; /* why the last refusal was */
};

/* For a message of `bytes`. Not to be copied; used in the function that calls this or below. */
void bounded_init(struct bounded *bounded, size_t bytes);

#endif
