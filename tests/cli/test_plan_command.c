/* bramble plan: predictions that hold together, without any other machine; and what it refuses. */
#include <string.h>

#include "program.h"

/* A record of nodes `pi` and `desk`, whose link is `mbs`; free memory of `pi` in bytes. */
static void write_record(struct scratch *s, const char *name, double mbs, double memory)
{
    char text[4096];
    static const char node[] =
        "{\"name\":\"%s\",\"host\":\"%s\",\"user\":null,\"program\":null,\"cores\":0,\"memory_bytes\":0,"
        "\"local\":%s,\"usable\":true,\"problem\":\"\",\"report\":{\"program\":\"bramble\",\"arch\":\"x86_"
        "64\","
        "\"system\":\"s\",\"model\":\"m\",\"bramble\":\"1\",\"mpi\":\"m\",\"kernels\":\"avx2\","
        "\"mpi_daemon\":true,\"cores\":4,\"memory_bytes\":4000000000,\"memory_free_bytes\":%.0f,"
        "\"disk_free_bytes\":1000000000,\"clock_seconds\":1.0,\"clock_offset_seconds\":0.0,"
        "\"under_voltage\":false,\"throttled\":false,\"temperature\":null,\"core_rate\":400.0,"
        "\"core_limit\":null,\"tree_rate\":%.1f,\"gemm_gflops\":%.1f,\"bandwidth_mbs\":%s,\"latency_ms\":%s}"
        "}";
    char link[32];
    snprintf(link, sizeof link, "%.6f", mbs);
    int n = snprintf(text, sizeof text, "{\"format\":\"bramble-nodes-1\",\"recorded\":1,\"nodes\":[");
    n += snprintf(text + n, sizeof text - (size_t)n, node, "desk", "desk", "true", 3e9, 4000.0, 400.0, "null",
                  "null");
    n += snprintf(text + n, sizeof text - (size_t)n, ",");
    n += snprintf(text + n, sizeof text - (size_t)n, node, "pi", "pi", "false", memory, 1000.0, 100.0, link,
                  "0.2");
    n += snprintf(text + n, sizeof text - (size_t)n, "]}");
    scratch_write(s, name, text, (size_t)n);
}

static const json_t *way_of(const json_t *plan, const char *name)
{
    size_t i;
    const json_t *way;
    json_array_foreach(json_object_get(plan, "ways"), i,
                       way) if (strcmp(json_text_of(way, "name"), name) == 0) return way;
    fail_msg("no way \"%s\"", name);
    return NULL;
}

static double taken_of(const json_t *way, size_t node)
{
    return json_number_of(json_array_get(json_object_get(way, "of_nodes"), node), "taken");
}

/* What holds of every plan: ranges hold the prediction, and nodes are taken only where they help. */
static void check_ways(const json_t *plan)
{
    size_t i;
    const json_t *way;
    unsigned best = 0;
    double alone = json_number_of(way_of(plan, "alone"), "seconds_a_step");
    json_array_foreach(json_object_get(plan, "ways"), i, way)
    {
        if (!json_is_true(json_object_get(way, "possible"))) continue;
        double step = json_number_of(way, "seconds_a_step");
        assert_true(json_number_of(way, "seconds_a_step_low") <= step);
        assert_true(json_number_of(way, "seconds_a_step_high") >= step);
        assert_true(json_number_of(way, "seconds_low") <= json_number_of(way, "seconds_high"));
        assert_true(json_number_of(way, "efficiency") > 0 && json_number_of(way, "efficiency") < 1.01);
        assert_true(json_number_of(way, "memory_bytes") > 0);
        if (json_is_true(json_object_get(way, "exact"))) assert_true(step <= alone * 1.002);
        best += json_is_true(json_object_get(way, "best"));
    }
    assert_int_equal(best, 1);
}

static void test_added(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_numbers_csv(&s, "numbers.csv", 2000, 1);
    json_t *plan = JSON(&s, "plan", "--net", "mlp", "--data", "numbers.csv", "--add", "2xpi5", "--add",
                        "9000xpi4", "--link", "internet", "--epochs", "3", "--json");
    const json_t *nodes = json_object_get(plan, "nodes");
    assert_string_equal(json_text_of(plan, "format"), "bramble-plan-1");
    assert_true(json_number_of(plan, "samples") == 6000);
    assert_true(json_number_of(plan, "sample_seconds") > 0);
    assert_int_equal(json_array_size(nodes), 3);
    assert_string_equal(json_text_of(json_array_get(nodes, 1), "name"), "pi5");
    assert_true(json_number_of(json_array_get(nodes, 2), "count") == 9000);
    assert_true(json_is_true(json_object_get(json_array_get(nodes, 0), "measured")));
    assert_true(json_is_false(json_object_get(json_array_get(nodes, 1), "measured")));
    assert_true(json_number_of(json_array_get(nodes, 1), "spread") >
                json_number_of(json_array_get(nodes, 0), "spread") * 0.99);
    assert_true(json_number_of(json_array_get(nodes, 1), "rate") >
                json_number_of(json_array_get(nodes, 2), "rate"));
    check_ways(plan);
    assert_true(taken_of(way_of(plan, "ring"), 2) < 9000);
    json_decref(plan);
    scratch_remove(&s);
}

/* Planned from a file, without the nodes: one behind a bad link, or without memory, is left out. */
static void test_recorded(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_numbers_csv(&s, "numbers.csv", 2000, 1);
    write_record(&s, "slow.json", 0.001, 1e9);
    json_t *plan = JSON(&s, "plan", "--net", "mlp", "--data", "numbers.csv", "--recorded", "slow.json",
                        "--batch-size", "512", "--json");
    check_ways(plan);
    const json_t *ring = way_of(plan, "ring");
    assert_true(taken_of(ring, 0) == 1 && taken_of(ring, 1) == 0);
    const json_t *pi = json_array_get(json_object_get(ring, "of_nodes"), 1);
    assert_non_null(strstr(json_text_of(pi, "reason"), "longer"));
    assert_string_equal(json_text_of(pi, "bound"), "bandwidth");
    assert_true(json_number_of(pi, "seconds_a_step") > json_number_of(ring, "seconds_a_step"));
    json_decref(plan);
    scratch_remove(&s);
}

static void test_forest(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_numbers_csv(&s, "numbers.csv", 2000, 1);
    write_record(&s, "home.json", 100, 1e9);
    json_t *plan =
        JSON(&s, "plan", "--trees", "100000", "--data", "numbers.csv", "--recorded", "home.json", "--json");
    check_ways(plan);
    const json_t *nodes = json_object_get(plan, "nodes");
    double desk = json_number_of(json_array_get(nodes, 0), "rate");
    double pi = json_number_of(json_array_get(nodes, 1), "rate");
    assert_true(desk > 3.99 * pi && desk < 4.01 * pi); /* as their tree rates */
    assert_true(taken_of(way_of(plan, "trees"), 0) == 1);
    json_decref(plan);
    scratch_remove(&s);
}

static void test_refusals(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_numbers_csv(&s, "numbers.csv", 100, 1);
    write_record(&s, "home.json", 100, 1e9);
    FAILS(2, "--data is missing", &s, "plan", "--net", "mlp");
    FAILS(2, "choose one of --net", &s, "plan", "--data", "numbers.csv");
    FAILS(2, "choose one of --net", &s, "plan", "--data", "numbers.csv", "--net", "mlp", "--trees", "1");
    FAILS(2, "no such board", &s, "plan", "--data", "numbers.csv", "--trees", "1", "--add", "3xtoaster");
    FAILS(2, "no such board", &s, "plan", "--data", "numbers.csv", "--trees", "1", "--add", "0xpi5");
    FAILS(2, "no such link", &s, "plan", "--data", "numbers.csv", "--trees", "1", "--add", "pi5", "--link",
          "rope");
    FAILS(2, "--link", &s, "plan", "--data", "numbers.csv", "--trees", "1", "--link", "wifi");
    FAILS(2, "choose one", &s, "plan", "--data", "numbers.csv", "--trees", "1", "--cluster", "a.ini",
          "--recorded", "home.json");
    FAILS(1, "none.json", &s, "plan", "--data", "numbers.csv", "--trees", "1", "--recorded", "none.json");
    scratch_write(&s, "bad.json", "{\"format\":\"bramble-nodes-1\",\"nodes\":[{}]}", 42);
    FAILS(1, "bad.json", &s, "plan", "--data", "numbers.csv", "--trees", "1", "--recorded", "bad.json");
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_added),
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_forest),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
