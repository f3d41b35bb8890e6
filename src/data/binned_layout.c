#include "data/binned_layout.h"

#include <bramble/table.h>

#include "data/sections.h"

bool binned_layout_init(struct binned_layout *layout, const struct binned_head *head)
{
    struct binned_layout l = {.bytes = sizeof *head};
    size_t target = head->task == BRAMBLE_TASK_CLASSIFICATION ? sizeof(uint16_t) : sizeof(double);
    if (!section_place(&l.bytes, head->n_features, sizeof(struct binned_feature), &l.features) ||
        !section_place(&l.bytes, head->n_edges, sizeof(float), &l.edges) ||
        !section_place(&l.bytes, head->text_bytes, 1, &l.texts) ||
        !section_place(&l.bytes, head->n_rows, target, &l.targets) ||
        !section_place(&l.bytes, head->has_weights ? head->n_rows : 0, sizeof(double), &l.weights) ||
        !section_place(&l.bytes, head->n_rows, head->held_end - head->held_begin, &l.codes))
        return false;
    *layout = l;
    return true;
}
