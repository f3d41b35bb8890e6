/* Training that does not end well: stopped by its caller, or out of memory at any point. Nothing comes of it,
 * nothing is leaked, and the table is as it was. */
#include "forests.h"

/* What a progress callback saw, and when it stops training. */
struct watch {
    uint32_t calls, stop_at, total;
    double seconds;
    bool wrong; /* told anything but the next tree; asserted later, for threads must not */
};

static bool watch_progress(const bramble_progress *progress, void *context)
{
    struct watch *watch = context;
    watch->calls++;
    watch->wrong |= progress->trees_done != watch->calls || progress->trees_total != watch->total ||
                    progress->seconds < watch->seconds;
    watch->seconds = progress->seconds;
    return watch->calls != watch->stop_at;
}

static void progress_is_told_tree_by_tree(void **state)
{
    (void)state;
    struct bramble_table *table = mixed_table(200, (struct mixture){.n_classes = 3});
    bramble_forest_options options = forest_defaults;
    options.trees = 17;
    options.progress = watch_progress;
    for (uint32_t threads = 1; threads < 4; threads++) {
        struct watch watch = {.total = 17};
        options.threads = threads;
        options.progress_context = &watch;
        forest_free(grow(table, &options));
        assert_int_equal(watch.calls, 17);
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
        assert_in_range(watch.calls, 5, 4 + threads); /* trees that were nearly done may still be told */
        assert_false(watch.wrong);
    }
    bramble_table_free(table);
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
        cmocka_unit_test(the_last_tree_can_be_refused),
        cmocka_unit_test(failed_allocations_are_survived),
        cmocka_unit_test(failed_allocations_of_threads_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
