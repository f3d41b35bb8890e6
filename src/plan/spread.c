#include "plan/spread.h"

#include <math.h>
#include <stdbool.h>

enum { HALVINGS = 100 };

/* Microbatches that one, or all, can be done with in a time. */
static double fits(double seconds, double time)
{
    return floor(time / seconds * (1 + 1e-12));
}

static double all_fit(const double *seconds, const uint32_t *nodes, uint32_t n, double time)
{
    double sum = 0;
    for (uint32_t g = 0; g < n; g++) sum += nodes[g] * fits(seconds[g], time);
    return sum;
}

/* The least time in which all are done, nearly. */
static double least_time(const double *seconds, const uint32_t *nodes, uint32_t n, double microbatches)
{
    double low = 0, high = INFINITY;
    for (uint32_t g = 0; g < n; g++)
        if (nodes[g]) high = fmin(high, seconds[g] * microbatches);
    for (unsigned i = 0; i < HALVINGS && high - low > high * 1e-12; i++) {
        double middle = (low + high) / 2;
        if (all_fit(seconds, nodes, n, middle) >= microbatches)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static uint32_t put(struct plan_class *classes, uint32_t k, uint32_t group, uint32_t n, double share)
{
    if (n) classes[k++] = (struct plan_class){group, n, (uint32_t)share};
    return k;
}

/* Those who would be done last get one less, as far as there are too many. */
uint32_t plan_spread(struct plan_class *classes, const double *seconds, const uint32_t *nodes,
                     uint32_t n_groups, uint32_t first, uint32_t n_microbatches)
{
    double time = least_time(seconds, nodes, n_groups, n_microbatches);
    double over = all_fit(seconds, nodes, n_groups, time) - n_microbatches;
    uint32_t k = first < n_groups && nodes[first] ? 1 : 0;
    for (uint32_t i = n_groups; i-- > 0;) {
        double share = fits(seconds[i], time);
        bool last = share > 0 && share * seconds[i] > time * (1 - 1e-9);
        uint32_t fewer = last ? (uint32_t)fmin(over, nodes[i]) : 0, own = i == first && nodes[i] ? 1 : 0;
        over -= fewer;
        uint32_t full = nodes[i] - fewer, keeps = own && full ? 1 : 0;
        if (own) classes[0] = (struct plan_class){i, 1, (uint32_t)(keeps ? share : share - 1)};
        k = put(classes, k, i, full - keeps, share);
        k = put(classes, k, i, fewer - (own - keeps), share - 1);
    }
    return k;
}
