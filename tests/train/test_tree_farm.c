/* Trees grown as tasks, in any order, from a file: together they are forest_fit's forest. */
#include "farming.h"

#include <pthread.h>

#include "base/threads.h"
#include "train/tree_farm.h"

enum { THREADS = 3, T = 11 };

/* All tasks of a job, in a shuffled order. */
struct work {
    void *context;
    uint32_t order[T];
    void *results[T];
    size_t lengths[T];
};

static bool keep_on(void *context)
{
    (void)context;
    return true;
}

static bool refuse(void *context)
{
    (void)context;
    return false;
}

static void run_task(void *context, uint32_t thread, uint64_t i)
{
    struct work *work = context;
    uint32_t task = work->order[i];
    if (tree_farm.run(work->context, thread, task, keep_on, NULL, &work->results[task], &work->lengths[task],
                      NULL))
        work->results[task] = NULL;
}

static void *open_farm(const bramble_forest_options *options, const char *path)
{
    char *text;
    void *context = NULL;
    bramble_error error;
    assert_int_equal(tree_farm_job(options, &text, NULL), BRAMBLE_OK);
    if (tree_farm.open(&context, text, path, THREADS, &error)) fail_msg("%s", error.message);
    mem_free(text);
    return context;
}

static struct work run_all(const bramble_forest_options *options, const struct bramble_table *table)
{
    struct scratch scratch = scratch_new();
    struct work work = {.context = open_farm(options, write_binned(&scratch, table))};
    struct rng rng;
    rng_init(&rng, options->seed, RNG_HOLDOUT, 4, 0);
    for (uint32_t t = 0; t < T; t++) {
        uint32_t other = rng_below(&rng, t + 1);
        work.order[t] = work.order[other];
        work.order[other] = t;
    }
    threads_run(THREADS, T, run_task, &work);
    tree_farm.close(work.context);
    scratch_remove(&scratch);
    return work;
}

static void free_results(struct work *work)
{
    for (uint32_t t = 0; t < T; t++) mem_free(work->results[t]);
}

static struct tree_farm_harvest *new_harvest(const struct bramble_table *table,
                                             const bramble_forest_options *options)
{
    struct tree_farm_harvest *harvest;
    assert_int_equal(tree_farm_harvest_new(&harvest, table, options, NULL), BRAMBLE_OK);
    return harvest;
}

static void tasks_make_the_forest_of_one_machine(void **state)
{
    (void)state;
    for (int i = 0; i < N_KINDS; i++) {
        struct bramble_table *table;
        struct kind kind = kind_of(i, &table);
        struct work work = run_all(&kind.options, table);
        struct tree_farm_harvest *harvest = new_harvest(table, &kind.options);
        for (uint32_t t = 0; t < 2 * T; t++) { /* everything twice */
            uint32_t task = work.order[t % T];
            assert_non_null(work.results[task]);
            assert_int_equal(
                tree_farm_harvest_add(harvest, task, work.results[task], (uint32_t)work.lengths[task], NULL),
                BRAMBLE_OK);
        }
        struct forest *made, *fitted = grow(table, &kind.options);
        assert_int_equal(tree_farm_harvest_finish(harvest, NULL, NULL, &made, NULL), BRAMBLE_OK);
        tree_farm_harvest_free(harvest);
        assert_same_forest(made, fitted, kind.name);
        forest_free(made);
        forest_free(fitted);
        free_results(&work);
        bramble_table_free(table);
    }
}

/* Near the root a node has more rows than are copied together: a binned file has no columns to sweep there.
 */
static void large_nodes_are_searched_by_row(void **state)
{
    (void)state;
    static const struct {
        size_t n_rows;
        uint32_t n_features;
        bramble_task task;
    } sizes[] = {{12000, 400, BRAMBLE_TASK_CLASSIFICATION}, {120000, 40, BRAMBLE_TASK_REGRESSION}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i].n_rows, width = sizes[i].n_features;
        float *x = malloc(n * width * sizeof *x);
        double *y = malloc(n * sizeof *y);
        struct rng rng;
        rng_init(&rng, 9, RNG_HOLDOUT, 4, 0);
        for (size_t at = 0; at < n * width; at++) x[at] = (float)(rng_u32(&rng) >> 23);
        for (size_t r = 0; r < n; r++) y[r] = floor((x[r * width] + x[r * width + 1] * 2) / 300);
        struct bramble_table *table = table_of(n, (uint32_t)width, x, y, NULL, sizes[i].task);
        bramble_forest_options options = forest_defaults;
        options.trees = T;
        options.max_depth = 5;
        options.max_features = i ? "all" : NULL;
        struct work work = run_all(&options, table);
        struct tree_farm_harvest *harvest = new_harvest(table, &options);
        for (uint32_t t = 0; t < T; t++)
            assert_int_equal(
                tree_farm_harvest_add(harvest, t, work.results[t], (uint32_t)work.lengths[t], NULL),
                BRAMBLE_OK);
        struct forest *made, *fitted = grow(table, &options);
        assert_int_equal(tree_farm_harvest_finish(harvest, NULL, NULL, &made, NULL), BRAMBLE_OK);
        assert_same_forest(made, fitted, "large");
        tree_farm_harvest_free(harvest);
        forest_free(made);
        forest_free(fitted);
        free_results(&work);
        bramble_table_free(table);
        free(x);
        free(y);
    }
}

static void a_forest_is_whole_or_not_made(void **state)
{
    (void)state;
    struct bramble_table *table;
    struct kind kind = kind_of(0, &table);
    struct work work = run_all(&kind.options, table);
    struct tree_farm_harvest *harvest = new_harvest(table, &kind.options);
    struct forest *forest = NULL;
    bramble_error error;
    for (uint32_t t = 0; t < T; t++) {
        if (t == 4 || t == 9) continue;
        assert_int_equal(tree_farm_harvest_add(harvest, t, work.results[t], (uint32_t)work.lengths[t], NULL),
                         BRAMBLE_OK);
    }
    assert_int_equal(tree_farm_harvest_finish(harvest, NULL, NULL, &forest, &error), BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "2 of 11 trees are missing, tree 4 first"));
    assert_int_equal(tree_farm_harvest_add(harvest, 11, work.results[0], (uint32_t)work.lengths[0], &error),
                     BRAMBLE_ERR_DATA);
    assert_int_equal(tree_farm_harvest_add(harvest, 4, work.results[4], 20, &error), BRAMBLE_ERR_DATA);
    for (uint32_t t = 4; t < 10; t += 5)
        assert_int_equal(tree_farm_harvest_add(harvest, t, work.results[t], (uint32_t)work.lengths[t], NULL),
                         BRAMBLE_OK);
    assert_int_equal(tree_farm_harvest_finish(harvest, refuse, NULL, &forest, &error), BRAMBLE_ERR_CANCELLED);
    assert_null(forest);
    assert_int_equal(tree_farm_harvest_finish(harvest, keep_on, NULL, &forest, &error), BRAMBLE_OK);
    struct forest *fitted = grow(table, &kind.options);
    assert_same_forest(forest, fitted, "after a refusal");
    tree_farm_harvest_free(harvest);
    forest_free(forest);
    forest_free(fitted);
    free_results(&work);
    bramble_table_free(table);
}

static void jobs_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    struct bramble_table *table;
    struct kind kind = kind_of(2, &table);
    const char *path = write_binned(&scratch, table);
    void *context = NULL, *result = NULL;
    size_t length;
    char *text;
    bramble_error error;
    assert_int_equal(tree_farm.open(&context, "{", path, 1, &error), BRAMBLE_ERR_DATA);
    kind.options.criterion = BRAMBLE_CRITERION_GINI; /* of a number */
    assert_int_equal(tree_farm_job(&kind.options, &text, NULL), BRAMBLE_OK);
    assert_int_equal(tree_farm.open(&context, text, path, 1, &error), BRAMBLE_ERR_USAGE);
    assert_int_equal(tree_farm.open(&context, text, NULL, 1, &error), BRAMBLE_ERR_USAGE);
    assert_int_equal(tree_farm.open(&context, text, "/nowhere", 1, &error), BRAMBLE_ERR_IO);
    mem_free(text);
    kind.options.criterion = BRAMBLE_CRITERION_AUTO;
    assert_int_equal(tree_farm_job(&kind.options, &text, NULL), BRAMBLE_OK);
    char whole_path[400];
    struct binned_file *whole;
    snprintf(whole_path, sizeof whole_path, "%s", path);
    assert_int_equal(binned_file_read(&whole, whole_path, NULL), BRAMBLE_OK);
    path = scratch_path(&scratch, "shard");
    assert_int_equal(binned_file_write_shard(path, &whole->table, &whole->binned, 2, 8, NULL), BRAMBLE_OK);
    binned_file_free(whole);
    assert_int_equal(tree_farm.open(&context, text, path, 1, &error), BRAMBLE_ERR_USAGE);
    path = whole_path;
    mem_free(text);
    assert_null(context);
    context = open_farm(&kind.options, path);
    assert_int_equal(tree_farm.run(context, 0, T, keep_on, NULL, &result, &length, &error),
                     BRAMBLE_ERR_USAGE);
    assert_null(result);
    tree_farm.close(context);
    scratch_remove(&scratch);
    bramble_table_free(table);
}

static bramble_status open_and_run(const char *text, const char *path)
{
    void *context, *result;
    size_t length;
    bramble_status status = tree_farm.open(&context, text, path, 1, NULL);
    if (status) return status;
    status = tree_farm.run(context, 0, 3, keep_on, NULL, &result, &length, NULL);
    if (!status) mem_free(result);
    tree_farm.close(context);
    return status;
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct scratch scratch = scratch_new();
    struct bramble_table *table;
    struct kind kind = kind_of(3, &table);
    char *text;
    const char *path = write_binned(&scratch, table);
    struct work work = run_all(&kind.options, table);
    assert_int_equal(tree_farm_job(&kind.options, &text, NULL), BRAMBLE_OK);
    size_t survived = 0;
    for (size_t n = 1;; n++) {
        mem_fail_at(n, n % 2);
        bramble_status status = open_and_run(text, path);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        if (!reached) {
            assert_int_equal(status, BRAMBLE_OK);
            assert_true(survived < 2 && n > 30);
            break;
        }
        if (!status)
            survived++; /* to give back memory that is too much may fail */
        else
            assert_int_equal(status, BRAMBLE_ERR_MEMORY);
    }
    kind.options.threads = 1;
    for (size_t n = 1, reached = true; reached; n++) {
        struct tree_farm_harvest *harvest = NULL;
        struct forest *forest = NULL;
        mem_fail_at(n, n % 2);
        bramble_status status = tree_farm_harvest_new(&harvest, table, &kind.options, NULL);
        for (uint32_t t = 0; !status && t < T; t++)
            status = tree_farm_harvest_add(harvest, t, work.results[t], (uint32_t)work.lengths[t], NULL);
        if (!status) status = tree_farm_harvest_finish(harvest, NULL, NULL, &forest, NULL);
        reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        tree_farm_harvest_free(harvest);
        forest_free(forest);
    }
    mem_free(text);
    free_results(&work);
    scratch_remove(&scratch);
    bramble_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_make_the_forest_of_one_machine),
        cmocka_unit_test(large_nodes_are_searched_by_row),
        cmocka_unit_test(a_forest_is_whole_or_not_made),
        cmocka_unit_test(jobs_that_make_no_sense_are_refused),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
