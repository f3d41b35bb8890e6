/*
 * Layer lists from text to graph (net/layer_list.h), in three steps: a line becomes a struct layer
 * (layer_parse.c), lines become blocks (layer_list.c), and each layer adds its nodes (layer_dense.c, ...).
 * What words there are says the table in layer_kinds.c.
 */
#ifndef NET_LAYER_H
#define NET_LAYER_H

#include "net/layer_list.h"

enum { LAYER_OUTPUTS = UINT32_MAX }; /* as a count: the word `outputs` */

/* What must, or may, stand first behind a layer's name. */
enum layer_argument {
    ARGUMENT_NONE,
    ARGUMENT_UNITS,  /* a count, or `outputs` */
    ARGUMENT_COUNT,  /* into units too; behind UNITS into more */
    ARGUMENT_KERNEL, /* 3 or 3x5 */
    ARGUMENT_SHAPE,  /* 28x28x3 */
    ARGUMENT_RATE,   /* 0 <= . < 1 */
    ARGUMENT_SLOPE,  /* a number, may be left out */
};

/* What may follow, in any order, each once. */
enum layer_option {
    OPTION_STRIDE = 1 << 0,
    OPTION_PAD = 1 << 1,
    OPTION_DILATION = 1 << 2,
    OPTION_GROUPS = 1 << 3,
    OPTION_NOBIAS = 1 << 4,
    OPTION_MOMENTUM = 1 << 5,
    OPTION_EPSILON = 1 << 6,
    OPTION_REVERSE = 1 << 7,
    OPTION_BIDIRECTIONAL = 1 << 8,
    OPTION_LAST = 1 << 9,
    OPTION_ACTIVATION = 1 << 10, /* an activation's name */
};

enum layer_block { BLOCK_NONE, BLOCK_RESIDUAL, BLOCK_SHORTCUT, BLOCK_REPEAT, BLOCK_END };

struct layer_builder;
struct layer;

struct layer_kind {
    const char *name, *arguments, *what; /* for help and refusals */
    enum layer_argument argument[2];
    unsigned options; /* of enum layer_option */
    enum layer_block block;
    bramble_status (*add)(struct layer_builder *b, const struct layer *layer, bramble_error *error);
    const char *op; /* of an activation, else NULL */
};

/* All of them; the name of the one behind the last is NULL. */
extern const struct layer_kind layer_kinds[];

/* A line's meaning. */
struct layer {
    const struct layer_kind *kind;
    uint32_t line; /* from 1 */
    uint32_t units, more;
    uint32_t kernel[2], stride[2], dilation[2], pad[2]; /* height, width */
    uint32_t groups;
    double rate, slope, momentum, epsilon; /* momentum as PyTorch has it */
    struct net_shape shape;
    unsigned given; /* enum layer_option */
    bool pad_same;
    const struct layer_kind *activation; /* or NULL */
    uint32_t shortcut, end;              /* a block's lines, by place in the list; no shortcut: end */
};

/* A line's words, already known to be plain text, into *layer. BRAMBLE_ERR_DATA with `file` and the line.
 * kind stays NULL for a line without words. */
bramble_status layer_parse(struct layer *layer, const char *file, uint32_t line, const char *text,
                           size_t length, bramble_error *error);

/* "FILE:LINE: ..." and BRAMBLE_ERR_DATA. */
bramble_status layer_refuse(const char *file, uint32_t line, bramble_error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

struct layer_builder {
    struct net_graph graph;
    const struct layer_list_options *options;
    const char *file;
    const struct layer *layers;
    uint32_t value;    /* what the last layer gave */
    uint32_t n_layers; /* so far */
    uint32_t line;     /* of the layer at work */
    char name[32];     /* its: "conv2"; what it adds is named after it */
    uint32_t *numbers; /* of the last layer of each kind */
};

/* The shape that the layer at work gets. */
const struct net_shape *builder_shape(const struct layer_builder *b);

/* A node on `inputs`; its first output becomes b->value. suffix: behind the layer's name, or NULL. */
bramble_status builder_node(struct layer_builder *b, const char *op, const char *suffix,
                            const uint32_t *inputs, uint32_t n_inputs, uint32_t n_outputs,
                            const struct net_attributes *attributes, bramble_error *error);
/* One on b->value alone, with attributes or NULL. */
bramble_status builder_unary(struct layer_builder *b, const char *op, const char *suffix,
                             const struct net_attributes *attributes, bramble_error *error);

struct builder_weight {
    const char *suffix; /* "weight" */
    enum net_kind kind;
    struct net_shape shape;
    enum net_filler filler;
    uint64_t fan_in;
    bool decays;
    const float *numbers; /* of a constant */
};
bramble_status builder_weight(struct layer_builder *b, const struct builder_weight *weight, uint32_t *value,
                              bramble_error *error);
/* A vector of `n` without decay. */
bramble_status builder_vector(struct layer_builder *b, const char *suffix, enum net_kind kind, uint32_t n,
                              enum net_filler filler, uint64_t fan_in, uint32_t *value, bramble_error *error);
/* units, or what `outputs` stands for. */
uint32_t builder_units(const struct layer_builder *b, const struct layer *layer);
/* Refuses with the file and the line at work. */
#define builder_refuse(b, error, ...) layer_refuse((b)->file, (b)->line, error, __VA_ARGS__)

/* What kinds add. */
bramble_status layer_add_dense(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_conv(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_depthwise(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_maxpool(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_avgpool(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_globalavgpool(struct layer_builder *b, const struct layer *layer,
                                       bramble_error *error);
bramble_status layer_add_batchnorm(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_layernorm(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_dropout(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_flatten(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_reshape(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_activation(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_embedding(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_position(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_lstm(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_gru(struct layer_builder *b, const struct layer *layer, bramble_error *error);
bramble_status layer_add_attention(struct layer_builder *b, const struct layer *layer, bramble_error *error);

/* The activation at the end of a layer's line: nodes of `kind`, which may be NULL. */
bramble_status layer_activate(struct layer_builder *b, const struct layer_kind *kind, double slope,
                              const char *suffix, bramble_error *error);

#endif
