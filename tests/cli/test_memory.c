/* Every allocation of every command failing in turn: an error that says so, and files as they were. */
#include <fcntl.h>

#include "base/mem.h"
#include "command.h"
#include "program.h"

static void *json_alloc(size_t size)
{
    return mem_alloc(size, 1);
}

/* Lets jansson's allocations fail too; not where it reads, as it takes some failures for errors in the text.
 */
static void starve_json(bool starve)
{
    json_set_alloc_funcs(starve ? json_alloc : malloc, starve ? mem_free : free);
}

/* Runs the command in this process, its stdout thrown away. */
static bramble_status run_silently(const char *const *words, bramble_error *error)
{
    int nothing = open("/dev/null", O_WRONLY), kept = dup(1);
    fflush(stdout);
    dup2(nothing, 1);
    bramble_status status = command_line_run((char *const *)words, error);
    fflush(stdout);
    dup2(kept, 1);
    close(nothing);
    close(kept);
    return status;
}

/* `result` (may be NULL) is a file that exists only when the command is done. */
static void starve(struct scratch *s, const char *const *words, const char *result)
{
    unsigned files = scratch_count(s);
    for (size_t n = 1;; n++) {
        bramble_error error = {0};
        mem_fail_at(n, 0);
        bramble_status status = run_silently(words, &error);
        size_t allocations = mem_fail_count();
        mem_fail_at(0, 0);
        if (allocations < n && status) fail_msg("%s", error.message);
        if (allocations < n) break;
        if (!status && result) unlink(result); /* it could do without */
        if (!status) continue;
        if (strstr(error.message, "JSON") && result) unlink(result); /* it was only about telling */
        if (status != BRAMBLE_ERR_MEMORY || !strstr(error.message, "memory"))
            fail_msg("%s, allocation %zu: status %d, %s", words[0], n, (int)status, error.message);
        if (scratch_count(s) != files) fail_msg("%s, allocation %zu leaves a file", words[0], n);
    }
    assert_int_equal(scratch_count(s), files + (result != NULL));
}

#define STARVE(result, ...) starve(&s, (const char *const[]){__VA_ARGS__, NULL}, result)

static void test_every_allocation(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 40, 1);
    write_numbers_csv(&s, "numbers.csv", 40, 1);
    assert_int_equal(chdir(s.folder), 0);
    runs_stay_in(&s);
    starve_json(true);
    STARVE(NULL, "data", "kinds.csv");
    STARVE(NULL, "data", "numbers.csv", "--json");
    STARVE("kinds.onnx", "train", "forest", "kinds.csv", "--trees", "2", "--threads", "1", "--out",
           "kinds.onnx", "--holdout", "0.3", "--oob-score");
    STARVE("numbers.onnx", "train", "forest", "numbers.csv", "--trees", "2", "--threads", "1", "--out",
           "numbers.onnx", "--json");
    starve_json(false);
    STARVE("net.onnx", "train", "net", "kinds.csv", "--net", "linear", "--epochs", "1", "--threads", "1",
           "--out", "net.onnx", "--holdout", "0.3", "--json");
    STARVE(NULL, "compare", "last", "last", "--json");
    STARVE(NULL, "compare", "last", "last");
    STARVE(NULL, "evaluate", "net.onnx", "kinds.csv", "--threads", "1");
    STARVE(NULL, "inspect", "net.onnx");
    STARVE(NULL, "predict", "kinds.onnx", "kinds.csv", "--threads", "1");
    STARVE(NULL, "predict", "kinds.onnx", "kinds.csv", "--threads", "1", "--proba", "--json");
    STARVE("p.npy", "predict", "numbers.onnx", "numbers.csv", "--threads", "1", "--out", "p.npy");
    STARVE(NULL, "evaluate", "kinds.onnx", "kinds.csv", "--threads", "1", "--json");
    STARVE(NULL, "inspect", "kinds.onnx", "--json", "--tree", "0");
    STARVE(NULL, "inspect", "numbers.onnx");
    STARVE(NULL, "runs", "--limit", "3");
    STARVE(NULL, "runs", "--json", "--limit", "3");
    STARVE(NULL, "show", "forest-1", "--events");
    STARVE(NULL, "show", "last", "--events", "--json");
    STARVE(NULL, "train", "forest", "--help");
    STARVE(NULL, "help", "--man", "predict");
    assert_int_equal(chdir(before), 0);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
