#include "forest/split.h"

#include <string.h>

#include "base/rng.h"

/* log2 of x >= 1, within 2^-45: x = m 2^e with m near 1, and log2 m as a series in (m - 1) / (m + 1). */
static double log2_fixed_order(double x)
{
    static const double coefficient[] = {
        2.8853900817779268,  0.9617966939259756,  0.57707801635558535, 0.41219858311113239,
        0.32059889797532521, 0.26230818925253880, 0.22195308321368667, 0.19235933878519512,
        0.16972882833987805, 0.15186263588304879, 0.13739952770371080,
    }; /* 2 / (ln 2 (2 i + 1)) */
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    int exponent = (int)(bits >> 52) - 1023;
    bits = (bits & 0x000fffffffffffffu) | 0x3ff0000000000000u;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        exponent++;
    }
    double s = (m - 1) / (m + 1), s2 = s * s, sum = 0;
    for (int i = (int)(sizeof coefficient / sizeof *coefficient) - 1; i >= 0; i--)
        sum = sum * s2 + coefficient[i];
    return exponent + s * sum;
}

int64_t entropy_term(uint64_t x)
{
    if (x < 2) return 0;
    return (int64_t)((double)x * log2_fixed_order((double)x) * 0x1p20 + 0.5);
}

double node_score(const struct node_rows *rows, bramble_criterion criterion)
{
    if (criterion == BRAMBLE_CRITERION_SQUARED_ERROR) {
        int64_t weight = (int64_t)rows->weight;
        double rest = (double)(rows->target_sum - rows->target_sum / weight * weight);
        return rest * rest / (double)rows->weight;
    }
    if (criterion == BRAMBLE_CRITERION_ENTROPY) {
        int64_t sum = -entropy_term(rows->weight);
        for (uint32_t c = 0; c < rows->k; c++) sum += entropy_term(rows->totals[c]);
        return (double)sum;
    }
    uint64_t squares = 0;
    for (uint32_t c = 0; c < rows->k; c++) squares += (uint64_t)rows->totals[c] * rows->totals[c];
    return (double)squares / (double)rows->weight;
}

double split_draw_threshold(const struct split_rules *rules, uint64_t node_key, uint32_t feature,
                            double least, double most)
{
    struct rng rng;
    rng_init(&rng, rules->seed, RNG_THRESHOLD, node_key, feature);
    return least + rng_double(&rng) * (most - least);
}
