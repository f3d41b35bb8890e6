#include "train/net_rows.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"

/* Rows that are still to be drawn, `wanted` of `left`; each of the sets is as likely as any other (Knuth, The
 * Art of Computer Programming 3.4.2, algorithm S). */
struct drawing {
    struct rng rng;
    uint32_t wanted, left;
};

static bool draw(struct drawing *d)
{
    bool taken = rng_below(&d->rng, d->left--) < d->wanted;
    d->wanted -= taken;
    return taken;
}

static void fill(struct net_rows *rows, size_t n_rows, uint64_t seed)
{
    uint32_t kept = rows->n_train + rows->n_validation, train = 0, validation = 0;
    struct drawing keep = {.wanted = kept, .left = (uint32_t)n_rows};
    struct drawing judge = {.wanted = rows->n_validation, .left = kept};
    rng_init(&keep.rng, seed, RNG_MAX_SAMPLES, 0, 0);
    rng_init(&judge.rng, seed, RNG_VALIDATION, 0, 0);
    for (uint32_t r = 0; r < n_rows; r++) {
        if (!draw(&keep)) continue;
        if (draw(&judge))
            rows->validation[validation++] = r;
        else
            rows->train[train++] = r;
    }
}

bramble_status net_rows_draw(struct net_rows *out, size_t n_rows, uint32_t max_samples, double validation,
                             uint64_t seed, bramble_error *error)
{
    if (n_rows >= UINT32_MAX)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED, "a network cannot be trained on more than %u rows",
                         UINT32_MAX - 1);
    uint32_t kept = max_samples && max_samples < n_rows ? max_samples : (uint32_t)n_rows;
    uint32_t judging = validation > 0 ? (uint32_t)fmax(1, round(validation * kept)) : 0;
    if (judging >= kept)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "validation: of %u rows none would be left to train on; set fewer aside", kept);
    struct net_rows rows = {.n_train = kept - judging, .n_validation = judging};
    rows.train = mem_alloc(kept, sizeof *rows.train);
    if (!rows.train) return error_memory(error, "the rows to train on");
    rows.validation = rows.train + rows.n_train;
    fill(&rows, n_rows, seed);
    *out = rows;
    return BRAMBLE_OK;
}

void net_rows_fini(struct net_rows *rows)
{
    mem_free(rows->train);
    *rows = (struct net_rows){0};
}
