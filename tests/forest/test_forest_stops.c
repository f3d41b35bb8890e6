/* Training that does not end well: stopped by its caller, or out of memory at any point. Nothing comes of it,
 * nothing is leaked, and the table is as it was. */
#include "forests.h"

#include "forest/grow.h"

/* What a progress callback saw, and when it stops training. */
struct watch {
    uint32_t done, stop_at, total;
    double seconds;
    bool wrong; /* told anything but how far training is; asserted later, for threads must not */
};

static bool watch_progress(const bramble_progress *progress, void *context)
{
    struct watch *watch = context;
    watch->wrong |= progress->trees_done < watch->done || progress->trees_done > watch->done + 1 ||
                    progress->trees_total != watch->total || progress->seconds < watch->seconds;
    watch->done = progress->trees_done;
    watch->seconds = progress->seconds;
    return watch->done < watch->stop_at;
}

static void progress_is_told_tree_by_tree(void **state)
{
    (void)state;
    struct bramble_table *table = mixed_table(200, (struct mixture){.n_classes = 3});
    bramble_forest_options options = forest_defaults;
    options.trees = 17;
    options.progress = watch_progress;
    for (uint32_t threads = 1; threads < 4; threads++) {
        struct watch watch = {.total = 17, .stop_at = UINT32_MAX};
        options.threads = threads;
        options.progress_context = &watch;
        forest_free(grow(table, &options));
        assert_int_equal(watch.done, 17);
        assert_false(watch.wrong);
    }
    bramble_table_free(table);
}

static void a_callback_can_stop_training(void **state)
{
    (void)state;
    struct bramble_table *table = mixed_table(200, (struct mixture){.n_classes = 3});
    bramble_forest_options options = forest_defaults;
    options.trees = 500;
    options.progress = watch_progress;
    options.oob_score = true;
    for (uint32_t threads = 1; threads < 4; threads++) {
        struct watch watch = {.stop_at = 5, .total = 500};
        bramble_error error = {0};
        struct forest *forest = NULL;
        options.threads = threads;
        options.progress_context = &watch;
        assert_int_equal(forest_fit(&forest, table, &options, NULL, &error), BRAMBLE_ERR_CANCELLED);
        assert_null(forest);
        assert_int_equal(error.status, BRAMBLE_ERR_CANCELLED);
        assert_in_range(watch.done, 5, 4 + threads); /* trees that were nearly done may still be told */
        assert_false(watch.wrong);
    }
    bramble_table_free(table);
}

static bool refuse_to_go_on(void *context)
{
    ++*(uint32_t *)context;
    return false;
}

/* A tree that takes long is not waited for: growing asks every so many rows. */
static void training_stops_within_a_tree(void **state)
{
    (void)state;
    enum { N = 100000, F = 3 };
    float *x = malloc(N * F * sizeof *x);
    double *y = malloc(N * sizeof *y);
    assert_true(x && y);
    struct rng rng;
    rng_init(&rng, 1, RNG_HOLDOUT, 71, 0);
    for (size_t i = 0; i < N * F; i++) x[i] = (float)rng_double(&rng);
    for (size_t i = 0; i < N; i++) y[i] = rng_double(&rng);
    struct bramble_table *table = table_of(N, F, x, y, NULL, BRAMBLE_TASK_REGRESSION);
    struct binned *binned;
    struct codes codes;
    struct grow_rules rules;
    uint32_t asked = 0;
    assert_int_equal(grow_rules_init(&rules, table, &forest_defaults, NULL), BRAMBLE_OK);
    assert_int_equal(binned_new(&binned, table, 1, NULL), BRAMBLE_OK);
    assert_int_equal(codes_init(&codes, binned, 1, NULL), BRAMBLE_OK);
    struct grow_job job = {&rules, table, &codes, gini_kernels_get(CPU_PLAIN), refuse_to_go_on, &asked};
    struct grower *grower = grower_new(&job);
    struct tree tree = {.n_nodes = 7};
    uint64_t importances[F] = {0};
    assert_non_null(grower);
    assert_false(grow_tree(grower, 0, &tree, importances));
    assert_int_equal(asked, 1);
    assert_int_equal(tree.n_nodes, 7);
    for (int f = 0; f < F; f++) assert_int_equal(importances[f], 0);
    grower_free(grower);
    codes_fini(&codes);
    binned_free(binned);
    grow_rules_fini(&rules);
    bramble_table_free(table);
    free(x);
    free(y);
}

/* Stopped at the last tree, it is stopped all the same. */
static void the_last_tree_can_be_refused(void **state)
{
    (void)state;
    struct bramble_table *table = mixed_table(50, (struct mixture){0});
    struct watch watch = {.stop_at = 3, .total = 3};
    bramble_forest_options options = forest_defaults;
    options.trees = 3;
    options.progress = watch_progress;
    options.progress_context = &watch;
    struct forest *forest = NULL;
    assert_int_equal(forest_fit(&forest, table, &options, NULL, NULL), BRAMBLE_ERR_CANCELLED);
    assert_null(forest);
    bramble_table_free(table);
}

/* Each allocation of a training fails in turn, alone or with all after it. Returns how many there were. */
static size_t fail_each(const struct bramble_table *table, const bramble_forest_options *options)
{
    struct hash before = grow_hash(table, options);
    uint64_t checksum = table_checksum(table);
    for (size_t n = 1;; n++) {
        struct forest *forest = NULL;
        bramble_forest_stats stats = {.fit_seconds = -1};
        bramble_error error = {0};
        mem_fail_at(n, n % 2);
        bramble_status status = forest_fit(&forest, table, options, &stats, &error);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        if (!reached) {
            assert_int_equal(status, BRAMBLE_OK);
            struct hash after;
            forest_hash(forest, after.text);
            assert_string_equal(after.text, before.text);
            forest_free(forest);
            assert_true(table_checksum(table) == checksum);
            return n - 1;
        }
        assert_int_equal(status, BRAMBLE_ERR_MEMORY);
        assert_int_equal(error.status, BRAMBLE_ERR_MEMORY);
        assert_non_null(strstr(error.message, "memory"));
        assert_null(forest);
        assert_true(stats.fit_seconds == -1);
    }
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    for (int kind = 0; kind < 6; kind++) {
        struct mixture mix = {.n_classes = kind % 2 ? 3 : 0, .missing = kind > 1, .weights = kind > 3};
        struct bramble_table *table = mixed_table(300, mix);
        bramble_forest_options options = forest_defaults;
        options.trees = 3;
        options.threads = 1;
        options.oob_score = true;
        if (kind >= 2) options.max_leaf_nodes = 140;
        if (kind == 3) options.class_weight = "balanced";
        if (kind == 5) options.class_weight = "balanced_subsample";
        assert_true(fail_each(table, &options) > 30);
        bramble_table_free(table);
    }
}

static void failed_allocations_of_threads_are_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct bramble_table *table = mixed_table(300, (struct mixture){.n_classes = 3, .missing = true});
    for (size_t n = 1; n < 150; n++) {
        struct forest *forest = NULL;
        bramble_forest_options options = forest_defaults;
        options.trees = 6;
        options.threads = 3;
        mem_fail_at(n, n % 2);
        bramble_status status = forest_fit(&forest, table, &options, NULL, NULL);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        forest_free(forest);
    }
    bramble_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_told_tree_by_tree),
        cmocka_unit_test(a_callback_can_stop_training),
        cmocka_unit_test(training_stops_within_a_tree),
        cmocka_unit_test(the_last_tree_can_be_refused),
        cmocka_unit_test(failed_allocations_are_survived),
        cmocka_unit_test(failed_allocations_of_threads_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
