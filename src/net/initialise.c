#include "net/initialise.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/rng.h"
#include "net/kernels/functions.h"

static void draw_uniform(struct rng *rng, float *numbers, size_t n, uint32_t fan_in)
{
    double bound = fan_in ? sqrt(1.0 / fan_in) : 0.0;
    for (size_t i = 0; i < n; i++) numbers[i] = (float)(bound * (2.0 * rng_double(rng) - 1.0));
}

/* Marsaglia's polar method ("A convenient method for generating normal variables", SIAM Review 1964): of a
 * point drawn within the unit circle each coordinate gives one number. */
static void draw_normal(struct rng *rng, float *numbers, size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        double x, y, square;
        do {
            x = 2.0 * rng_double(rng) - 1.0;
            y = 2.0 * rng_double(rng) - 1.0;
            square = x * x + y * y;
        } while (square >= 1.0 || square < 1e-30);
        double stretch = sqrt(-2.0 * (double)float_log((float)square) / square);
        numbers[i] = (float)(x * stretch);
        if (i + 1 < n) numbers[i + 1] = (float)(y * stretch);
    }
}

static void fill(float *numbers, size_t n, float number)
{
    for (size_t i = 0; i < n; i++) numbers[i] = number;
}

static void draw_value(const struct net_value *value, float *numbers, uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed, RNG_WEIGHTS, XXH3_64bits(value->name, strlen(value->name)), 0);
    switch (value->filler) {
    case NET_FILL_ZERO: fill(numbers, value->size, 0.0f); break;
    case NET_FILL_ONE: fill(numbers, value->size, 1.0f); break;
    case NET_FILL_KAIMING:
    case NET_FILL_RECURRENT: draw_uniform(&rng, numbers, value->size, value->fan_in); break;
    case NET_FILL_NORMAL: draw_normal(&rng, numbers, value->size); break;
    }
}

void weights_draw(struct net_graph *graph, uint64_t seed)
{
    for (uint32_t v = 0; v < graph->n_values; v++) {
        const struct net_value *value = &graph->values[v];
        if (value->kind == NET_PARAMETER || value->kind == NET_STATE)
            draw_value(value, graph_numbers(graph, v), seed);
    }
}
