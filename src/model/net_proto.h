/*
 * Building an ONNX graph as protobuf-c's structures, piece by piece. All pieces belong to the builder and go
 * with it. The first failed allocation sticks: from then on nothing is added, and pieces that could not be
 * made are NULL, which every function here takes.
 */
#ifndef MODEL_NET_PROTO_H
#define MODEL_NET_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/onnx.pb-c.h"

struct proto_block;

struct proto_builder {
    Onnx__GraphProto graph;
    struct proto_block *blocks;
    bool failed;
    size_t node_room, initialiser_room, input_room, output_room;
    uint32_t n_names; /* given out by proto_name */
};

void proto_init(struct proto_builder *builder);
void proto_fini(struct proto_builder *builder);

void *proto_alloc(struct proto_builder *builder, size_t count, size_t size); /* cleared */
/* "kind.NAME", or "kind.N" with a number of its own when name is NULL. */
char *proto_name(struct proto_builder *builder, const char *kind, const char *name);

/* The names are borrowed, from the builder or for as long as it lives; NULL or "" for one that is not there.
 * A node of one output returns its name. */
Onnx__NodeProto *proto_add_node(struct proto_builder *builder, const char *op_type, const char *const *inputs,
                                size_t n_inputs, const char *const *outputs, size_t n_outputs);
char *proto_add_unary(struct proto_builder *builder, const char *op_type, const char *input);
char *proto_add_binary(struct proto_builder *builder, const char *op_type, const char *a, const char *b);
char *proto_add_transpose(struct proto_builder *builder, const char *input, const int64_t *perm, size_t n);
char *proto_add_reshape(struct proto_builder *builder, const char *input, const int64_t *dims, size_t n);
/* The node added last. */
Onnx__NodeProto *proto_last(struct proto_builder *builder);
/* Calls the output of the node added last so. */
void proto_rename_last(struct proto_builder *builder, const char *name);

void proto_int(struct proto_builder *builder, Onnx__NodeProto *node, const char *name, int64_t number);
void proto_float(struct proto_builder *builder, Onnx__NodeProto *node, const char *name, float number);
void proto_text(struct proto_builder *builder, Onnx__NodeProto *node, const char *name, const char *text);
void proto_ints(struct proto_builder *builder, Onnx__NodeProto *node, const char *name,
                const int64_t *numbers, size_t n);

/* Initialisers; the floats are borrowed, integers copied. Returns the name. */
char *proto_floats(struct proto_builder *builder, const char *name, const float *numbers, const int64_t *dims,
                   size_t n_dims);
char *proto_integers(struct proto_builder *builder, const int64_t *numbers, size_t n);
char *proto_number(struct proto_builder *builder, float number); /* of no dimension */

/* A graph's input or output: [N, dims...]. */
void proto_add_value(struct proto_builder *builder, bool input, const char *name, int type,
                     const int64_t *dims, size_t n);

#endif
