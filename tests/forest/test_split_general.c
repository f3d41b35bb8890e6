/* The general split search against brute force: every threshold, every set of categories, missing values on
 * either side; and what it promises of ties, of the least leaf, and of extra-trees. */
#include "split_case.h"

#include "forest/gini.h"

struct searcher {
    struct split_case node;
    struct general_scratch *classify, *regress;
};

static int searcher_new(void **state)
{
    struct searcher *s = mem_zalloc(1, sizeof *s);
    *state = s;
    if (!s) return -1;
    s->classify = general_scratch_new(CASE_CLASSES);
    s->regress = general_scratch_new(0);
    return s->classify && s->regress ? 0 : -1;
}

static int searcher_free(void **state)
{
    struct searcher *s = *state;
    if (!s) return 0;
    general_scratch_free(s->classify);
    general_scratch_free(s->regress);
    mem_free(s);
    return 0;
}

static struct split search(struct searcher *s, uint64_t key)
{
    struct split_case *c = &s->node;
    struct split found;
    split_search_general(&c->rules, &c->rows, 3, &c->bins, c->codes, key,
                         c->rows.k ? s->classify : s->regress, &found);
    return found;
}

/* A node of n rows with any criterion, and one feature of it. */
static void draw(struct searcher *s, struct rng *rng, uint32_t n, uint32_t n_bins, bool missing,
                 bool categorical)
{
    static const uint32_t heavy[] = {1, 1, 6, 1000, 9000000};
    uint32_t k = rng_below(rng, 3) ? 2 + rng_below(rng, (n < CASE_CLASSES ? n : CASE_CLASSES) - 1) : 0;
    split_case_draw_rows(&s->node, n, k, heavy[rng_below(rng, 5)], rng);
    if (k && rng_below(rng, 2)) s->node.rules.criterion = BRAMBLE_CRITERION_ENTROPY;
    split_case_draw_feature(&s->node, n_bins, missing, categorical, rng);
}

/* The greatest gain of any threshold. */
static long double best_threshold(const struct split_case *c)
{
    long double most = -1;
    bool left[256] = {0};
    for (uint32_t b = 0; b < c->bins.n_bins; b++) {
        left[b] = true;
        for (int side = 0; side <= c->bins.has_missing; side++) {
            if (c->bins.has_missing) left[c->bins.n_bins] = side;
            most = fmaxl(most, split_case_gain(c, left));
        }
    }
    return most;
}

/* The greatest gain of any set of categories. */
static long double best_set(const struct split_case *c)
{
    long double most = -1;
    uint32_t n = c->bins.n_bins + c->bins.has_missing;
    for (uint32_t set = 1; set + 1 < 1u << n; set++) {
        bool left[256] = {0};
        for (uint32_t b = 0; b < n; b++) left[b] = set >> b & 1;
        most = fmaxl(most, split_case_gain(c, left));
    }
    return most;
}

/* The split gains what it says, and no less than `most`, which is the best there is (or an upper bound). */
static void check(const struct split_case *c, const struct split *split, long double most, bool exact)
{
    if (!split->found) {
        assert_true(most < 0);
        return;
    }
    assert_int_equal(split->feature, 3);
    bool left[256];
    split_case_left(c, split, left);
    long double gain = split_case_gain(c, left), slack = split_case_slack(c, split);
    assert_true(gain > -1 + 1e-9L);
    if (fabsl(gain - split_case_claimed(c, split)) > slack || gain > most + slack ||
        (exact && gain < most - slack))
        fail_msg("n %zu k %u weight %lu bins %u%s%s: the gain is %Lg, the search said %Lg, the best is %Lg",
                 c->rows.n, c->rows.k, (unsigned long)c->rows.weight, c->bins.n_bins,
                 c->bins.has_missing ? ", missing" : "", c->bins.categorical ? ", categories" : "", gain,
                 split_case_claimed(c, split), most);
}

/* next_bin: the least present code on the right, or bin itself. */
static void check_next_bin(const struct split_case *c, const struct split *split)
{
    uint32_t next = 256;
    for (uint32_t i = 0; i < c->rows.n; i++)
        if (c->codes[i] < c->bins.n_bins && c->codes[i] > split->bin && c->codes[i] < next)
            next = c->codes[i];
    assert_int_equal(split->next_bin, next == 256 ? split->bin : next);
    assert_true(isnan(split->threshold));
}

static void thresholds_are_the_best_there_are(void **state)
{
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 11, 0);
    for (int i = 0; i < 1200; i++) {
        struct searcher *s = *state;
        draw(s, &rng, 2 + rng_below(&rng, i % 4 ? 30 : 300), 1 + rng_below(&rng, i % 8 ? 12 : 255), i % 2,
             false);
        if (i % 3 == 0) s->node.rules.min_samples_leaf = 1 + rng_below(&rng, 12);
        struct split found = search(s, 1);
        check(&s->node, &found, best_threshold(&s->node), true);
        if (found.found) check_next_bin(&s->node, &found);
    }
}

/* Exact for two classes and for numbers; a heuristic, but an honest one, for more. */
static void sets_of_categories_are_the_best_there_are(void **state)
{
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 12, 0);
    for (int i = 0; i < 600; i++) {
        struct searcher *s = *state;
        draw(s, &rng, 2 + rng_below(&rng, 60), 1 + rng_below(&rng, 7), i % 2, true);
        bool any_leaf = i % 5 == 0;
        if (any_leaf) s->node.rules.min_samples_leaf = 1 + rng_below(&rng, 6);
        struct split found = search(s, 1);
        if (!found.found && any_leaf) continue;
        check(&s->node, &found, best_set(&s->node), s->node.rows.k <= 2 && !any_leaf);
    }
}

/* Many classes: a category's classes tell it apart, and the heuristic must see it. */
static void a_clear_group_of_categories_is_found(void **state)
{
    struct searcher *s = *state;
    struct split_case *c = &s->node;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 13, 0);
    split_case_draw_rows(c, 300, 6, 1, &rng);
    split_case_draw_feature(c, 8, false, true, &rng);
    for (uint32_t i = 0; i < 300; i++) /* even categories: classes 0..2; odd ones: 3..5 */
        c->codes[i] = (uint8_t)(rng_below(&rng, 4) * 2 + (c->classes[i] >= 3));
    struct split found = search(s, 1);
    assert_true(found.found);
    assert_true(found.set[0] == 0x55 || found.set[0] == 0xaa);
}

/* Of equal thresholds the lowest, and missing values rather right than left. */
static void ties_go_to_the_first(void **state)
{
    struct searcher *s = *state;
    struct split_case *c = &s->node;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 14, 0);
    for (int kind = 0; kind < 3; kind++) {
        split_case_draw_rows(c, 4, kind == 2 ? 0 : 2, 1, &rng);
        c->rules.criterion = kind == 0   ? BRAMBLE_CRITERION_GINI
                             : kind == 1 ? BRAMBLE_CRITERION_ENTROPY
                                         : BRAMBLE_CRITERION_SQUARED_ERROR;
        c->rows.target_sum = c->totals[0] = c->totals[1] = 2;
        for (int i = 0; i < 4; i++) {
            c->classes[i] =
                (uint16_t)(i == 1 || i == 2); /* 0 1 1 0: cuts after the first and before the last tie */
            c->targets[i] = c->classes[i];
            c->codes[i] = (uint8_t)(i * 5);
        }
        c->bins = (struct feature_bins){.n_bins = 20, .low = c->low, .high = c->high};
        struct split found = search(s, 1);
        assert_int_equal(found.bin, 0);
        assert_int_equal(found.next_bin, 5);
        c->bins.has_missing = true;
        c->codes[3] = 20; /* 0 | 1 1, and a missing 0 that joins its like */
        found = search(s, 1);
        assert_int_equal(found.bin, 0);
        assert_true(found.missing_left);
        c->codes[0] = c->codes[1] = c->codes[2] = 7;
        found = search(s, 1);
        assert_true(found.found && found.bin == 7 && found.next_bin == 7 && !found.missing_left);
    }
}

static void nothing_to_split_is_not_split(void **state)
{
    struct searcher *s = *state;
    struct split_case *c = &s->node;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 15, 0);
    for (int i = 0; i < 40; i++) {
        draw(s, &rng, 2 + rng_below(&rng, 20), 10, i % 2, i % 4 > 1);
        memset(c->codes, i % 3 == 0 && c->bins.has_missing ? 10 : 4, sizeof c->codes);
        c->rules.random = i > 20;
        assert_false(search(s, 1).found);
    }
}

/* With the fast searches' restrictions, the fast search's plain reference gives the very same cuts. */
static void it_agrees_with_the_fast_search(void **state)
{
    struct searcher *s = *state;
    struct split_case *c = &s->node;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 16, 0);
    static uint32_t cells[CASE_CLASSES * MAX_BINS];
    for (int i = 0; i < 1500; i++) {
        split_case_draw_rows(c, 2 + rng_below(&rng, 300), 2 + rng_below(&rng, 8),
                             i % 2    ? 3
                             : i % 40 ? 300
                                      : 20000,
                             &rng);
        split_case_draw_feature(c, 1 + rng_below(&rng, 256), false, false, &rng);
        for (uint32_t r = 0; r < c->rows.n; r++)
            cells[c->classes[r] * MAX_BINS + gini_cell(c->codes[r])] += c->weights[r];
        struct best_cut best = {-1, UINT32_MAX, 0};
        gini_scan_plain(cells, c->rows.k, c->totals, (uint32_t)c->rows.weight, 3, &best);
        struct split found = search(s, 1);
        assert_int_equal(found.found, best.feature == 3);
        if (!found.found) continue;
        assert_int_equal(found.bin, best.bin);
        assert_true(found.score == best.score);
    }
}

/* Extra-trees: a threshold between the least and the greatest value present, uniform, named by the node's
 * key. */
static void random_thresholds_are_uniform(void **state)
{
    struct searcher *s = *state;
    struct split_case *c = &s->node;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 17, 0);
    split_case_draw_rows(c, 200, 2, 1, &rng);
    split_case_draw_feature(c, 100, false, false, &rng);
    c->rules.random = true;
    for (uint32_t i = 0; i < 200; i++) c->codes[i] = (uint8_t)(20 + i % 50);
    uint32_t quarter[4] = {0};
    for (uint64_t key = 1; key <= 4000; key++) {
        struct split found = search(s, key), again = search(s, key);
        assert_memory_equal(&found, &again, sizeof found);
        assert_in_range(found.bin, 20, 68);
        assert_int_equal(found.next_bin, found.bin + 1);
        assert_true(c->high[found.bin] <= found.threshold && found.threshold < c->low[found.next_bin]);
        quarter[(int)((found.threshold - c->low[20]) / (c->high[69] - c->low[20]) * 4)]++;
        bool left[256];
        split_case_left(c, &found, left);
        long double slack = split_case_slack(c, &found);
        assert_true(fabsl(split_case_gain(c, left) - split_case_claimed(c, &found)) <= slack);
    }
    for (int q = 0; q < 4; q++) assert_in_range(quarter[q], 900, 1100);
}

static void random_splits_are_allowed_ones(void **state)
{
    struct searcher *s = *state;
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 18, 0);
    for (int i = 0; i < 1500; i++) {
        bool categorical = i % 4 > 1;
        draw(s, &rng, 2 + rng_below(&rng, 60), 1 + rng_below(&rng, 8), i % 2, categorical);
        s->node.rules.random = true;
        if (i % 3 == 0) s->node.rules.min_samples_leaf = 1 + rng_below(&rng, 5);
        struct split found = search(s, (uint64_t)i);
        if (!found.found) continue;
        check(&s->node, &found, categorical ? best_set(&s->node) : best_threshold(&s->node), false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thresholds_are_the_best_there_are),
        cmocka_unit_test(sets_of_categories_are_the_best_there_are),
        cmocka_unit_test(a_clear_group_of_categories_is_found),
        cmocka_unit_test(ties_go_to_the_first),
        cmocka_unit_test(nothing_to_split_is_not_split),
        cmocka_unit_test(it_agrees_with_the_fast_search),
        cmocka_unit_test(random_thresholds_are_uniform),
        cmocka_unit_test(random_splits_are_allowed_ones),
    };
    return cmocka_run_group_tests(tests, searcher_new, searcher_free);
}
