#include <math.h>

#include "net/kernels/products.h"

static void start(const struct net_product *p, const float *y, uint32_t from, uint32_t columns, float *sums)
{
    for (uint32_t j = 0; j < columns; j++) {
        sums[j] = 0;
        if (p->add)
            sums[j] = y[from + j];
        else if (p->bias)
            sums[j] = p->bias[from + j];
    }
}

static void finish(const struct net_product *p, float *y, uint32_t from, uint32_t columns, const float *sums)
{
    for (uint32_t j = 0; j < columns; j++) y[from + j] = p->relu && sums[j] < 0 ? 0 : sums[j];
}

static void product(const struct net_product *p)
{
    float sums[PANEL];
    for (uint32_t from = 0; from < p->n; from += PANEL) {
        uint32_t left = p->n - from, width = panel_width(left), columns = left < width ? left : width;
        for (uint32_t i = 0; i < p->n_rows; i++) {
            const float *b = p->b + (size_t)from * p->n_segments * p->length;
            float *y = product_target(p, i);
            start(p, y, from, columns, sums);
            for (uint32_t s = 0; s < p->n_segments; s++) {
                const float *a = product_row(p, i) + (p->segments ? p->segments[s] : 0);
                for (uint32_t c = 0; c < p->length; c++, b += width)
                    for (uint32_t j = 0; j < columns; j++) sums[j] = fmaf(a[c], b[j], sums[j]);
            }
            finish(p, y, from, columns, sums);
        }
    }
}

static void channel_product(const struct net_product *p)
{
    float sums[PANEL];
    for (uint32_t from = 0; from < p->n; from += PANEL) {
        uint32_t columns = p->n - from < PANEL ? p->n - from : PANEL;
        for (uint32_t i = 0; i < p->n_rows; i++) {
            float *y = product_target(p, i);
            start(p, y, from, columns, sums);
            for (uint32_t s = 0; s < p->n_segments; s++) {
                const float *a = product_row(p, i) + p->segments[s] + from;
                const float *b = p->b + (size_t)s * p->n + from;
                for (uint32_t j = 0; j < columns; j++) sums[j] = fmaf(a[j], b[j], sums[j]);
            }
            finish(p, y, from, columns, sums);
        }
    }
}

/* One row of an outer product: what a(p) is multiplied with is a_step numbers further for every column. */
static void outer_row(const struct net_outer *o, uint32_t row, size_t a_step)
{
    float *g = o->g + row * o->g_stride;
    for (uint32_t j = 0; j < o->n; j++) {
        float sum = o->start ? o->start[row * o->sums_stride + j] : 0;
        for (uint32_t m = 0; m < o->n_outer; m++)
            for (uint32_t x = 0; x < o->n_inner; x++) {
                size_t at = m * o->b_outer + x * o->b_inner + j;
                sum = fmaf(o->a[m * o->a_outer + x * o->a_inner + row + j * a_step], o->b[at], sum);
            }
        for (uint32_t left = o->carry_levels; left; left &= left - 1)
            sum = outer_level(o, left)[row * o->sums_stride + j] + sum;
        g[j] = sum;
    }
}

static void outer(const struct net_outer *o)
{
    for (uint32_t i = 0; i < o->n_rows; i++) outer_row(o, i, 0);
}

static void channel_outer(const struct net_outer *o)
{
    outer_row(o, 0, 1);
}

const struct net_kernels net_kernels_plain = {CPU_PLAIN, product, channel_product, outer, channel_outer};
