/*
 * How ONNX sees a value of the network that lies in memory in an order of our own.
 *
 * ONNX counts the batch as one axis among others, has images channels first, and moves axes about for
 * operators that look at certain ones. In memory the samples stand one after another and images are channels
 * last. A view says what belongs to what: each ONNX axis is a product of factors, each factor is the batch or
 * an axis in memory. So most transposes and reshapes change the view and move nothing:
 *
 *   an image            [N] [C] [H] [W]       memory H W C: places 2 0 1
 *   flattened           [N] [C H W]           the same places, two axes
 *   heads of attention  [T] [N heads] [D]     the batch inside an axis
 *
 * Axes of size 1 have no factor.
 */
#ifndef MODEL_NET_VIEW_H
#define MODEL_NET_VIEW_H

#include <stdbool.h>
#include <stdint.h>

enum {
    VIEW_FACTORS_MAX = 12,
    VIEW_AXES_MAX = 8,
    VIEW_BATCH = 255, /* a place: the batch, which leads whatever the axes say */
    /* What the batch counts as where shapes are computed with: a prime that no other dimension has. */
    BATCH_SIZE = 1000003,
};

struct view {
    uint32_t value; /* in the graph */
    bool integer;   /* its numbers stand for whole ones: places in an embedding */
    uint32_t n_axes, n_factors;
    uint8_t first[VIEW_AXES_MAX + 1]; /* axis a has the factors first[a] to first[a + 1] - 1 */
    struct view_factor {
        uint32_t size; /* >= 2 */
        uint8_t place; /* among the axes in memory, from 0 without gaps; or VIEW_BATCH */
    } factors[VIEW_FACTORS_MAX];
};

/* Building: axes in ONNX's order, then view_settle with those that are in memory in their order there. There
 * is room for VIEW_AXES_MAX axes; false: there is none. */
void view_begin(struct view *view, uint32_t value);
bool view_add_axis(struct view *view, uint32_t size);
bool view_add_batch(struct view *view);
/* A further axis with the factors of another view's. */
bool view_copy_axis(struct view *view, const struct view *from, uint32_t axis);
void view_settle(struct view *view, const uint8_t *axes, uint32_t n);
/* The same with all axes in ONNX's order. */
void view_settle_straight(struct view *view);

/* Numbers along the axis; the batch counts BATCH_SIZE. Saturates at UINT64_MAX. */
uint64_t view_axis_size(const struct view *view, uint32_t axis);
bool view_axis_is_batch(const struct view *view, uint32_t axis); /* and nothing else */
bool view_axis_has_batch(const struct view *view, uint32_t axis);
/* The axis the batch is in; n_axes: there is none. */
uint32_t view_batch_axis(const struct view *view);
/* An axis without batch: all its factors as one size. */
uint32_t view_axis_length(const struct view *view, uint32_t axis);

/* out: the axes in another order. `axes` are all of view's. */
void view_permute(struct view *out, const struct view *view, const uint8_t *axes);

/* Makes one axis of `n` from `axis` on; of none: adds one of size 1. */
bool view_merge_axes(struct view *view, uint32_t axis, uint32_t n);

/* out: the same numbers under other axes, whose product is that of the view's. False: only a copy in another
 * order could be seen that way. */
bool view_reshape(struct view *out, const struct view *view, const uint64_t *sizes, uint32_t n);

/* The axes in the order in which they begin in memory, without those that are the batch alone; how many. */
uint32_t view_memory_axes(const struct view *view, uint8_t axes[VIEW_AXES_MAX]);

/* Whether two views see memory alike: the same factors in the same places, axis by axis. */
bool view_same(const struct view *a, const struct view *b);

#endif
