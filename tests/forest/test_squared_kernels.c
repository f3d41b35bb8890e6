/* The fast searches of regression against the general one, bit for bit, at every level this processor has;
 * and what each costs (printed, never asserted). */
#include "split_case.h"

#include "base/clock.h"
#include "forest/squared_error.h"

enum { MAX_FEATURES = 64 };

/* A node with several features; codes are by feature. */
struct bench {
    struct split_case node;
    uint32_t n_features;
    uint8_t codes[MAX_FEATURES][CASE_ROWS];
    int64_t centred[CASE_ROWS], centred_sum;
    struct general_scratch *scratch;
    struct squared_cells *cells;
    uint8_t few_codes[(SQUARED_FEW_ROWS + 1) * SQUARED_FEW_LANES], few_weights[SQUARED_FEW_ROWS];
};

static int bench_new(void **state)
{
    struct bench *b = mem_zalloc(1, sizeof *b);
    *state = b;
    if (!b) return -1;
    b->scratch = general_scratch_new(0);
    b->cells = mem_alloc_aligned(1, sizeof *b->cells);
    if (!b->scratch || !b->cells) return -1;
    memset(b->cells, 0, sizeof *b->cells);
    return 0;
}

static int bench_free(void **state)
{
    struct bench *b = *state;
    if (!b) return 0;
    general_scratch_free(b->scratch);
    mem_free(b->cells);
    mem_free(b);
    return 0;
}

static void draw(struct bench *b, uint32_t n, uint32_t n_features, uint32_t most_weight, struct rng *rng)
{
    struct split_case *c = &b->node;
    split_case_draw_rows(c, n, 0, most_weight, rng);
    if (rng_below(rng, 4) == 0) /* few different targets: many ties */
        for (uint32_t i = 0; i < n; i++) c->targets[i] = c->weights[i] * (int64_t)rng_below(rng, 3);
    c->rows.target_sum = 0;
    for (uint32_t i = 0; i < n; i++) c->rows.target_sum += c->targets[i];
    int64_t mean = c->rows.target_sum / (int64_t)c->rows.weight;
    for (uint32_t i = 0; i < n; i++) b->centred[i] = c->targets[i] - mean * c->weights[i];
    b->centred_sum = c->rows.target_sum - mean * (int64_t)c->rows.weight;
    b->n_features = n_features;
    for (uint32_t f = 0; f < n_features; f++) {
        static const uint32_t bins[] = {1, 2, 5, 40, 256, 256};
        split_case_draw_feature(c, bins[rng_below(rng, 6)], false, false, rng);
        memcpy(b->codes[f], f && rng_below(rng, 5) == 0 ? b->codes[f - 1] : c->codes, n);
    }
}

/* The best cut by the general search, feature after feature. */
static struct best_cut search_general(struct bench *b)
{
    struct split_case *c = &b->node;
    struct best_cut best = {-INFINITY, UINT32_MAX, 0};
    const struct feature_bins bins = {.n_bins = 256, .low = c->low, .high = c->high};
    for (uint32_t f = 0; f < b->n_features; f++) {
        struct split found;
        split_search_general(&c->rules, &c->rows, f, &bins, b->codes[f], 1, b->scratch, &found);
        if (found.found) best_cut_offer(&best, found.score, 7 + f, found.bin);
    }
    return best;
}

static struct best_cut search_scan(struct bench *b, const struct squared_kernels *kernels)
{
    struct best_cut best = {-INFINITY, UINT32_MAX, 0};
    for (uint32_t f = 0; f < b->n_features; f++) {
        for (uint32_t i = 0; i < b->node.rows.n; i++) {
            uint8_t cell = squared_cell(b->codes[f][i]);
            b->cells->sum[cell] += b->centred[i];
            b->cells->weight[cell] += b->node.weights[i];
        }
        kernels->scan(b->cells, b->centred_sum, (uint32_t)b->node.rows.weight, 7 + f, &best);
    }
    return best;
}

static struct best_cut search_few(struct bench *b, const struct squared_kernels *kernels)
{
    const struct node_rows *rows = &b->node.rows;
    for (uint32_t i = 0; i < rows->n; i++) {
        b->few_weights[i] = (uint8_t)rows->weights[i];
        for (uint32_t f = 0; f < b->n_features; f++) b->few_codes[i * b->n_features + f] = b->codes[f][i];
    }
    struct best_cut best = {-INFINITY, UINT32_MAX, 0};
    kernels->few(&(struct squared_few){.n = (uint32_t)rows->n,
                                       .weight = (uint32_t)rows->weight,
                                       .n_features = b->n_features,
                                       .first_feature = 7,
                                       .sum = b->centred_sum,
                                       .targets = b->centred,
                                       .weights = b->few_weights,
                                       .codes = b->few_codes},
                 &best);
    return best;
}

static void assert_same_cut(struct best_cut cut, struct best_cut reference, const char *name,
                            const struct bench *b)
{
    if (cut.score == reference.score && cut.feature == reference.feature && cut.bin == reference.bin) return;
    fail_msg("%s: n %zu, weight %lu, %u features: feature %u bin %u score %a, but the general search says %u "
             "%u %a",
             name, b->node.rows.n, (unsigned long)b->node.rows.weight, b->n_features, cut.feature, cut.bin,
             cut.score, reference.feature, reference.bin, reference.score);
}

static const struct squared_kernels *kernels_here(int level)
{
    enum cpu_level parsed;
    const char *name = cpu_level_name((enum cpu_level)level);
    return cpu_level_parse(name, &parsed) ? squared_kernels_get(parsed) : NULL;
}

static void compare(struct bench *b)
{
    static const struct squared_cells empty;
    struct best_cut reference = search_general(b);
    for (int level = 0; level <= CPU_AVX512; level++) {
        const struct squared_kernels *kernels = kernels_here(level);
        if (!kernels) continue;
        const char *name = cpu_level_name((enum cpu_level)level);
        assert_same_cut(search_scan(b, kernels), reference, name, b);
        assert_memory_equal(b->cells, &empty, sizeof empty);
        if (b->node.rows.n <= SQUARED_FEW_ROWS && b->node.rows.weight <= 255)
            assert_same_cut(search_few(b, kernels), reference, name, b);
    }
}

static void every_level_finds_the_cuts_of_the_general_search(void **state)
{
    static const uint32_t heavy[] = {1, 6, 60, 10000, 10000000};
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 21, 0);
    for (int i = 0; i < 1500; i++) {
        uint32_t n = 2 + rng_below(&rng, i % 4 ? 63 : CASE_ROWS - 1);
        draw(*state, n, 1 + rng_below(&rng, 8), heavy[rng_below(&rng, 5)], &rng);
        compare(*state);
    }
}

static void every_number_of_features_works(void **state)
{
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 22, 0);
    for (uint32_t n_features = 1; n_features <= MAX_FEATURES; n_features++)
        for (uint32_t n = 2; n <= SQUARED_FEW_ROWS; n += 1 + rng_below(&rng, 12)) {
            draw(*state, n, n_features, 3, &rng);
            compare(*state);
        }
}

static double seconds_of(struct bench *b, const struct squared_kernels *kernels,
                         struct best_cut (*search)(struct bench *, const struct squared_kernels *))
{
    double least = INFINITY;
    for (int i = 0; i < 5; i++) {
        double start = clock_seconds();
        for (int repeat = 0; repeat < 20; repeat++) search(b, kernels);
        least = fmin(least, (clock_seconds() - start) / 20);
    }
    return least;
}

static void print_times(void **state)
{
    struct bench *b = *state;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 23, 0);
    static const uint32_t rows[] = {4, 8, 16, 24, 32, 48, 64, 400};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        draw(b, rows[i], 10, 2, &rng);
        for (int level = 0; level <= CPU_AVX512; level++) {
            const struct squared_kernels *kernels = kernels_here(level);
            if (!kernels || (level != CPU_PLAIN && kernels == squared_kernels_get(CPU_PLAIN))) continue;
            printf("%4u rows %-7s histogram %7.1f ns a feature", rows[i],
                   cpu_level_name((enum cpu_level)level), seconds_of(b, kernels, search_scan) / 10 * 1e9);
            if (rows[i] <= SQUARED_FEW_ROWS)
                printf(", few rows %7.1f", seconds_of(b, kernels, search_few) / 10 * 1e9);
            printf("\n");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_level_finds_the_cuts_of_the_general_search),
        cmocka_unit_test(every_number_of_features_works),
        cmocka_unit_test(print_times),
    };
    return cmocka_run_group_tests(tests, bench_new, bench_free);
}
