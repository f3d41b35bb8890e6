/* What control groups allow, read from recorded folders. */
#include <math.h>

#include "base/cpu_quota.h"
#include "base/paths.h"
#include "base/threads.h"
#include "scratch.h"

static void put(struct scratch *s, const char *folder, const char *name, const char *text)
{
    char path[256];
    assert_true(folders_make(scratch_path(s, folder)));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    scratch_write(s, path, text, strlen(text));
}

static double quota(const struct scratch *s)
{
    return cpu_quota(s->folder);
}

static void test_no_groups(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    assert_true(isinf(quota(&s)));
    put(&s, "proc/self", "cgroup", "rubbish\n::\n5:memory:/a\n0::/a/b\n1:cpu:/a\n");
    assert_true(isinf(quota(&s)));
    scratch_remove(&s);
}

static void test_version_2(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    put(&s, "proc/self", "cgroup", "0::/a/b\n");
    put(&s, "sys/fs/cgroup/a/b", "cpu.max", "max 100000\n");
    assert_true(isinf(quota(&s)));
    put(&s, "sys/fs/cgroup/a", "cpu.max", "150000 100000\n");
    assert_true(quota(&s) == 1.5);
    put(&s, "sys/fs/cgroup/a/b", "cpu.max", "50000 100000\n");
    assert_true(quota(&s) == 0.5);
    put(&s, "sys/fs/cgroup", "cpu.max", "10000 100000\n"); /* a container sees its own group as the root */
    assert_true(quota(&s) == 0.1);
    scratch_remove(&s);
}

static void test_version_1(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    put(&s, "proc/self", "cgroup", "7:cpuset:/x\n3:cpu,cpuacct:/a/b\n0::/\n");
    put(&s, "sys/fs/cgroup/cpuset/x", "cpu.cfs_quota_us", "1\n");
    put(&s, "sys/fs/cgroup/cpu,cpuacct/a/b", "cpu.cfs_period_us", "20000\n");
    put(&s, "sys/fs/cgroup/cpu,cpuacct/a/b", "cpu.cfs_quota_us", "-1\n");
    assert_true(isinf(quota(&s)));
    put(&s, "sys/fs/cgroup/cpu,cpuacct/a/b", "cpu.cfs_quota_us", "5000\n");
    assert_true(quota(&s) == 0.25);
    put(&s, "sys/fs/cgroup/cpu,cpuacct/a/b", "cpu.cfs_period_us", "0\n");
    assert_true(isinf(quota(&s)));
    scratch_remove(&s);
}

static void test_threads(void **state)
{
    (void)state;
    assert_true(threads_available() >= 1);
    assert_true(threads_available() <= fmax(1, round(cpu_quota(""))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_groups),
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
