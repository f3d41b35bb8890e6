/* bramble bench scaling on this machine alone, and what it refuses. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"

static const char lab_json[] = "{\"nodes\": [{\"name\": \"localhost\", \"cores\": 4, \"memory_mb\": 1930, "
                               "\"speed\": 1.0}]}";

static void write_cluster_of_one(struct scratch *s, const char *name)
{
    char text[4096];
    snprintf(text, sizeof text, "[here]\nhost = localhost\nprogram = %s/bramble\n", getenv("BRAMBLE_BUILD"));
    scratch_write(s, name, text, strlen(text));
}

static void test_one_node(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 3000, 1);
    write_cluster_of_one(&s, "cluster.ini");
    json_t *said = JSON(&s, "bench", "scaling", "kinds.csv", "--seconds", "2", "--json", "--plot", "p.svg");
    assert_true(json_is_false(json_object_get(said, "emulated")));
    assert_int_equal(json_array_size(json_object_get(said, "rows")), 1);
    const json_t *row = json_array_get(json_object_get(said, "rows"), 0);
    assert_string_equal(json_text_of(row, "cluster"), "1 here");
    assert_true(json_number_of(row, "nodes") == 1);
    assert_true(json_number_of(row, "cores") >= 1);
    assert_true(json_number_of(row, "efficiency") == 1);
    assert_true(json_number_of(row, "scalability") == 1);
    assert_true(json_number_of(row, "seconds") > 0);
    assert_true(json_is_true(json_object_get(row, "scaled")));
    assert_true(json_number_of(said, "trees") >= 10);
    json_decref(said);
    struct stat plot;
    assert_int_equal(stat(scratch_path(&s, "p.svg"), &plot), 0);
    assert_true(plot.st_size > 1000);
    scratch_remove(&s);
}

static void test_refusals(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 100, 1);
    write_cluster_of_one(&s, "cluster.ini");
    FAILS(2, "no node of that name", &s, "bench", "scaling", "kinds.csv", "--node", "there");
    FAILS(2, "given twice", &s, "bench", "scaling", "kinds.csv", "--node", "here", "--node", "here");
    FAILS(1, "none.csv", &s, "bench", "scaling", "none.csv");
    FAILS(1, "none.ini", &s, "bench", "scaling", "kinds.csv", "--cluster", "none.ini");
    FAILS(1, "plot.svg", &s, "bench", "scaling", "kinds.csv", "--plot", "no/folder/plot.svg");
    FAILS(2, "--seconds", &s, "bench", "scaling", "kinds.csv", "--seconds", "0");
    FAILS(2, "--emulated", &s, "bench", "scaling", "kinds.csv", "--lab", "--emulated", "lab.json");
    FAILS(1, "lab.json", &s, "bench", "scaling", "kinds.csv", "--emulated", "lab.json");
    scratch_write(&s, "lab.json", "{\"nodes\": [{\"name\": \"a\", \"cores\": 0, \"memory_mb\": 1}]}", 54);
    FAILS(1, "no list of nodes", &s, "bench", "scaling", "kinds.csv", "--emulated", "lab.json");
    scratch_write(&s, "lab.json", lab_json, strlen(lab_json));
    FAILS(2, "no node of that name", &s, "bench", "scaling", "kinds.csv", "--emulated", "lab.json", "--node",
          "b");
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_node), cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
