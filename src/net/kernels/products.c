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

/* Rows of a panel from columns that lie side by side. */
static void fill_rows(float *panel, uint32_t width, uint32_t columns, uint32_t count, const float *w,
                      size_t k_stride)
{
    for (uint32_t i = 0; i < count; i++) {
        memcpy(panel + (size_t)i * width, w + i * k_stride, columns * sizeof *w);
        memset(panel + (size_t)i * width + columns, 0, (width - columns) * sizeof *w);
    }
}

/* Any strides; read in blocks that stay near. */
static void fill_turned(float *panel, uint32_t width, uint32_t columns, uint32_t count, const float *w,
                        size_t k_stride, size_t n_stride)
{
    enum { BLOCK = 16 };
    for (uint32_t from = 0; from < count; from += BLOCK) {
        uint32_t to = count - from < BLOCK ? count : from + BLOCK;
        for (uint32_t j = 0; j < width; j++)
            for (uint32_t i = from; i < to; i++)
                panel[(size_t)i * width + j] = j < columns ? w[i * k_stride + j * n_stride] : 0;
    }
}

void packed_fill(float *packed, uint32_t k, uint32_t n, uint32_t first, uint32_t count, const float *w,
                 size_t k_stride, size_t n_stride)
{
    for (uint32_t from = 0; from < n; from += PANEL) {
        uint32_t left = n - from, width = panel_width(left), columns = left < width ? left : width;
        float *panel = packed + (size_t)from * k + (size_t)first * width;
        if (n_stride == 1)
            fill_rows(panel, width, columns, count, w + from, k_stride);
        else
            fill_turned(panel, width, columns, count, w + from * n_stride, k_stride, n_stride);
    }
}

KERNEL void gate_numbers(float *out, const float *dy, const float *y, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) out[i] = y[i] > 0 ? dy[i] : 0;
}
