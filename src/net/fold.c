#include "net/fold.h"

#include <string.h>

#include "net/kernels/kernel.h"

uint32_t fold_levels(uint64_t n_leaves)
{
    uint32_t levels = 0;
    for (; n_leaves; n_leaves >>= 1) levels++;
    return levels;
}

void fold_begin(struct fold *fold, float *levels, size_t size)
{
    *fold = (struct fold){.levels = levels, .size = size};
}

/* Those below the lowest that is free. */
uint32_t fold_carries(const struct fold *fold)
{
    return (uint32_t)(fold->count & ~(fold->count + 1));
}

uint32_t fold_pending(const struct fold *fold)
{
    return (uint32_t)fold->count;
}

/* The lowest level that is free, from this one on. */
float *fold_subtree(struct fold *fold, uint32_t level)
{
    return fold->levels + (level + (uint32_t)__builtin_ctzll(~(fold->count >> level))) * fold->size;
}

float *fold_leaf(struct fold *fold)
{
    return fold_subtree(fold, 0);
}

KERNEL static void add_to(float *sum, const float *x, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) sum[i] = x[i] + sum[i];
}

void fold_add(struct fold *fold)
{
    fold_add_subtree(fold, 0);
}

void fold_add_subtree(struct fold *fold, uint32_t level)
{
    float *sum = fold_subtree(fold, level);
    uint64_t above = fold->count >> level, carries = (above & ~(above + 1)) << level;
    for (; carries; carries &= carries - 1)
        add_to(sum, fold->levels + (uint32_t)__builtin_ctzll(carries) * fold->size, fold->size);
    fold->count += (uint64_t)1 << level;
}

void fold_added(struct fold *fold)
{
    fold->count++;
}

void fold_end(struct fold *fold, float *total)
{
    uint64_t pending = fold->count;
    if (!pending) {
        memset(total, 0, fold->size * sizeof *total);
        return;
    }
    const float *lowest = fold->levels + (uint32_t)__builtin_ctzll(pending) * fold->size;
    if (total != lowest) memcpy(total, lowest, fold->size * sizeof *total);
    for (pending &= pending - 1; pending; pending &= pending - 1)
        add_to(total, fold->levels + (uint32_t)__builtin_ctzll(pending) * fold->size, fold->size);
}

void fold_floats(const float *leaves, uint64_t n, size_t size, size_t stride, float *total)
{
    enum { CHUNK = 256 };
    float levels[FOLD_LEVELS * CHUNK];
    for (size_t from = 0; from < size; from += CHUNK) {
        size_t here = size - from < CHUNK ? size - from : CHUNK;
        struct fold fold;
        fold_begin(&fold, levels, here);
        for (uint64_t i = 0; i < n; i++) {
            memcpy(fold_leaf(&fold), leaves + i * stride + from, here * sizeof *leaves);
            fold_add(&fold);
        }
        fold_end(&fold, total + from);
    }
}

void fold_doubles(double *leaves, uint64_t n, size_t size, size_t stride)
{
    for (uint64_t width = 1; width < n; width *= 2)
        for (uint64_t i = 0; i + width < n; i += 2 * width)
            for (size_t j = 0; j < size; j++) leaves[i * stride + j] += leaves[(i + width) * stride + j];
}
