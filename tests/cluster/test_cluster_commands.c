/* bramble cluster, nodes and doctor as people run them, against a real sshd on the loopback address. */
#include <sys/stat.h>

#include "program.h"
#include "ssh_server.h"

static struct ssh_server server;
static bool there;

static void need_server(void)
{
    if (!there) skip();
}

/* cluster.ini in the server's folder, with the built program on the node named good. */
static void write_cluster(const char *text)
{
    char whole[2048];
    int n =
        snprintf(whole, sizeof whole, "%s\n[good]\nprogram = %s/bramble\n", text, getenv("BRAMBLE_BUILD"));
    scratch_write(&server.folder, "cluster.ini", whole, (size_t)n);
}

static const json_t *find(const json_t *object, const char *list, const char *key, const char *value)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(object, list), i, entry)
    {
        const char *text = json_string_value(json_object_get(entry, key));
        if (text && strcmp(text, value) == 0) return entry;
    }
    fail_msg("no %s with %s %s", list, key, value);
    return NULL;
}

static void check_problem(const json_t *found, const char *name, bool usable, const char *part)
{
    const json_t *node = find(found, "nodes", "name", name);
    if (json_is_true(json_object_get(node, "usable")) != usable ||
        !strstr(json_text_of(node, "problem"), part))
        fail_msg("%s: %s", name, json_text_of(node, "problem"));
}

static void test_nodes(void **state)
{
    (void)state;
    need_server();
    struct scratch *s = &server.folder;
    write_cluster(
        "[cluster]\nlocal = no\n[closed]\n[stranger]\n[wrong-key]\n[second]\nprogram = /no/such/bramble\n");
    json_t *found = JSON(s, "nodes", "--no-measure", "--record", "record.json", "--json");
    check_problem(found, "closed", false, "openssh-server");
    check_problem(found, "stranger", false, "not known yet");
    check_problem(found, "wrong-key", false, "ssh-copy-id");
    check_problem(found, "second", false, "/no/such/bramble");
    check_problem(found, "good", true, "");
    const json_t *report = json_object_get(find(found, "nodes", "name", "good"), "report");
    assert_true(json_number_of(report, "cores") >= 1);
    assert_true(json_is_null(json_object_get(report, "tree_rate")));
    json_t *again = JSON(s, "nodes", "--recorded", "record.json", "--json");
    assert_true(json_equal(json_object_get(found, "nodes"), json_object_get(again, "nodes")));
    struct said said = DONE(s, "nodes", "--recorded", "record.json");
    assert_non_null(strstr(said.out, "1 of 5 nodes can be used"));
    said_fini(&said);
    json_decref(found);
    json_decref(again);
}

static void test_nodes_are_measured(void **state)
{
    (void)state;
    need_server();
    write_cluster("[cluster]\nlocal = no");
    json_t *found = JSON(&server.folder, "nodes", "--json");
    const json_t *report = json_object_get(find(found, "nodes", "name", "good"), "report");
    assert_true(json_number_of(report, "tree_rate") > 0);
    assert_true(json_number_of(report, "bandwidth_mbs") > 0);
    assert_true(json_number_of(report, "latency_ms") > 0);
    json_decref(found);
}

static void test_bad_records(void **state)
{
    (void)state;
    need_server();
    struct scratch *s = &server.folder;
    write_cluster("");
    json_decref(JSON(s, "nodes", "--no-measure", "--record", "whole.json", "--json"));
    size_t length;
    char *whole = (char *)scratch_slurp(scratch_path(s, "whole.json"), &length);
    for (size_t n = 0; n + 1 < length; n += 1 + length / 40) {
        scratch_write(s, "cut.json", whole, n);
        FAILS(1, "not a record", s, "nodes", "--recorded", "cut.json");
    }
    whole[length] = 0;
    char *cores = strstr(whole, "\"report\":{");
    assert_non_null(cores);
    memcpy(cores, "\"repork\"", 8);
    scratch_write(s, "cut.json", whole, length);
    FAILS(1, "damaged", s, "nodes", "--recorded", "cut.json");
    FAILS(1, "cannot open", s, "nodes", "--recorded", "none.json");
    FAILS(1, "cluster init", s, "nodes", "--cluster", "none.ini");
    FAILS(2, "choose one", s, "nodes", "--recorded", "a", "--record", "b");
    free(whole);
}

static void test_init(void **state)
{
    (void)state;
    need_server();
    struct scratch *s = &server.folder;
    json_t *made = JSON(s, "cluster", "init", "anna@closed", "stranger", "--out", "made.ini", "--json");
    assert_int_equal(json_array_size(json_object_get(made, "nodes")), 3);
    json_decref(made);
    made = JSON(s, "nodes", "--cluster", "made.ini", "--no-measure", "--json");
    const json_t *node = find(made, "nodes", "name", "closed");
    assert_string_equal(json_text_of(node, "user"), "anna");
    assert_true(json_is_true(json_object_get(json_array_get(json_object_get(made, "nodes"), 0), "local")));
    json_decref(made);
    struct said said = DONE(s, "cluster", "init", "closed", "--no-local", "--out", "made.ini");
    assert_non_null(strstr(said.out, "0 of 1 node can be used"));
    assert_non_null(strstr(said.out, "bramble doctor"));
    said_fini(&said);
    FAILS(2, "no host", s, "cluster", "init", "a b");
    FAILS(1, "two nodes", s, "cluster", "init", "closed", "closed");
    FAILS(2, "HOST", s, "cluster", "init");
    FAILS(1, "cannot write", s, "cluster", "init", "closed", "--out", "/no/such/folder/c.ini");
}

static bool same_bytes(const char *a, const char *b)
{
    size_t n, m;
    uint8_t *x = scratch_slurp(a, &n), *y = scratch_slurp(b, &m);
    bool same = n == m && memcmp(x, y, n) == 0;
    free(x);
    free(y);
    return same;
}

static void check_install(struct said said, int code, const char *part)
{
    if (said.code != code || !strstr(said.out, part))
        fail_msg("code %d: %s%s", said.code, said.out, said.err);
    said_fini(&said);
}

static void test_install(void **state)
{
    (void)state;
    need_server();
    struct scratch *s = &server.folder;
    char text[512], target[128], program[4096];
    snprintf(program, sizeof program, "%s/bramble", getenv("BRAMBLE_BUILD"));
    snprintf(target, sizeof target, "%s/it's bramble", s->folder);
    int n = snprintf(text, sizeof text, "[cluster]\nlocal = no\n[good]\nprogram = %s\n", target);
    scratch_write(s, "cluster.ini", text, (size_t)n);
    unsigned files = scratch_count(s);
    check_install(RUN(s, "cluster", "install"), 0, "installed  good");
    assert_true(same_bytes(target, program) && access(target, X_OK) == 0);
    check_install(RUN(s, "cluster", "install"), 0, "unchanged  good");
    scratch_write(s, "it's bramble", "damaged", 7);
    json_t *said = JSON(s, "cluster", "install", "--json");
    assert_string_equal(json_text_of(find(said, "nodes", "node", "good"), "outcome"), "installed");
    json_decref(said);
    assert_true(same_bytes(target, program));
    check_install(RUN(s, "cluster", "install", "--program", "/bin/false"), 1, "cannot start there");
    assert_true(same_bytes(target, program)); /* and stays as it was */
    assert_int_equal(scratch_count(s), files + 1);
    FAILS(1, "no program", s, "cluster", "install", "--program", "cluster.ini");
    n = snprintf(text, sizeof text, "[cluster]\nlocal = no\n[good]\nprogram = /proc/bramble\n[closed]\n");
    scratch_write(s, "cluster.ini", text, (size_t)n);
    check_install(RUN(s, "cluster", "install"), 1, "failed     closed: refuses ssh");
    unlink(target);
}

static json_t *doctor(struct scratch *s, int code)
{
    struct said said = RUN(s, "doctor", "--json");
    json_t *object = json_loads(said.out, 0, NULL);
    if (said.code != code || !object) fail_msg("code %d: %s%s", said.code, said.out, said.err);
    said_fini(&said);
    return object;
}

/* The check of a node with this name; all of them have a result and a text. */
static void check_found(const json_t *found, const char *node, const char *name, const char *result,
                        const char *part)
{
    size_t i;
    json_t *check;
    json_array_foreach(json_object_get(found, "checks"), i, check)
    {
        const char *of = json_string_value(json_object_get(check, "node"));
        if (strcmp(of ? of : "", node) != 0 || strcmp(json_text_of(check, "check"), name) != 0) continue;
        if (strcmp(json_text_of(check, "result"), result) != 0 || !strstr(json_text_of(check, "text"), part))
            fail_msg("%s %s: %s", node, name, json_text_of(check, "text"));
        return;
    }
    fail_msg("no check %s of %s", name, node);
}

static void test_doctor(void **state)
{
    (void)state;
    need_server();
    write_cluster(
        "[cluster]\nlocal = no\nnetwork = 127.0.0.0/8\n[closed]\n[changed]\n[second]\nprogram = /no/such\n"
        "[nowhere]\nhost = no-such-host.invalid\n");
    json_t *found = doctor(&server.folder, 1);
    check_found(found, "", "mpiexec", "ok", "");
    check_found(found, "closed", "name", "ok", "127.0.0.6");
    check_found(found, "closed", "ssh", "failed", "openssh-server");
    check_found(found, "changed", "ssh", "failed", "ssh-keygen -R");
    check_found(found, "nowhere", "name", "failed", "/etc/hosts");
    check_found(found, "second", "ssh", "ok", "");
    check_found(found, "second", "bramble", "failed", "/no/such");
    check_found(found, "good", "bramble", "ok", "");
    check_found(found, "good", "mpi", "ok", "Open MPI");
    check_found(found, "good", "clock", "ok", "");
    check_found(found, "", "mpi", "ok", "2 ranks met");
    json_decref(found);
}

static void test_doctor_of_this_machine_alone(void **state)
{
    (void)state;
    need_server();
    scratch_write(&server.folder, "cluster.ini", "[cluster]\nlocal = yes\n", 22);
    json_t *found = doctor(&server.folder, 0);
    check_found(found, "", "mpi", "ok", "2 ranks met");
    json_decref(found);
}

static int begin(void **state)
{
    (void)state;
    there = ssh_server_start(&server);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    if (there) ssh_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_nodes_are_measured),
        cmocka_unit_test(test_bad_records),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_install),
        cmocka_unit_test(test_doctor),
        cmocka_unit_test(test_doctor_of_this_machine_alone),
    };
    return cmocka_run_group_tests(tests, begin, finish);
}
