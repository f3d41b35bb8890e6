/* What every search of a node offers its cuts to, and the sizes they all know. */
#ifndef FOREST_BEST_CUT_H
#define FOREST_BEST_CUT_H

#include <stdint.h>

enum {
    MAX_BINS = 256,     /* codes of a feature */
    SMALL_WEIGHT = 255, /* nodes up to this weight are counted in bytes by the searches of few rows */
};

/* The best cut so far in a node: features are numbered in the order they were drawn. */
struct best_cut {
    double score;     /* -INFINITY while there is none */
    uint32_t feature; /* UINT32_MAX while there is none */
    uint8_t bin;      /* codes up to this one go left; of categories, those up to this place in their order */
};

/* Takes a cut that scores more, or as much with an earlier feature, or a lower bin of the same one. */
static inline void best_cut_offer(struct best_cut *best, double score, uint32_t feature, uint8_t bin)
{
    if (score < best->score) return;
    if (score == best->score && (feature > best->feature || (feature == best->feature && bin >= best->bin)))
        return;
    *best = (struct best_cut){score, feature, bin};
}

#endif
