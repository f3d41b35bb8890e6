/*
 * The multiply-adds of networks: products of rows with packed weights, and the outer products that gradients
 * of weights are. One table of them for each level of processor; all levels give the same bits.
 *
 * That holds because every number that comes out is ONE chain of fused multiply-adds in an order that is part
 * of the definition here: it begins with what is said to be there already and takes the products in the order
 * of k. Vectors only ever lie across the columns, different chains, never along k.
 *
 * Convolutions need no copies of patches: images are channels-last, so what an output pixel looks at is a few
 * runs of numbers in a row of the image (`segments`), at the same distances for every pixel.
 */
#ifndef NET_KERNELS_PRODUCTS_H
#define NET_KERNELS_PRODUCTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

/*
 * y[i][j] = start + a(i, 0) b[0][j] + a(i, 1) b[1][j] + ..., j < n, where a(i, .) are the `length` numbers of
 * segment 0, then those of segment 1, ..., of row i.
 */
struct net_product {
    const float *a;
    const uint32_t *rows; /* row i of a begins at a + rows[i]; NULL: at a + i * a_stride */
    size_t a_stride;
    uint32_t n_rows;
    const uint32_t *segments; /* where they begin, from their row's beginning; NULL: there is one, at 0 */
    uint32_t n_segments, length;
    const float *b; /* packed, n_segments * length rows */
    uint32_t n;
    const float *bias; /* [n]: what chains start with; NULL: 0 */
    bool add;          /* they start with y's numbers instead */
    bool relu;         /* negative results become 0 */
    float *y;
    const uint32_t *y_rows; /* row i of y is at y + y_rows[i]; NULL: at y + i * y_stride */
    size_t y_stride;
};

/*
 * g[i][j] = start + sum of a(p)[i] b(p)[j] over p = (outer, inner), inner running fastest, i < n_rows,
 * j < n; a(p) is at a + outer * a_outer + inner * a_inner, b(p) likewise. At the end each chain's sum is
 * added to the numbers of some levels of a fold (net/fold.h), one after the other, the lowest first.
 */
struct net_outer {
    const float *a, *b;
    size_t a_outer, a_inner, b_outer, b_inner;
    uint32_t n_outer, n_inner;
    uint32_t n_rows, n;
    float *g;
    size_t g_stride;       /* from row to row */
    const float *start;    /* NULL: 0 */
    const float *levels;   /* level l begins at levels + l * level_stride */
    size_t level_stride;   /* from level to level */
    uint32_t carry_levels; /* bit l: level l is added */
    size_t sums_stride;    /* from row to row of start and of a level */
};

struct net_kernels {
    enum cpu_level level;
    void (*product)(const struct net_product *product);
    /* A channel each: y[i][j] = start + sum over segments s of a(i, s)[j] b[s][j]; b is not packed. */
    void (*channel_product)(const struct net_product *product);
    void (*outer)(const struct net_outer *outer);
    /* g[j] = sum of a(p)[j] b(p)[j]; n_rows is 1. */
    void (*channel_outer)(const struct net_outer *outer);
};

extern const struct net_kernels net_kernels_plain; /* the reference: fmaf in plain C */
#if defined(__x86_64__)
extern const struct net_kernels net_kernels_avx2, net_kernels_avx512;
#elif defined(__aarch64__)
extern const struct net_kernels net_kernels_neon;
#endif

/* Those of a level; the plain ones where there are none. */
const struct net_kernels *net_kernels_for(enum cpu_level level);
/* `kernels`, or when that is NULL the best there are here. */
const struct net_kernels *net_kernels_or_best(const struct net_kernels *kernels);

/*
 * Packed weights, K x N: panels of PANEL columns, the last one of PANEL / 2 when no more are left for it; a
 * panel has its K rows one after the other, with zeros where there is no column. Every level reads the same.
 */
enum { PANEL = 32 };
size_t packed_size(uint32_t k, uint32_t n); /* numbers; SIZE_MAX: too many */
/* Rows first .. first + count - 1 of the K: w[i * k_stride + j * n_stride] is row first + i, column j. */
void packed_fill(float *packed, uint32_t k, uint32_t n, uint32_t first, uint32_t count, const float *w,
                 size_t k_stride, size_t n_stride);

/* Leaves dy where y, which a Relu made, is above 0; else it becomes 0. */
void gate_numbers(float *dy, const float *y, size_t n);

/* For kernels. */
static inline uint32_t panel_width(uint32_t columns_left)
{
    return columns_left > PANEL / 2 ? PANEL : PANEL / 2;
}

/* The lowest of the levels whose bits are left. */
static inline const float *outer_level(const struct net_outer *o, uint32_t left)
{
    return o->levels + (uint32_t)__builtin_ctz(left) * o->level_stride;
}

static inline const float *product_row(const struct net_product *p, uint32_t i)
{
    return p->a + (p->rows ? p->rows[i] : i * p->a_stride);
}

static inline float *product_target(const struct net_product *p, uint32_t i)
{
    return p->y + (p->y_rows ? p->y_rows[i] : i * p->y_stride);
}

#endif
