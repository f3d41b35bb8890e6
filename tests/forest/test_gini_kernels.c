/* The fast kernels against the plain reference: the same cuts, bit for bit, on thousands of random nodes; and
 * what each costs (printed, never asserted). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "forest/gini.h"
#include "forest/split.h"

enum { MAX_ROWS = 3000, MAX_CLASSES = 40, MAX_FEATURES = 64, LEVELS = CPU_AVX512 + 1 };

/* Ways to draw a feature's codes. */
enum codes { CONSTANT, TWO_CODES, FEW_CODES, ALL_CODES, SKEWED, EDGES, COPY, N_CODES };

/* A random node: rows sorted by class, codes by feature. */
struct node {
    uint32_t n, k, weight, n_features;
    uint32_t totals[MAX_CLASSES], begin[MAX_CLASSES + 1];
    uint32_t weights[MAX_ROWS];
    uint16_t classes[MAX_ROWS];
    uint8_t codes[MAX_FEATURES][MAX_ROWS];
};

/* Everything a case needs, allocated once. */
struct bench {
    struct node node;
    uint32_t *cells;
    uint8_t *few_codes, *few_spread, few_weights[GINI_FEW_ROWS];
};

static int bench_new(void **state)
{
    struct bench *b = mem_zalloc(1, sizeof *b);
    *state = b;
    if (!b) return -1;
    b->cells = mem_alloc_aligned(MAX_CLASSES * MAX_BINS, sizeof *b->cells);
    b->few_codes = mem_alloc_aligned((GINI_FEW_ROWS + 1) * GINI_FEW_LANES, 1);
    b->few_spread = mem_alloc_aligned((GINI_FEW_ROWS + 1) * GINI_FEW_LANES, 1);
    if (!b->cells || !b->few_codes || !b->few_spread) return -1;
    memset(b->cells, 0, MAX_CLASSES * MAX_BINS * sizeof *b->cells);
    return 0;
}

static int bench_free(void **state)
{
    struct bench *b = *state;
    if (!b) return 0;
    mem_free(b->cells);
    mem_free(b->few_codes);
    mem_free(b->few_spread);
    mem_free(b);
    return 0;
}

static void draw_codes(struct node *node, uint32_t f, enum codes kind, struct rng *rng)
{
    uint8_t *codes = node->codes[f], some[6];
    for (int i = 0; i < 6; i++) some[i] = (uint8_t)rng_u32(rng);
    static const uint8_t edges[] = {0, 15, 16, 17, 31, 32, 127, 128, 239, 240, 254, 255};
    for (uint32_t i = 0; i < node->n; i++) {
        switch (kind) {
        case CONSTANT: codes[i] = some[0]; break;
        case TWO_CODES: codes[i] = some[rng_below(rng, 2)]; break;
        case FEW_CODES: codes[i] = some[rng_below(rng, 6)]; break;
        case SKEWED: codes[i] = (uint8_t)(rng_below(rng, 256) * rng_below(rng, 256) >> 8); break;
        case EDGES: codes[i] = edges[rng_below(rng, sizeof edges)]; break;
        case COPY: codes[i] = f ? node->codes[f - 1][i] : 0; break; /* ties with the feature before */
        default: codes[i] = (uint8_t)rng_u32(rng);
        }
    }
    if (kind == SKEWED) /* tells classes apart */
        for (uint32_t i = 0; i < node->n; i++) codes[i] = (uint8_t)(codes[i] / 2 + node->classes[i] * 3);
}

static void draw_rows(struct node *node, uint32_t n, uint32_t k, uint32_t most_weight, struct rng *rng)
{
    uint32_t count[MAX_CLASSES] = {0};
    node->n = n;
    for (uint32_t i = 0; i < n; i++) count[i < k ? i : rng_below(rng, k)]++;
    node->k = k;
    for (uint32_t c = 0, i = 0; c < k; c++) {
        node->begin[c] = i;
        for (uint32_t end = i + count[c]; i < end; i++) {
            node->classes[i] = (uint16_t)c;
            node->weights[i] = 1 + rng_below(rng, most_weight);
        }
    }
    node->begin[k] = n;
}

/* Adds up; `weight` (if not 0) is then reached exactly by making rows heavier, where it is more. */
static void settle_weight(struct node *node, uint32_t weight)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < node->n; i++) sum += node->weights[i];
    for (uint32_t i = 0; sum < weight; i++) {
        uint32_t more = (weight - sum) / (node->n - i);
        if (i + 1 == node->n) more = weight - sum;
        node->weights[i] += more;
        sum += more;
    }
    node->weight = sum;
    memset(node->totals, 0, sizeof node->totals);
    for (uint32_t i = 0; i < node->n; i++) node->totals[node->classes[i]] += node->weights[i];
}

static void draw_node(struct node *node, uint32_t n, uint32_t k, uint32_t weight, uint32_t n_features,
                      struct rng *rng)
{
    draw_rows(node, n, k, weight ? 1 : 1 + rng_below(rng, 6), rng);
    settle_weight(node, weight);
    node->n_features = n_features;
    for (uint32_t f = 0; f < n_features; f++) draw_codes(node, f, (enum codes)rng_below(rng, N_CODES), rng);
}

static void fill_cells(struct bench *b, uint32_t f)
{
    const struct node *node = &b->node;
    for (uint32_t i = 0; i < node->n; i++)
        b->cells[(uint32_t)node->classes[i] << 8 | gini_cell(node->codes[f][i])] += node->weights[i];
}

typedef void scan_function(uint32_t *, uint32_t, const uint32_t *, uint32_t, uint32_t, struct best_cut *);

/* The best cut of all features by their histograms. */
static struct best_cut scan_node(struct bench *b, scan_function *scan)
{
    const struct node *node = &b->node;
    struct best_cut best = {-INFINITY, UINT32_MAX, 0};
    for (uint32_t f = 0; f < node->n_features; f++) {
        fill_cells(b, f);
        scan(b->cells, node->k, node->totals, node->weight, 7 + f, &best);
    }
    return best;
}

static struct gini_few few_of(struct bench *b)
{
    const struct node *node = &b->node;
    uint32_t lanes = 8;
    while (lanes < node->n_features) lanes *= 2;
    memset(b->few_codes, 0, (size_t)node->n * lanes + GINI_FEW_LANES);
    for (uint32_t i = 0; i < node->n; i++) {
        b->few_weights[i] = (uint8_t)node->weights[i];
        for (uint32_t f = 0; f < node->n_features; f++) b->few_codes[i * lanes + f] = node->codes[f][i];
    }
    return (struct gini_few){.n = node->n,
                             .k = node->k,
                             .weight = node->weight,
                             .lanes_per_row = lanes,
                             .n_features = node->n_features,
                             .first_feature = 7,
                             .class_begin = node->begin,
                             .totals = node->totals,
                             .weights = b->few_weights,
                             .codes = b->few_codes,
                             .spread = b->few_spread};
}

static struct best_cut few_node(struct bench *b, void (*few)(const struct gini_few *, struct best_cut *))
{
    struct gini_few node = few_of(b);
    struct best_cut best = {-INFINITY, UINT32_MAX, 0};
    few(&node, &best);
    return best;
}

static const struct gini_kernels *kernels_here(int level)
{
    enum cpu_level parsed;
    return cpu_level_parse(cpu_level_name((enum cpu_level)level), &parsed) ? gini_kernels_get(parsed) : NULL;
}

static void assert_same_cut(struct best_cut cut, struct best_cut reference, const char *level,
                            const struct node *node)
{
    if (cut.score == reference.score && cut.feature == reference.feature && cut.bin == reference.bin) return;
    fail_msg("%s: n %u, k %u, weight %u, %u features: feature %u bin %u score %a, but plain says %u %u %a",
             level, node->n, node->k, node->weight, node->n_features, cut.feature, cut.bin, cut.score,
             reference.feature, reference.bin, reference.score);
}

/* Every level's kernels on the node, against the plain ones. */
static void compare(struct bench *b)
{
    struct best_cut reference = scan_node(b, gini_scan_plain);
    bool few = b->node.n <= GINI_FEW_ROWS && b->node.weight <= SMALL_WEIGHT;
    if (few) assert_same_cut(few_node(b, gini_few_plain), reference, "few, plain", &b->node);
    for (int level = 0; level < LEVELS; level++) {
        const struct gini_kernels *kernels = kernels_here(level);
        if (!kernels) continue;
        const char *name = cpu_level_name(kernels->level);
        assert_same_cut(scan_node(b, kernels->scan), reference, name, &b->node);
        for (uint32_t i = 0; i < b->node.k * MAX_BINS; i++)
            if (b->cells[i]) fail_msg("%s: cell %u not cleared", name, i);
        if (few) assert_same_cut(few_node(b, kernels->few), reference, name, &b->node);
    }
}

static void every_level_finds_the_cuts_of_the_reference(void **state)
{
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 1, 0);
    for (int i = 0; i < 1500; i++) {
        uint32_t n = 2 + rng_below(&rng, i % 3 ? 120 : MAX_ROWS - 1);
        uint32_t k = 1 + rng_below(&rng, n < MAX_CLASSES ? n : MAX_CLASSES);
        draw_node(*state, n, i % 2 ? k : (k + 9) / 10, 0, 1 + rng_below(&rng, 12), &rng);
        compare(*state);
    }
}

static void every_number_of_lanes_works(void **state)
{
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 2, 0);
    for (uint32_t n_features = 1; n_features <= MAX_FEATURES; n_features++)
        for (uint32_t n = 2; n < 60; n += 1 + rng_below(&rng, 12)) {
            draw_node(*state, n, 1 + rng_below(&rng, 3), 0, n_features, &rng);
            compare(*state);
        }
}

/* Scores become double above 255; squares fill 32 bits at 65535. */
static void weights_at_the_edges_are_exact(void **state)
{
    static const uint32_t edges[] = {254,   255,   256,   257,   4095,  4097,
                                     32767, 32768, 46340, 46341, 65534, 65535};
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 3, 0);
    for (size_t e = 0; e < sizeof edges / sizeof *edges; e++)
        for (int i = 0; i < 40; i++) {
            uint32_t n = 2 + rng_below(&rng, edges[e] < 1000 ? 200 : 2000),
                     k = n < 10 ? 1 : 1 + rng_below(&rng, 10);
            draw_node(*state, n, i % 4 ? k : 1, edges[e], 4, &rng);
            compare(*state);
        }
}

/* A class that is nearly all, and a cut that parts nearly nothing: sums that round most. */
static void lopsided_nodes_are_exact(void **state)
{
    struct bench *b = *state;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 4, 0);
    for (int i = 0; i < 300; i++) {
        draw_node(&b->node, 2 + rng_below(&rng, 200), 2, 0, 8, &rng);
        b->node.weights[rng_below(&rng, b->node.n)] = 60000 + rng_below(&rng, 4000);
        settle_weight(&b->node, 0);
        compare(b);
    }
}

static double seconds_of(struct bench *b, const struct gini_kernels *kernels, bool few)
{
    double least = INFINITY;
    for (int i = 0; i < 5; i++) {
        double start = clock_seconds();
        for (int repeat = 0; repeat < 20; repeat++) {
            if (few)
                few_node(b, kernels->few);
            else
                scan_node(b, kernels->scan);
        }
        double taken = (clock_seconds() - start) / 20;
        if (taken < least) least = taken;
    }
    return least;
}

static void time_shape(struct bench *b, uint32_t n, uint32_t k)
{
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 5, 0);
    draw_rows(&b->node, n, k, 2, &rng);
    settle_weight(&b->node, 0);
    b->node.n_features = 28;
    for (uint32_t f = 0; f < b->node.n_features; f++)
        draw_codes(&b->node, f, f % 2 ? SKEWED : ALL_CODES, &rng);
    for (int level = 0; level < LEVELS; level++) {
        const struct gini_kernels *kernels = kernels_here(level);
        if (!kernels || (kernels->level == CPU_PLAIN && level != CPU_PLAIN)) continue;
        double visits = b->node.n_features / 1e9;
        printf("%5u rows %2u classes %-7s histogram %8.1f ns a feature", n, k, cpu_level_name(kernels->level),
               seconds_of(b, kernels, false) / visits);
        if (b->node.weight <= SMALL_WEIGHT && kernels->few_rows)
            printf(", few rows %8.1f", seconds_of(b, kernels, true) / visits);
        printf("\n");
    }
}

static void print_times(void **state)
{
    static const uint32_t rows[] = {8, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 600, 3000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        time_shape(*state, rows[i], 2);
        if (rows[i] > 8) time_shape(*state, rows[i], 5);
        if (rows[i] > 16) time_shape(*state, rows[i], 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_finds_the_cuts_of_the_reference),
        cmocka_unit_test(every_number_of_lanes_works),
        cmocka_unit_test(weights_at_the_edges_are_exact),
        cmocka_unit_test(lopsided_nodes_are_exact),
        cmocka_unit_test(print_times),
    };
    return cmocka_run_group_tests(tests, bench_new, bench_free);
}
