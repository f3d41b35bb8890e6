/* Memory that runs out, full disks and folders that are gone, while a network is trained. */
#include <bramble/bramble.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "model/model.h"
#include "scratch.h"

enum { ROWS = 60 };

static bramble_table *small_table(void)
{
    float x[ROWS * 2];
    double y[ROWS];
    for (unsigned i = 0; i < ROWS; i++) {
        x[2 * i] = (float)(i % 7) + 0.5f;
        x[2 * i + 1] = (float)(i % 5);
        y[i] = i % 7 > 3;
    }
    bramble_table *table;
    assert_int_equal(
        bramble_table_from_arrays(&table, ROWS, 2, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION, NULL),
        BRAMBLE_OK);
    return table;
}

static bramble_net_options small_options(void)
{
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
    options.net = "linear";
    options.epochs = 2;
    options.batch_size = 16;
    options.validation = 0.2;
    options.threads = 1;
    options.checkpoint_seconds = 0;
    return options;
}

/* Every allocation failing in turn, once and for good. */
static void starve(int persist)
{
    mem_fail_at(0, 0);
    bramble_table *table = small_table();
    struct scratch s = scratch_new();
    bramble_net_options options = small_options();
    options.checkpoint = scratch_path(&s, "checkpoint");
    bramble_status status = BRAMBLE_ERR_MEMORY;
    for (size_t n = 1; status == BRAMBLE_ERR_MEMORY; n++) {
        bramble_model *model = NULL;
        bramble_error error = {0};
        unlink(options.checkpoint);
        mem_fail_at(n, persist);
        status = bramble_net_train(&model, table, &options, NULL, &error);
        mem_fail_at(0, 0);
        assert_int_equal(status != BRAMBLE_OK, model == NULL);
        if (status) assert_non_null(strstr(error.message, "memory"));
        bramble_model_free(model);
        if (n == 1 && !status) break; /* a build without failing allocations */
    }
    assert_int_equal(status, BRAMBLE_OK);
    bramble_table_free(table);
    scratch_remove(&s);
}

static void test_no_memory(void **state)
{
    (void)state;
    starve(0);
    starve(1);
}

/* A file that may not grow stands for a full disk: the last good checkpoint stays, and nothing else. */
static void test_full_disk(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    bramble_table *table = small_table();
    bramble_net_options options = small_options();
    bramble_model *model = NULL;
    bramble_error error = {0};
    struct rlimit kept, small = {64, RLIM_INFINITY};
    scratch_write(&s, "checkpoint.0000aaaa", "left over", 9);
    options.checkpoint = scratch_path(&s, "checkpoint");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bramble_status status = bramble_net_train(&model, table, &options, NULL, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &kept), 0);
    assert_int_equal(status, BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "checkpoint: "));
    assert_int_not_equal(access(options.checkpoint, F_OK), 0);
    assert_int_equal(rmdir(s.folder), 0); /* nothing was left there */
    status = bramble_net_train(&model, table, &options, NULL, &error);
    assert_int_equal(status, BRAMBLE_ERR_IO); /* nor is the folder there any more */
    bramble_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
