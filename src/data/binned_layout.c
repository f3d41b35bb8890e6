#include "data/binned_layout.h"

#include <bramble/table.h>

/* Room for n items from the next 64-byte boundary on. */
static bool place(size_t *end, uint64_t n, size_t size, size_t *begin)
{
    size_t bytes;
    if (__builtin_add_overflow(*end, 63, begin)) return false;
    *begin &= ~(size_t)63;
    return !__builtin_mul_overflow(n, size, &bytes) && !__builtin_add_overflow(*begin, bytes, end);
}

bool binned_layout_init(struct binned_layout *layout, const struct binned_head *head)
{
    struct binned_layout l = {.bytes = sizeof *head};
    size_t target = head->task == BRAMBLE_TASK_CLASSIFICATION ? sizeof(uint16_t) : sizeof(double);
    if (!place(&l.bytes, head->n_features, sizeof(struct binned_feature), &l.features) ||
        !place(&l.bytes, head->n_edges, sizeof(float), &l.edges) ||
        !place(&l.bytes, head->text_bytes, 1, &l.texts) ||
        !place(&l.bytes, head->n_rows, target, &l.targets) ||
        !place(&l.bytes, head->has_weights ? head->n_rows : 0, sizeof(double), &l.weights) ||
        !place(&l.bytes, head->n_rows, head->held_end - head->held_begin, &l.codes))
        return false;
    *layout = l;
    return true;
}
