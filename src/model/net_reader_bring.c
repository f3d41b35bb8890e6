/* Putting values into the order in memory that an operator wants. */
#include "model/net_reader.h"

#include <string.h>

/* Factors in the order wanted, runs of them that stay together as one. */
struct runs {
    uint32_t n;
    uint32_t size[VIEW_FACTORS_MAX];
    uint8_t place[VIEW_FACTORS_MAX], last[VIEW_FACTORS_MAX]; /* of the first and last factor in memory */
};

static void find_runs(struct runs *runs, const struct view *view, const uint8_t *axes, uint32_t n)
{
    runs->n = 0;
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t f = view->first[axes[a]]; f < view->first[axes[a] + 1]; f++) {
            const struct view_factor *factor = &view->factors[f];
            if (factor->place == VIEW_BATCH) continue;
            if (runs->n && runs->last[runs->n - 1] + 1 == factor->place) {
                runs->size[runs->n - 1] *= factor->size;
                runs->last[runs->n - 1] = factor->place;
                continue;
            }
            runs->size[runs->n] = factor->size;
            runs->place[runs->n] = runs->last[runs->n] = factor->place;
            runs->n++;
        }
}

bramble_status reader_shape(struct net_reader *r, uint32_t value, const struct net_shape *shape,
                            uint32_t *out)
{
    *out = value;
    if (shape_equal(&r->graph->values[value].shape, shape)) return BRAMBLE_OK;
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    attributes.shape = *shape;
    return reader_add_unary(r, "Reshape", value, &attributes, out);
}

/* Reshapes to the runs as they lie, transposes them to the order wanted. */
static bramble_status move_runs(struct net_reader *r, const struct runs *runs, uint32_t value, uint32_t *out)
{
    if (runs->n > NET_RANK_MAX)
        return reader_unsupported(r, "needs numbers moved along %u axes at once, more than %d", runs->n,
                                  NET_RANK_MAX);
    struct net_shape lying = {.rank = runs->n};
    struct net_attributes attributes = NET_ATTRIBUTES_INIT;
    for (uint32_t i = 0; i < runs->n; i++) {
        uint32_t before = 0;
        for (uint32_t j = 0; j < runs->n; j++) before += runs->place[j] < runs->place[i];
        lying.dim[before] = runs->size[i];
        attributes.perm[i] = before;
    }
    bramble_status status = reader_shape(r, value, &lying, &value);
    if (!status) status = reader_add_unary(r, "Transpose", value, &attributes, out);
    return status;
}

bramble_status reader_bring(struct net_reader *r, const struct view *view, const uint8_t *axes, uint32_t n,
                            uint32_t *value)
{
    if (n > NET_RANK_MAX)
        return reader_unsupported(r, "works on %u axes at once, more than %d", n, NET_RANK_MAX);
    struct net_shape shape = {.rank = n};
    for (uint32_t a = 0; a < n; a++) shape.dim[a] = view_axis_length(view, axes[a]);
    uint32_t moved = view->value;
    struct runs runs;
    find_runs(&runs, view, axes, n);
    if (runs.n > 1) {
        bramble_status status = move_runs(r, &runs, moved, &moved);
        if (status) return status;
    }
    return reader_shape(r, moved, &shape, value);
}

bramble_status reader_straighten(struct net_reader *r, const struct view *view, struct view *out)
{
    uint8_t axes[VIEW_AXES_MAX];
    for (uint32_t a = 0; a < view->n_axes; a++) axes[a] = (uint8_t)a;
    struct runs runs;
    find_runs(&runs, view, axes, view->n_axes);
    struct view straight = *view;
    if (runs.n > 1) {
        bramble_status status = move_runs(r, &runs, view->value, &straight.value);
        if (status) return status;
    }
    view_settle_straight(&straight);
    *out = straight;
    return BRAMBLE_OK;
}
