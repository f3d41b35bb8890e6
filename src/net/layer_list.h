/*
 * Networks from a short list of layers in a text file: docs/layer-lists.md has the grammar.
 *
 *     conv 32 3x3 pad same relu
 *     maxpool 2
 *     flatten
 *     dense 128 relu
 *     dense outputs
 *
 * A line is a layer, which takes what the one before gives; the first takes the data's rows. Layers between
 * `residual` and `end` are added to what they began with, those between `repeat N` and `end` stand there N
 * times. Parameters are named after their layer ("conv1.weight") and filled as PyTorch fills them.
 */
#ifndef NET_LAYER_LIST_H
#define NET_LAYER_LIST_H

#include "net/graph.h"

/* A list that asks for more is refused: it may come from anywhere. */
enum {
    LAYER_LIST_BYTES = 1 << 20,       /* of text */
    LAYER_LIST_LAYERS = 4096,         /* after repeats */
    LAYER_LIST_DEPTH = 8,             /* blocks in each other */
    LAYER_LIST_NUMBER = 1 << 20,      /* the greatest whole number */
    LAYER_LIST_ACTIVATIONS = 1 << 24, /* numbers a layer gives for one sample */
    LAYER_LIST_WEIGHTS = 1 << 28,     /* of the network, where options do not say */
};

struct layer_list_options {
    struct net_shape input; /* of a sample: H x W x C for images, D for a table's rows */
    uint32_t n_outputs;     /* what the last layer must give; the word `outputs` stands for it */
    size_t weights_max;     /* 0: LAYER_LIST_WEIGHTS */
};

/*
 * *graph is new, finished, and the caller's to fini; its weights are not drawn (net/initialise.h). On failure
 * it stays untouched, and the one line of the error says file, line and what to write instead: BRAMBLE_ERR_IO
 * when the file cannot be read, BRAMBLE_ERR_DATA for what it says.
 */
bramble_status layer_list_read(struct net_graph *graph, const char *path,
                               const struct layer_list_options *options, bramble_error *error);
/* The same from a text; `name` stands in messages for the file's. */
bramble_status layer_list_build(struct net_graph *graph, const char *text, size_t length, const char *name,
                                const struct layer_list_options *options, bramble_error *error);

/* The grammar, a layer each, for help: "conv", "CHANNELS KERNEL [stride N] ...", a sentence. False behind the
 * last. Static. */
bool layer_list_help(uint32_t i, const char **name, const char **arguments, const char **what);

#endif
