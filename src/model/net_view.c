#include "model/net_view.h"

#include <string.h>

void view_begin(struct view *view, uint32_t value)
{
    *view = (struct view){.value = value};
}

static void add_factor(struct view *view, struct view_factor factor)
{
    if (factor.size == 1) return;
    view->factors[view->n_factors++] = factor;
    view->first[view->n_axes] = (uint8_t)view->n_factors;
}

/* An axis without factors, with room for n. */
static bool add_axis(struct view *view, uint32_t n)
{
    if (view->n_axes == VIEW_AXES_MAX || view->n_factors + n > VIEW_FACTORS_MAX) return false;
    view->n_axes++;
    view->first[view->n_axes] = (uint8_t)view->n_factors;
    return true;
}

bool view_add_axis(struct view *view, uint32_t size)
{
    if (!add_axis(view, 1)) return false;
    add_factor(view, (struct view_factor){size, 0});
    return true;
}

bool view_add_batch(struct view *view)
{
    if (!add_axis(view, 1)) return false;
    add_factor(view, (struct view_factor){BATCH_SIZE, VIEW_BATCH});
    return true;
}

bool view_copy_axis(struct view *view, const struct view *from, uint32_t axis)
{
    if (!add_axis(view, (uint32_t)(from->first[axis + 1] - from->first[axis]))) return false;
    for (uint32_t f = from->first[axis]; f < from->first[axis + 1]; f++) add_factor(view, from->factors[f]);
    return true;
}

void view_settle(struct view *view, const uint8_t *axes, uint32_t n)
{
    uint8_t place = 0;
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t f = view->first[axes[a]]; f < view->first[axes[a] + 1]; f++)
            if (view->factors[f].place != VIEW_BATCH) view->factors[f].place = place++;
}

void view_settle_straight(struct view *view)
{
    uint8_t place = 0;
    for (uint32_t f = 0; f < view->n_factors; f++)
        if (view->factors[f].place != VIEW_BATCH) view->factors[f].place = place++;
}

bool view_merge_axes(struct view *view, uint32_t axis, uint32_t n)
{
    if (n == 0) {
        if (view->n_axes == VIEW_AXES_MAX) return false;
        memmove(&view->first[axis + 1], &view->first[axis], view->n_axes + 1 - axis);
        view->n_axes++;
        return true;
    }
    memmove(&view->first[axis + 1], &view->first[axis + n], view->n_axes + 1 - (axis + n));
    view->n_axes -= n - 1;
    return true;
}

uint32_t view_memory_axes(const struct view *view, uint8_t axes[VIEW_AXES_MAX])
{
    uint32_t n = 0;
    uint8_t begins[VIEW_AXES_MAX];
    for (uint32_t a = 0; a < view->n_axes; a++) {
        uint8_t begin = VIEW_BATCH;
        for (uint32_t f = view->first[a]; f < view->first[a + 1]; f++)
            if (view->factors[f].place < begin) begin = view->factors[f].place;
        if (begin == VIEW_BATCH && view->first[a + 1] > view->first[a]) continue;
        uint32_t i = n++;
        for (; i > 0 && begins[i - 1] > begin; i--) {
            begins[i] = begins[i - 1];
            axes[i] = axes[i - 1];
        }
        begins[i] = begin;
        axes[i] = (uint8_t)a;
    }
    return n;
}

uint64_t view_axis_size(const struct view *view, uint32_t axis)
{
    uint64_t size = 1;
    for (uint32_t f = view->first[axis]; f < view->first[axis + 1]; f++)
        if (__builtin_mul_overflow(size, (uint64_t)view->factors[f].size, &size)) return UINT64_MAX;
    return size;
}

bool view_axis_has_batch(const struct view *view, uint32_t axis)
{
    for (uint32_t f = view->first[axis]; f < view->first[axis + 1]; f++)
        if (view->factors[f].place == VIEW_BATCH) return true;
    return false;
}

bool view_axis_is_batch(const struct view *view, uint32_t axis)
{
    return view->first[axis + 1] - view->first[axis] == 1 && view_axis_has_batch(view, axis);
}

uint32_t view_batch_axis(const struct view *view)
{
    uint32_t axis = 0;
    while (axis < view->n_axes && !view_axis_has_batch(view, axis)) axis++;
    return axis;
}

uint32_t view_axis_length(const struct view *view, uint32_t axis)
{
    uint32_t length = 1;
    for (uint32_t f = view->first[axis]; f < view->first[axis + 1]; f++)
        if (view->factors[f].place != VIEW_BATCH) length *= view->factors[f].size;
    return length;
}

void view_permute(struct view *out, const struct view *view, const uint8_t *axes)
{
    struct view permuted = {.value = view->value, .integer = view->integer};
    for (uint32_t a = 0; a < view->n_axes; a++) view_copy_axis(&permuted, view, axes[a]);
    *out = permuted;
}

/* Makes two of factor f: size = outer * inner, the inner one behind it both here and in memory. */
static bool split_factor(struct view *view, uint32_t f, uint32_t outer, uint32_t inner)
{
    if (view->n_factors == VIEW_FACTORS_MAX) return false;
    uint8_t place = view->factors[f].place;
    if (place == VIEW_BATCH) return false;
    for (uint32_t g = 0; g < view->n_factors; g++)
        if (view->factors[g].place != VIEW_BATCH && view->factors[g].place > place) view->factors[g].place++;
    memmove(&view->factors[f + 1], &view->factors[f], (view->n_factors - f) * sizeof view->factors[0]);
    view->factors[f].size = outer;
    view->factors[f + 1] = (struct view_factor){inner, (uint8_t)(place + 1)};
    view->n_factors++;
    return true;
}

/* Takes factors from *f on whose product is `size`. */
static bool take_factors(struct view *view, uint64_t size, uint32_t *f)
{
    while (size > 1) {
        if (*f == view->n_factors) return false;
        uint32_t here = view->factors[*f].size;
        if (size % here != 0) {
            if (here % size != 0) return false;
            if (!split_factor(view, *f, (uint32_t)size, (uint32_t)(here / size))) return false;
            here = (uint32_t)size;
        }
        size /= here;
        (*f)++;
    }
    return size == 1;
}

bool view_reshape(struct view *out, const struct view *view, const uint64_t *sizes, uint32_t n)
{
    struct view shaped = *view;
    uint32_t f = 0;
    if (n > VIEW_AXES_MAX) return false;
    shaped.n_axes = n;
    shaped.first[0] = 0;
    for (uint32_t a = 0; a < n; a++) {
        if (!take_factors(&shaped, sizes[a], &f)) return false;
        shaped.first[a + 1] = (uint8_t)f;
    }
    if (f != shaped.n_factors) return false;
    *out = shaped;
    return true;
}

bool view_same(const struct view *a, const struct view *b)
{
    if (a->n_axes != b->n_axes || a->n_factors != b->n_factors) return false;
    for (uint32_t f = 0; f < a->n_factors; f++)
        if (a->factors[f].size != b->factors[f].size || a->factors[f].place != b->factors[f].place)
            return false;
    return memcmp(a->first, b->first, a->n_axes + 1) == 0;
}
