/* Folders are made with all that is above them, for one user alone, and removed with their files only. */
#include <errno.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/paths.h"
#include "scratch.h"

static void test_made_with_all_above(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct stat info;
    assert_true(folders_make(scratch_path(&s, "a/b/c")));
    assert_true(folders_make(s.path)); /* once more */
    assert_int_equal(stat(scratch_path(&s, "a"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_true(folders_make(scratch_path(&s, "d//e/")));
    assert_int_equal(access(scratch_path(&s, "d/e"), F_OK), 0);
    scratch_remove(&s);
}

static void test_something_in_the_way(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    scratch_write(&s, "file", "x", 1);
    assert_false(folders_make(scratch_path(&s, "file")));
    assert_int_equal(errno, ENOTDIR);
    assert_false(folders_make(scratch_path(&s, "file/below")));
    assert_int_equal(errno, ENOTDIR);
    assert_false(folders_make(""));
    scratch_remove(&s);
}

static void test_removed_with_its_files(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    assert_true(folders_make(scratch_path(&s, "gone")));
    scratch_write(&s, "gone/one", "x", 1);
    scratch_write(&s, "gone/.two", "x", 1);
    folder_remove(scratch_path(&s, "gone"));
    assert_int_not_equal(access(scratch_path(&s, "gone"), F_OK), 0);
    assert_true(folders_make(scratch_path(&s, "kept/inner")));
    folder_remove(scratch_path(&s, "kept"));
    assert_int_equal(access(scratch_path(&s, "kept/inner"), F_OK), 0);
    folder_remove(scratch_path(&s, "never was"));
    scratch_remove(&s);
}

static void test_this_program(void **state)
{
    (void)state;
    char *path = program_path();
    assert_non_null(path);
    assert_int_equal(path[0], '/');
    assert_int_equal(access(path, X_OK), 0);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_with_all_above),
        cmocka_unit_test(test_something_in_the_way),
        cmocka_unit_test(test_removed_with_its_files),
        cmocka_unit_test(test_this_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
