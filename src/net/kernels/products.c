#include "net/kernels/products.h"

#include <string.h>

#include "net/kernels/kernel.h"

const struct net_kernels *net_kernels_for(enum cpu_level level)
{
#if defined(__x86_64__)
    if (level == CPU_AVX512) return &net_kernels_avx512;
    if (level == CPU_AVX2 && __builtin_cpu_supports("fma")) return &net_kernels_avx2;
#elif defined(__aarch64__)
    if (level == CPU_NEON) return &net_kernels_neon;
#else
    (void)level;
#endif
    return &net_kernels_plain;
}

const struct net_kernels *net_kernels_or_best(const struct net_kernels *kernels)
{
    return kernels ? kernels : net_kernels_for(cpu_level_detect());
}

/* Columns with room: whole halves of panels. */
static uint64_t padded_columns(uint32_t n)
{
    return ((uint64_t)n + PANEL / 2 - 1) / (PANEL / 2) * (PANEL / 2);
}

size_t packed_size(uint32_t k, uint32_t n)
{
    size_t size;
    return __builtin_mul_overflow(padded_columns(n), (size_t)k, &size) ? SIZE_MAX : size;
}

enum { BLOCK = 16 }; /* rows that are packed together, so that what is read and written stays near */

/* A block of a whole panel. */
KERNEL static void fill_whole(float *panel, const float *w, size_t k_stride)
{
    for (uint32_t i = 0; i < BLOCK; i++) memcpy(panel + i * PANEL, w + i * k_stride, PANEL * sizeof *w);
}

typedef float four __attribute__((vector_size(16)));

/* A square of four rows and columns. */
KERNEL_INLINE void fill_square(float *panel, const float *w, size_t n_stride)
{
    four x[4];
    for (uint32_t j = 0; j < 4; j++) memcpy(&x[j], w + j * n_stride, sizeof x[j]);
    four even = __builtin_shufflevector(x[0], x[2], 0, 4, 1, 5),
         odd = __builtin_shufflevector(x[1], x[3], 0, 4, 1, 5);
    four even_last = __builtin_shufflevector(x[0], x[2], 2, 6, 3, 7),
         odd_last = __builtin_shufflevector(x[1], x[3], 2, 6, 3, 7);
    x[0] = __builtin_shufflevector(even, odd, 0, 4, 1, 5);
    x[1] = __builtin_shufflevector(even, odd, 2, 6, 3, 7);
    x[2] = __builtin_shufflevector(even_last, odd_last, 0, 4, 1, 5);
    x[3] = __builtin_shufflevector(even_last, odd_last, 2, 6, 3, 7);
    for (uint32_t i = 0; i < 4; i++) memcpy(panel + i * PANEL, &x[i], sizeof x[i]);
}

/* A whole block, when a column's numbers lie side by side. */
KERNEL static void fill_turned(float *panel, const float *w, size_t n_stride)
{
    for (uint32_t j = 0; j < PANEL; j += 4)
        for (uint32_t i = 0; i < BLOCK; i += 4)
            fill_square(panel + i * PANEL + j, w + j * n_stride + i, n_stride);
}

static void fill_any(float *panel, uint32_t width, uint32_t columns, uint32_t count, const float *w,
                     size_t k_stride, size_t n_stride)
{
    for (uint32_t i = 0; i < count; i++, panel += width)
        for (uint32_t j = 0; j < width; j++) panel[j] = j < columns ? w[i * k_stride + j * n_stride] : 0;
}

/* `count` rows, at most BLOCK, of all panels; packed is at the first of them. */
static void fill_block(float *packed, uint32_t k, uint32_t n, uint32_t first, uint32_t count, const float *w,
                       size_t k_stride, size_t n_stride)
{
    for (uint32_t from = 0; from < n; from += PANEL) {
        uint32_t left = n - from, width = panel_width(left), columns = left < width ? left : width;
        float *panel = packed + (size_t)from * k + (size_t)first * width;
        const float *source = w + from * n_stride;
        bool whole = columns == PANEL && count == BLOCK;
        if (whole && n_stride == 1)
            fill_whole(panel, source, k_stride);
        else if (whole && k_stride == 1)
            fill_turned(panel, source, n_stride);
        else
            fill_any(panel, width, columns, count, source, k_stride, n_stride);
    }
}

void packed_fill(float *packed, uint32_t k, uint32_t n, uint32_t first, uint32_t count, const float *w,
                 size_t k_stride, size_t n_stride)
{
    for (uint32_t i = 0; i < count; i += BLOCK)
        fill_block(packed, k, n, first + i, count - i < BLOCK ? count - i : BLOCK, w + i * k_stride, k_stride,
                   n_stride);
}

KERNEL void gate_numbers(float *dy, const float *y, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) dy[i] = y[i] > 0 ? dy[i] : 0;
}
