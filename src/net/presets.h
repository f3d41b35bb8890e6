/*
 * Networks that need no file: each is a layer list (net/layer_list.h) in the program.
 *
 *   linear     one dense layer: a linear or logistic regression
 *   mlp        dense 512, dense 256, dense outputs
 *   mlp-small  dense 64, dense 64, dense outputs: for tables
 *   cnn        two convolutions with pooling, dense 128: for images
 *   resnet20   for images; He, Zhang, Ren, Sun, "Deep residual learning for image recognition", CVPR 2016,
 *              with 1 x 1 convolutions as shortcuts
 */
#ifndef NET_PRESETS_H
#define NET_PRESETS_H

#include "net/layer_list.h"

/* Name of number i, NULL behind the last; what it is, in a few words; its layers as text. Static. */
const char *preset_name(uint32_t i);
const char *preset_summary(uint32_t i);
/* The layer list of that preset, NULL when there is none of that name. */
const char *preset_text(const char *name);

/*
 * *graph is new, finished, and the caller's to fini; its weights are not drawn. BRAMBLE_ERR_USAGE, with the
 * names there are, when there is none of that name; BRAMBLE_ERR_DATA when it does not fit such inputs.
 */
bramble_status preset_build(struct net_graph *graph, const char *name,
                            const struct layer_list_options *options, bramble_error *error);

#endif
