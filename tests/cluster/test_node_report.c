/* What a node says about itself: read from recorded machines, through JSON and back, and judged. */
#include <math.h>
#include <stdbool.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/mem.h"
#include "cluster/node_hardware.h"
#include "scratch.h"

/* Writes a file of a recorded machine, folders and all. */
static void record(struct scratch *s, const char *path, const char *text)
{
    char whole[512];
    int n = snprintf(whole, sizeof whole, "%s%s", s->folder, path);
    for (int i = (int)strlen(s->folder) + 1; i < n; i++)
        if (whole[i] == '/') {
            whole[i] = 0;
            mkdir(whole, 0755);
            whole[i] = '/';
        }
    FILE *file = fopen(whole, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void forget(struct scratch *s)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", s->folder);
    assert_int_equal(system(command), 0);
}

static void test_a_raspberry_pi(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    record(&s, "/etc/os-release", "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
    record(&s, "/proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4");
    record(&s, "/proc/meminfo", "MemTotal:  1893040 kB\nMemFree: 1 kB\nMemAvailable:  1500000 kB\n");
    record(&s, "/sys/devices/platform/soc/soc:firmware/get_throttled", "50000\n");
    record(&s, "/sys/class/thermal/thermal_zone0/temp", "48686\n");
    record(&s, "/sys/class/thermal/thermal_zone1/temp", "-300000\n");
    struct node_report report = {0};
    node_hardware_read(&report, s.folder);
    assert_string_equal(report.system, "Debian GNU/Linux 12 (bookworm)");
    assert_string_equal(report.model, "Raspberry Pi 4 Model B Rev 1.4");
    assert_int_equal(report.memory_bytes, 1893040ull * 1024);
    assert_int_equal(report.memory_free_bytes, 1500000ull * 1024);
    assert_true(report.under_voltage);
    assert_true(report.throttled);
    assert_true(report.temperature == 48.686);
    assert_true(report.arch[0]);
    forget(&s);
}

static void test_a_container(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    record(&s, "/proc/cpuinfo", "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\n");
    record(&s, "/proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n");
    record(&s, "/proc/self/cgroup", "0::/a/b\n");
    record(&s, "/sys/fs/cgroup/a/memory.max", "2000000000\n");
    record(&s, "/sys/fs/cgroup/a/memory.current", "900000000\n");
    record(&s, "/sys/fs/cgroup/a/memory.stat", "anon 1\nactive_file 300000000\ninactive_file 100000000\n");
    record(&s, "/sys/fs/cgroup/a/b/memory.max", "max\n");
    record(&s, "/sys/class/hwmon/hwmon0/name", "rpi_volt\n");
    record(&s, "/sys/class/hwmon/hwmon0/in0_lcrit_alarm", "1\n");
    struct node_report report = {0};
    node_hardware_read(&report, s.folder);
    assert_string_equal(report.model, "Some CPU @ 3 GHz");
    assert_int_equal(report.memory_bytes, 2000000000);
    assert_int_equal(report.memory_free_bytes, 1500000000);
    assert_true(report.under_voltage);
    assert_false(report.throttled);
    assert_true(isnan(report.temperature));
    record(&s, "/proc/self/cgroup", "12:cpu,memory:/x\n3:memory:/lab/pi\n1:name=systemd:/\n");
    record(&s, "/sys/fs/cgroup/memory/lab/memory.limit_in_bytes", "700000000\n");
    record(&s, "/sys/fs/cgroup/memory/lab/pi/memory.limit_in_bytes", "9223372036854771712\n");
    node_hardware_read(&report, s.folder);
    assert_int_equal(report.memory_bytes, 700000000);
    forget(&s);
}

static void test_nothing_is_told(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct node_report report = {0};
    node_hardware_read(&report, s.folder);
    assert_int_equal(report.memory_bytes, 0);
    assert_string_equal(report.model, "");
    scratch_remove(&s);
}

static void test_json_and_back(void **state)
{
    (void)state;
    struct node_report report, again;
    bramble_error error = {0};
    assert_int_equal(node_report_self(&report, &error), BRAMBLE_OK);
    assert_true(report.cores >= 1 && report.memory_bytes > 0 && report.clock_seconds > 1e9);
    assert_int_equal(strncmp(report.mpi, "Open MPI ", 9), 0);
    report.tree_rate = 12.5;
    char *json = node_report_to_json(&report);
    assert_non_null(json);
    assert_null(strchr(json, '\n'));
    assert_true(node_report_from_json(&again, json, strlen(json)));
    char *same = node_report_to_json(&again);
    assert_string_equal(json, same);
    assert_true(again.tree_rate == 12.5 && isnan(again.gemm_gflops));
    /* cut anywhere it is refused */
    for (size_t n = 0; n < strlen(json); n++) {
        struct node_report none;
        assert_false(node_report_from_json(&none, json, n));
    }
    mem_free(json);
    mem_free(same);
    node_report_fini(&report);
    node_report_fini(&again);
}

/* The good report with one value replaced. */
static bool accepts(const char *good, const char *key, const char *value)
{
    char text[8192], mark[64];
    struct node_report report = {0};
    snprintf(mark, sizeof mark, "\"%s\":", key);
    const char *at = strstr(good, mark);
    assert_non_null(at);
    const char *end = at + strlen(mark);
    end += strcspn(end, *end == '"' ? ",}" : ",}");
    snprintf(text, sizeof text, "%.*s%s%s%s", (int)(at - good), good, mark, value, end);
    bool fine = node_report_from_json(&report, text, strlen(text));
    node_report_fini(&report);
    return fine;
}

static void test_hostile_json(void **state)
{
    (void)state;
    struct node_report report;
    assert_int_equal(node_report_self(&report, NULL), BRAMBLE_OK);
    char *good = node_report_to_json(&report);
    assert_true(accepts(good, "cores", "7"));
    assert_true(accepts(good, "temperature", "40.5"));
    static const char *const bad[][2] = {
        {"cores", "0"},
        {"cores", "-1"},
        {"cores", "1e9"},
        {"cores", "70000"},
        {"cores", "\"4\""},
        {"cores", "null"},
        {"memory_bytes", "-1"},
        {"memory_bytes", "1.5"},
        {"memory_bytes", "99999999999999999999"},
        {"throttled", "1"},
        {"temperature", "[]"},
        {"tree_rate", "\"\""},
        {"core_rate", "\"fast\""},
        {"core_limit", "[1]"},
        {"arch", "7"},
        {"arch", "\"0123456789abcdef\""},
        {"system", "\"a\\nb\""},
        {"system", "\"a\\u0000b\""},
        {"model", "{}"},
        {"program", "null"},
    };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        if (accepts(good, bad[i][0], bad[i][1])) fail_msg("%s: %s was taken", bad[i][0], bad[i][1]);
    assert_false(node_report_from_json(&report, "[]", 2));
    assert_false(node_report_from_json(&report, "{}", 2));
    mem_free(good);
    node_report_fini(&report);
}

/* The good report without one key. */
static bool accepts_without(const char *good, const char *key)
{
    struct node_report report = {0};
    json_t *object = json_loads(good, 0, NULL);
    assert_int_equal(json_object_del(object, key), 0);
    char *text = json_dumps(object, 0);
    bool fine = node_report_from_json(&report, text, strlen(text));
    if (fine) assert_true(isnan(report.core_rate) || isnan(report.core_limit));
    node_report_fini(&report);
    json_decref(object);
    free(text);
    return fine;
}

/* A record that an earlier bramble wrote is read; one that was cut short is not. */
static void test_missing_keys(void **state)
{
    (void)state;
    struct node_report report;
    assert_int_equal(node_report_self(&report, NULL), BRAMBLE_OK);
    assert_true(report.core_rate > 0);
    char *good = node_report_to_json(&report);
    assert_true(accepts_without(good, "core_rate"));
    assert_true(accepts_without(good, "core_limit"));
    assert_false(accepts_without(good, "clock_seconds"));
    assert_false(accepts_without(good, "tree_rate"));
    assert_false(accepts_without(good, "cores"));
    mem_free(good);
    node_report_fini(&report);
}

static void judge(struct node_report report, const struct node_report *ours, bool usable, const char *part)
{
    struct node node = {.name = "pi1", .host = "pi1"};
    char problem[256];
    bool can = node_report_judge(&report, ours, &node, problem, sizeof problem);
    if (can != usable || !strstr(problem, part) || (!*part && *problem)) fail_msg("%d: %s", can, problem);
}

static void test_judging(void **state)
{
    (void)state;
    struct node_report ours = {.version = "1.2.3", .mpi = "Open MPI 4.1.4", .mpi_daemon = true, .cores = 4};
    ours.program = "/usr/bin/bramble";
    ours.memory_bytes = ours.memory_free_bytes = ours.disk_free_bytes = 4000000000;
    struct node_report other = ours;
    judge(ours, &ours, true, "");
    snprintf(other.version, sizeof other.version, "1.2.4");
    judge(other, &ours, false, "bramble cluster install");
    other = ours;
    snprintf(other.mpi, sizeof other.mpi, "Open MPI 4.1.5");
    judge(other, &ours, false, "same release");
    other = ours;
    other.mpi_daemon = false;
    judge(other, &ours, false, "openmpi-bin");
    other = ours;
    other.memory_free_bytes = 10000000;
    judge(other, &ours, false, "10 MB of memory");
    other = ours;
    other.memory_free_bytes = 100000000;
    judge(other, &ours, true, "100 MB of memory");
    other = ours;
    other.under_voltage = true;
    judge(other, &ours, true, "under-voltage");
    other = ours;
    other.throttled = true;
    judge(other, &ours, true, "heat");
    other = ours;
    other.clock_offset_seconds = -3600;
    judge(other, &ours, true, "-3600 s");
    other = ours;
    other.disk_free_bytes = 1000;
    judge(other, &ours, true, "disk");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_raspberry_pi),  cmocka_unit_test(test_a_container),
        cmocka_unit_test(test_nothing_is_told), cmocka_unit_test(test_json_and_back),
        cmocka_unit_test(test_hostile_json),    cmocka_unit_test(test_missing_keys),
        cmocka_unit_test(test_judging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
