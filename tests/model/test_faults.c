/* Disks that are full, folders that are not ours and memory that runs out, when models are saved and loaded.
 */
#include "hand_forest.h"
#include "scratch.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "model/tree_print.h"

static struct bramble_model *some_model(bramble_task task)
{
    return hand_model(3, &(struct hand_options){.task = task,
                                                .n_classes = task == BRAMBLE_TASK_REGRESSION ? 0 : 3,
                                                .n_features = 4,
                                                .n_trees = 4,
                                                .depth = 4});
}

static void assert_one_line(const bramble_error *error)
{
    assert_non_null(strstr(error->message, "m.onnx: "));
    assert_null(strchr(error->message, '\n'));
}

/* A file that may not grow stands for a full disk: the old model stays, and nothing else. */
static void test_full_disk(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    bramble_error error = {0};
    struct bramble_model *model = some_model(BRAMBLE_TASK_CLASSIFICATION);
    struct rlimit kept, small = {2000, RLIM_INFINITY};
    scratch_write(&scratch, "m.onnx", "old model", 9);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bramble_status status = model_save(model, scratch.path, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &kept), 0);
    assert_int_equal(status, BRAMBLE_ERR_IO);
    assert_one_line(&error);
    size_t n;
    uint8_t *bytes = scratch_slurp(scratch.path, &n);
    assert_int_equal(n, 9);
    assert_memory_equal(bytes, "old model", 9);
    assert_int_equal(scratch_count(&scratch), 1);
    free(bytes);
    model_free(model);
    scratch_remove(&scratch);
}

static void test_folder_that_cannot_be_written(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    bramble_error error = {0};
    struct bramble_model *model = some_model(BRAMBLE_TASK_REGRESSION);
    assert_int_equal(model_save(model, scratch_path(&scratch, "none/m.onnx"), &error), BRAMBLE_ERR_IO);
    assert_one_line(&error);
    if (geteuid() != 0) {
        assert_int_equal(chmod(scratch.folder, 0500), 0);
        assert_int_equal(model_save(model, scratch_path(&scratch, "m.onnx"), &error), BRAMBLE_ERR_IO);
        assert_int_equal(chmod(scratch.folder, 0700), 0);
        assert_one_line(&error);
    }
    assert_int_equal(scratch_count(&scratch), 0);
    model_free(model);
    scratch_remove(&scratch);
}

typedef bramble_status run_fn(const struct bramble_model *model, const char *path, bramble_error *error);

/* One thing done with the n-th allocation failing, until nothing fails. Not jansson's own allocations: it
 * asserts that some succeed. */
static void fail_in_turn(run_fn *run, const struct bramble_model *model, const char *path)
{
    for (size_t n = 1;; n++) {
        bramble_error error = {0};
        mem_fail_at(n, n % 2);
        bramble_status status = run(model, path, &error);
        size_t allocations = mem_fail_count();
        mem_fail_at(0, 0);
        if (n > allocations) {
            assert_int_equal(status, BRAMBLE_OK);
            break;
        }
        /* One may fail without harm: it would make the rename durable. */
        if (status && status != BRAMBLE_ERR_MEMORY) fail_msg("allocation %zu: %s", n, error.message);
    }
}

static bramble_status run_load(const struct bramble_model *model, const char *path, bramble_error *error)
{
    (void)model;
    struct bramble_model *loaded = NULL;
    bramble_status status = model_load(&loaded, path, error);
    assert_int_equal(loaded == NULL, status != BRAMBLE_OK);
    model_free(loaded);
    return status;
}

static bramble_status run_print(const struct bramble_model *model, const char *path, bramble_error *error)
{
    (void)path;
    char *text = NULL;
    bramble_status status = tree_print(&text, model, 0, BRAMBLE_TREE_TEXT, error);
    assert_int_equal(text == NULL, status != BRAMBLE_OK);
    mem_free(text);
    return status;
}

static void test_out_of_memory(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct scratch scratch = scratch_new();
    for (bramble_task task = BRAMBLE_TASK_CLASSIFICATION; task <= BRAMBLE_TASK_REGRESSION; task++) {
        struct bramble_model *model = some_model(task);
        fail_in_turn(model_save, model, scratch_path(&scratch, "m.onnx"));
        assert_int_equal(scratch_count(&scratch), 1);
        fail_in_turn(run_load, model, scratch.path);
        fail_in_turn(run_print, model, scratch.path);
        model_free(model);
    }
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_folder_that_cannot_be_written),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
