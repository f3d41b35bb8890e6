#include "data/rows_layout.h"

#include <math.h>

#include "data/sections.h"

bool rows_layout_init(struct rows_layout *layout, const struct rows_head *head)
{
    struct rows_layout l = {.bytes = sizeof *head};
    if (!section_place(&l.bytes, head->n_features, 1, &l.types) ||
        !section_place(&l.bytes, head->n_features, 1, &l.categories) ||
        !section_place(&l.bytes, head->encoder_bytes, 1, &l.encoder) ||
        !section_place(&l.bytes, head->n_rows, sizeof(uint32_t), &l.targets) ||
        !section_place(&l.bytes, head->has_weights ? head->n_rows : 0, sizeof(float), &l.weights) ||
        !section_place(&l.bytes, head->n_rows, head->row_bytes, &l.rows))
        return false;
    *layout = l;
    return true;
}

static bool classes_exist(const uint32_t *classes, size_t n, uint32_t n_classes)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) most = classes[i] > most ? classes[i] : most;
    return most < n_classes;
}

static bool all_finite(const float *values, size_t n)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < n; i++) wrong |= !isfinite(values[i]);
    return !wrong;
}

static bool weights_are_sound(const float *weights, size_t n)
{
    uint32_t wrong = 0, some = n == 0;
    for (size_t i = 0; i < n; i++) {
        wrong |= !(weights[i] >= 0);
        some |= weights[i] > 0;
    }
    return !wrong && some && all_finite(weights, n);
}

const char *rows_fault(const struct rows *rows, size_t n_validation, const struct encoder *encoder)
{
    size_t n = rows->n_rows;
    if (n_validation >= n) return "no rows to train on";
    if (!rows->targets) return "no target to learn";
    if (encoder->task == BRAMBLE_TASK_CLASSIFICATION && !classes_exist(rows->targets, n, encoder->n_outputs))
        return "a class that is not there";
    if (encoder->task == BRAMBLE_TASK_REGRESSION && !all_finite(rows->targets, n))
        return "a target that is no number, or too large for one";
    size_t n_train = n - n_validation;
    if (rows->weights && (!weights_are_sound(rows->weights, n_train) ||
                          !weights_are_sound(rows->weights + n_train, n_validation)))
        return "weights that are none, or all 0";
    return NULL;
}
