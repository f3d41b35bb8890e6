#include "model/bounded.h"

#include <stdalign.h>

#include "base/mem.h"

enum {
    BYTES_A_BYTE = 16, /* what a model's message may grow to; ours take about 5 */
    BYTES_MORE = 1 << 16,
    STACK_BYTES = 1 << 18,
    HEADER = alignof(max_align_t), /* holds the size, so that freeing can give it back */
};

static bool too_deep(const struct bounded *bounded)
{
    const char *here = __builtin_frame_address(0);
    return (here < bounded->stack ? bounded->stack - here : here - bounded->stack) > STACK_BYTES;
}

static void *bounded_alloc(void *data, size_t size)
{
    struct bounded *bounded = data;
    if (size > bounded->left || bounded->left - size < HEADER || too_deep(bounded)) return NULL;
    size_t *block = mem_alloc(size + HEADER, 1);
    if (!block) {
        bounded->out_of_memory = true;
        return NULL;
    }
    *block = size;
    bounded->left -= size + HEADER;
    return (char *)block + HEADER;
}

static void bounded_free(void *data, void *pointer)
{
    struct bounded *bounded = data;
    if (!pointer) return;
    size_t *block = (void *)((char *)pointer - HEADER);
    bounded->left += *block + HEADER;
    mem_free(block);
}

void bounded_init(struct bounded *bounded, size_t bytes)
{
    size_t left;
    if (__builtin_mul_overflow(bytes, (size_t)BYTES_A_BYTE, &left) || left > SIZE_MAX - BYTES_MORE)
        left = SIZE_MAX - BYTES_MORE;
    *bounded = (struct bounded){
        .allocator = {bounded_alloc, bounded_free, bounded},
        .left = left + BYTES_MORE,
        .stack = __builtin_frame_address(0),
    };
}
