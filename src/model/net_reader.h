/*
 * Reading a network from an ONNX graph, node by node: what the files net_read_*.c that know single operators
 * share. A name stands for a tensor that is known already (net_known.h) or for a value of the network that is
 * being built, seen in ONNX's way (net_view.h).
 */
#ifndef MODEL_NET_READER_H
#define MODEL_NET_READER_H

#include "model/net_known.h"
#include "model/net_names.h"
#include "model/net_view.h"
#include "net/graph.h"

enum {
    READER_NODES_MAX = 1 << 17,
    READER_FOLD_MAX = 1 << 24,   /* numbers in a tensor that is computed while reading */
    READER_SAMPLE_MAX = 1 << 28, /* numbers in a value, of a sample */
};

struct operand {
    const struct known *known; /* one of the two; */
    const struct view *view;   /* neither: an optional input that is not given */
};

struct net_reader {
    const char *file; /* its name, for messages */
    bramble_error *error;
    const Onnx__GraphProto *proto;
    int64_t opset;
    int64_t literal_batch; /* the batch size the file was exported with, 0: any */
    struct net_graph *graph;
    struct net_names names; /* numbers: of operands */
    struct named {
        const char *name;
        bool is_view;
        struct known known;
        struct view view;
        uint32_t uses;   /* inputs of nodes that name it */
        uint32_t weight; /* the graph's value made of it, or NET_NONE */
        size_t (*weight_place)(const void *context, size_t place); /* how it was made */
    } * named;
    size_t n_named, room_named;
    size_t fold_left; /* numbers that may still be computed while reading */
    struct net_names
        readers; /* which node reads a name; n_node where several do, or the graph's output does */
    struct net_names makers; /* which node makes it */
    bool *needed;            /* nodes that the output needs */
    bool *done; /* nodes that an earlier one took with it: a pattern of several nodes is one operator here */
    const Onnx__NodeProto *node; /* at hand; NULL at the graph's input and output */
    size_t node_number;
};

typedef bramble_status net_read_fn(struct net_reader *r);

/* "FILE: node 3 "NAME" (Conv): WHAT", BRAMBLE_ERR_DATA. */
bramble_status reader_refuse(struct net_reader *r, const char *what, ...)
    __attribute__((format(printf, 2, 3)));
bramble_status reader_unsupported(struct net_reader *r, const char *what, ...)
    __attribute__((format(printf, 2, 3)));
bramble_status reader_memory(struct net_reader *r);

/* Input i of the node at hand, nothing when there are fewer or it is "". */
bramble_status reader_operand(struct net_reader *r, size_t i, struct operand *out);
/* The same; it must be of the network, or known. Borrowed: valid until something is defined. */
bramble_status reader_view(struct net_reader *r, size_t i, const struct view **out);
bramble_status reader_known(struct net_reader *r, size_t i, const struct known **out);
struct named *reader_named(struct net_reader *r, const char *name); /* NULL: nothing of that name */
bool reader_has_input(const struct net_reader *r, size_t i);

/* What output i of the node at hand is. An output that has no name is nobody's. `known` is taken over, on
 * failure too. */
bramble_status reader_define_view(struct net_reader *r, size_t i, const struct view *view);
bramble_status reader_define_known(struct net_reader *r, size_t i, struct known *known);
bramble_status reader_define(struct net_reader *r, const char *name, const struct view *view,
                             struct known *known);

/* Attributes of the node at hand. A missing one is `fallback`. */
const Onnx__AttributeProto *reader_attribute(const struct net_reader *r, const char *name);
int64_t reader_int(const struct net_reader *r, const char *name, int64_t fallback);
float reader_float(const struct net_reader *r, const char *name, float fallback);
bool reader_text_is(const struct net_reader *r, const char *name, const char *text, bool fallback);
/* n numbers into `out`, at most room of them; those of input i when there is one (i > 0), else the
 * attribute's. *n is 0 when neither is there. */
bramble_status reader_ints(struct net_reader *r, const char *name, size_t i, int64_t *out, uint32_t room,
                           uint32_t *n);
/* An axis as people count them, negative ones from the end, checked against `n_axes`. */
bramble_status reader_axis(struct net_reader *r, int64_t axis, uint32_t n_axes, uint32_t *out);

/* Adds a node to the network under the name of the node at hand; of the operator where there is none. */
bramble_status reader_add(struct net_reader *r, const char *op, const uint32_t *inputs, uint32_t n_inputs,
                          uint32_t n_outputs, const struct net_attributes *attributes,
                          uint32_t *first_output);
/* One with one input. */
bramble_status reader_add_unary(struct net_reader *r, const char *op, uint32_t input,
                                const struct net_attributes *attributes, uint32_t *output);

/*
 * The view's value with the given axes, all that have factors, as axes in memory, in that order; the batch's
 * part of an axis does not count. Moves numbers only when they do not lie so.
 */
bramble_status reader_bring(struct net_reader *r, const struct view *view, const uint8_t *axes, uint32_t n,
                            uint32_t *value);
/* The same value with its axes in ONNX's own order, whatever its shape; *out sees the result. */
bramble_status reader_straighten(struct net_reader *r, const struct view *view, struct view *out);
/* view's value reshaped to `shape`, which has as many numbers in the same order. */
bramble_status reader_shape(struct net_reader *r, uint32_t value, const struct net_shape *shape,
                            uint32_t *out);

/* How the numbers of a weight are put in another order: where its number `place` comes from. */
typedef size_t reader_place_fn(const void *context, size_t place);

/*
 * A parameter, state or constant with a known's numbers. A tensor that several nodes use in the same way is
 * one value.
 */
struct reader_weight {
    const struct known *known;
    const char *source; /* the tensor's name; NULL: computed, called after the node with `suffix` behind */
    const char *suffix;
    enum net_kind kind; /* NET_PARAMETER becomes NET_CONSTANT when the known is not trained */
    struct net_shape shape;
    reader_place_fn *place; /* NULL: as they lie; may depend on the shape, or the tensor has one use */
    const void *context;
    double factor; /* all numbers are multiplied by it; 0 counts as 1 */
    enum net_filler filler;
    uint32_t fan_in;
    bool decays;
};
bramble_status reader_add_weight(struct net_reader *r, const struct reader_weight *weight, uint32_t *value);
/* The name of input i, for `source`; NULL when there is none. */
const char *reader_source(const struct net_reader *r, size_t i);

/* Handlers of operators, each for all of its node. */
net_read_fn *reader_find(const char *op_type);
/* Runs the node at hand when all its inputs are known; *folded: it did. */
bramble_status reader_fold(struct net_reader *r, bool *folded);
/* Recognises what is a few nodes in the file and one operator here, beginning at the node at hand; *matched:
 * it was one and is done. */
bramble_status reader_match(struct net_reader *r, bool *matched);

#endif
