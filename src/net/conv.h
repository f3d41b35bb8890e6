/*
 * Convolutions: what op_conv.c, conv_pass.c and conv_gradient.c share.
 *
 * Forward and the gradient of the input are both "passes": for each pixel that is written, a sum over a few
 * pixels of the image that is read, at distances that are the same for all pixels written. With strides the
 * gradient of the input has several such patterns, one for each way an input pixel can lie between the taps:
 * its phases. The image that is read gets a border of zeros first, where it needs one.
 */
#ifndef NET_CONV_H
#define NET_CONV_H

#include "net/operator.h"

struct conv_axis {
    uint32_t in, out, taps, stride, dilation, before, after; /* pads */
};

struct conv {
    struct conv_axis y, x;
    uint32_t channels, out_channels, group;
    uint32_t in_group, out_group; /* channels of a group, in and out */
    bool depthwise;               /* each channel by itself: one kernel each */
    bool bias, relu;
    bool wants_dx, trains; /* trains: its weight */
};

struct conv_phase {
    uint32_t first_row, n_rows, first_segment, n_segments, length;
    size_t packed; /* where its weights begin */
};

struct conv_pass {
    struct conv_axis y, x;         /* as struct conv has them */
    uint32_t channels, n_channels; /* of a pixel read, of a pixel written */
    uint32_t in_group, out_group, group;
    bool backward, depthwise;
    uint32_t h, w;                          /* image that is read */
    uint32_t top, left, padded_h, padded_w; /* the same with its border */
    bool copies;                            /* it gets one */
    uint32_t n_phases;
    struct conv_phase *phases;
    uint32_t *rows, *targets, *segments; /* of all phases: net_product's; targets NULL: one after the other */
    float *packed;
};

struct conv conv_of(const struct net_graph *graph, const struct net_node *node);

/* The pass of `conv`, without memory for its tables and weights. */
struct conv_pass conv_pass_of(const struct conv *conv, bool backward);
/* With `memory`: conv_pass_bytes on 64 bytes. What that holds conv_pass_fill writes. */
struct conv_pass conv_pass_at(const struct conv *conv, bool backward, void *memory);
size_t conv_pass_bytes(const struct conv *conv, bool backward);
void conv_pass_fill(const struct conv_pass *pass, const float *weight);
/* Numbers of the image with its border; SIZE_MAX when there are too many. */
size_t conv_pass_image(const struct conv_pass *pass);
/* The image into the middle of its border, which stays as it is. */
void conv_pass_copy(const struct conv_pass *pass, float *to, const float *image);

/* The gradients of weight and bias in parts, each over all samples of the call: conv_gradient.c. */
uint32_t conv_gradient_parts(const struct conv *conv);
size_t conv_gradient_scratch(const struct conv *conv); /* bytes */
void conv_gradient_part(const struct net_gradient_call *call, const struct conv *conv, uint32_t part);

/* op_conv's, in conv_parameters.c. */
bool conv_kept_by_backward(const struct net_graph *graph, const struct net_node *node);
size_t conv_kept_bytes(const struct net_graph *graph, const struct net_node *node, uint32_t samples);
uint32_t conv_parameter_parts(const struct net_graph *graph, const struct net_node *node);
size_t conv_parameter_scratch_bytes(const struct net_graph *graph, const struct net_node *node);
void conv_parameter_gradient(const struct net_gradient_call *call, uint32_t part);
/* Of a microbatch, into what it keeps, where that is where it belongs. */
void conv_keep_gradient(const struct net_call *call);

#endif
