/* cluster.ini: what is read from it, what is refused with which words, and that what is written is read back.
 */
#include "cluster/cluster_read.h"

#include <stdbool.h>

#include "base/mem.h"
#include "cluster/node_words.h"
#include "scratch.h"

static struct cluster *read_fine(const char *text)
{
    struct cluster *cluster = NULL;
    bramble_error error = {0};
    if (cluster_read_text(&cluster, "c.ini", text, strlen(text), &error)) fail_msg("%s", error.message);
    return cluster;
}

static void check_text(const char *found, const char *wanted)
{
    if (!wanted) assert_null(found);
    if (wanted) assert_string_equal(found, wanted);
}

static void test_sections(void **state)
{
    (void)state;
    struct cluster *c =
        read_fine("\xef\xbb\xbf# my machines\r\n[cluster]\r\nnetwork = 192.168.1.0/24\n"
                  "ports = 46000 - 46999\nlocal = no\n\n[pi1] ; the first\n  host = 192.168.77.11 # fixed\n"
                  "  user = pi\n cores = 3\n memory = 1.5 GB\nprogram = ~/bin/bramble\n[pi2]\n"
                  "[nas]\nhost: anna@nas.lan\ncores = all\nmemory=512MiB\n");
    assert_string_equal(c->network, "192.168.1.0/24");
    assert_int_equal(c->port_low, 46000);
    assert_int_equal(c->port_high, 46999);
    assert_int_equal(c->n_nodes, 3);
    const struct node wanted[] = {
        {"pi1", "192.168.77.11", "pi", "~/bin/bramble", 3, 1500000000, false},
        {"pi2", "pi2", NULL, NULL, 0, 0, false},
        {"nas", "nas.lan", "anna", NULL, 0, 536870912, false},
    };
    for (unsigned i = 0; i < 3; i++) {
        const struct node *n = &c->nodes[i];
        assert_string_equal(n->name, wanted[i].name);
        assert_string_equal(n->host, wanted[i].host);
        check_text(n->user, wanted[i].user);
        check_text(n->program, wanted[i].program);
        assert_int_equal(n->cores, wanted[i].cores);
        assert_int_equal(n->memory_bytes, wanted[i].memory_bytes);
        assert_int_equal(n->local, wanted[i].local);
    }
    cluster_free(c);
}

static void test_a_plain_list(void **state)
{
    (void)state;
    char own[256];
    own_name(own, sizeof own);
    struct cluster *c = read_fine("# pis\npi1\n  pi@pi2  # the second\n\nfe80::7\n");
    assert_int_equal(c->n_nodes, 4);
    assert_true(c->nodes[0].local);
    assert_string_equal(c->nodes[0].name, own);
    assert_string_equal(c->nodes[1].host, "pi1");
    assert_null(c->nodes[1].user);
    assert_string_equal(c->nodes[2].host, "pi2");
    assert_string_equal(c->nodes[2].user, "pi");
    assert_string_equal(c->nodes[3].name, "fe80::7");
    cluster_free(c);
}

static void test_this_machine(void **state)
{
    (void)state;
    char own[256], text[600];
    own_name(own, sizeof own);
    const char *names[] = {"localhost", own, "127.0.0.1", "::1"};
    for (unsigned i = 0; i < 4; i++) {
        if (!host_is_own(names[i])) continue; /* a machine without IPv6 */
        snprintf(text, sizeof text, "[other]\n[me]\nhost = %s\ncores = 2\n", names[i]);
        struct cluster *c = read_fine(text);
        assert_int_equal(c->n_nodes, 2);
        assert_true(c->nodes[0].local);
        assert_string_equal(c->nodes[0].name, "me");
        assert_int_equal(c->nodes[0].cores, 2);
        cluster_free(c);
    }
    struct cluster *c = read_fine("[cluster]\nlocal = no\n[me]\nhost = localhost\nlocal = no\n");
    assert_int_equal(c->n_nodes, 1);
    assert_false(c->nodes[0].local);
    cluster_free(c);
    c = read_fine("[cluster]\nlocal = yes\n");
    assert_int_equal(c->n_nodes, 1);
    assert_true(c->nodes[0].local);
    cluster_free(c);
    assert_false(host_is_own("192.0.2.1"));
    assert_false(host_is_own("pi1.invalid"));
}

/* The node's own name is taken by another machine. */
static void test_a_name_that_is_taken(void **state)
{
    (void)state;
    char own[256], text[600];
    own_name(own, sizeof own);
    snprintf(text, sizeof text, "[%s]\nhost = elsewhere\n", own);
    struct cluster *c = read_fine(text);
    assert_int_equal(c->n_nodes, 2);
    assert_string_not_equal(c->nodes[0].name, own);
    assert_true(c->nodes[0].local);
    cluster_free(c);
}

static void refuse(const char *text, size_t length, const char *where, const char *part)
{
    struct cluster *cluster = NULL;
    bramble_error error = {0};
    bramble_status status = cluster_read_text(&cluster, "c.ini", text, length, &error);
    bool named = strncmp(error.message, where, strlen(where)) == 0 && strstr(error.message, part);
    if (status != BRAMBLE_ERR_DATA || cluster || !named || strchr(error.message, '\n'))
        fail_msg("%s: status %d: %s", text, (int)status, error.message);
}

static void test_mistakes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *where, *part;
    } mistakes[] = {
        {"", "c.ini: ", "one host a line"},
        {"# nothing\n\n", "c.ini: ", "one host a line"},
        {"[cluster]\nlocal = no\n", "c.ini: ", "one host a line"},
        {"pi1\npi2 pi3\n", "c.ini: line 2: ", "one host a line"},
        {"pi1\n-oProxyCommand\n", "c.ini: line 2: ", "address"},
        {"pi1\npi$(x)\n", "c.ini: line 2: ", "address"},
        {"a@b@c\n", "c.ini: line 1: ", "address"},
        {"@c\n", "c.ini: line 1: ", "address"},
        {"pi1\nPI1\n", "c.ini: line 2: ", "rename"},
        {"pi@pi1\npi1\n", "c.ini: line 2: ", "rename"},
        {"[a]\nhost=x\n[b]\nhost=X\n", "c.ini: line 3: ", "list each machine once"},
        {"[a]\n\n[a]\n", "c.ini: line 3: ", "rename"},
        {"[a]\nlocal=yes\n[b]\nlocal=yes\n", "c.ini: line 3: ", "list it once"},
        {"[a]\nhost=x\nhost=y\n", "c.ini: line 3: ", "twice"},
        {"[a]\nhosts=x\n", "c.ini: line 2: ", "host, user, cores, memory, program or local"},
        {"[cluster]\nport=x\n[a]\n", "c.ini: line 2: ", "network, ports or local"},
        {"host=x\n", "c.ini: line 1: ", "[NAME]"},
        {"[a]\nhost\n", "c.ini: line 2: ", "NAME = VALUE"},
        {"[a\nhost=x\n", "c.ini: line 1: ", "[NAME]"},
        {"[a] host=x\n", "c.ini: line 1: ", "alone on its line"},
        {"[]\nhost=x\n", "c.ini: line 1: ", "letters"},
        {"[a b]\nhost=x\n", "c.ini: line 1: ", "letters"},
        {"[a]\n=x\n", "c.ini: line 2: ", "not a node's setting"},
        {"[a]\nhost=\n", "c.ini: line 2: ", "no value"},
        {"[a]\ncores=0\n", "c.ini: line 1: ", "cores"},
        {"[a]\ncores=-1\n", "c.ini: line 1: ", "cores"},
        {"[a]\ncores=4x\n", "c.ini: line 1: ", "cores"},
        {"[a]\ncores=99999999999999999999\n", "c.ini: line 1: ", "cores"},
        {"[a]\nmemory=2\n", "c.ini: line 1: ", "2 GB"},
        {"[a]\nmemory=1e3 GB\n", "c.ini: line 1: ", "2 GB"},
        {"[a]\nmemory=0 GB\n", "c.ini: line 1: ", "2 GB"},
        {"[a]\nmemory=1.2.3 GB\n", "c.ini: line 1: ", "2 GB"},
        {"[a]\nmemory=99999999999 TB\n", "c.ini: line 1: ", "2 GB"},
        {"[a]\nlocal=maybe\n", "c.ini: line 1: ", "yes"},
        {"[a]\nprogram=bramble\n", "c.ini: line 1: ", "begins with /"},
        {"[a]\nprogram=/bin/\n", "c.ini: line 1: ", "begins with /"},
        {"[a]\nuser=a b\n", "c.ini: line 1: ", "user"},
        {"[cluster]\nports=1-9\n[a]\n", "c.ini: line 2: ", "46000-46999"},
        {"[cluster]\nports=5000\n[a]\n", "c.ini: line 2: ", "46000-46999"},
        {"[cluster]\nports=5000-5003\n[a]\n", "c.ini: line 2: ", "at least 16"},
        {"[cluster]\nports=60000-70000\n[a]\n", "c.ini: line 2: ", "65535"},
        {"[cluster]\nnetwork=home\n[a]\n", "c.ini: line 2: ", "192.168.1.0/24"},
        {"[cluster]\nnetwork=10.0.0.0/33\n[a]\n", "c.ini: line 2: ", "192.168.1.0/24"},
        {"[cluster]\nlocal=x\n[a]\n", "c.ini: line 2: ", "local = yes"},
        {"\x7f"
         "ELF\x01\x02",
         "c.ini: line 1: ", "no text"},
        {"a\n\xff\xfe\n", "c.ini: line 2: ", "no text"},
    };
    for (unsigned i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        refuse(mistakes[i].text, strlen(mistakes[i].text), mistakes[i].where, mistakes[i].part);
    refuse("a\n\0b\n", 5, "c.ini: line 2: ", "no text");
}

static void test_long_lines(void **state)
{
    (void)state;
    char text[400];
    for (size_t length = 150; length < 300; length++) {
        size_t n = (size_t)snprintf(text, sizeof text, "[a]\nhost = x\nprogram = /%0*d\n", (int)length, 7);
        struct cluster *cluster = NULL;
        bramble_error error = {0};
        bramble_status status = cluster_read_text(&cluster, "c.ini", text, n, &error);
        assert_int_equal(status, length + sizeof "program = " <= 180 ? BRAMBLE_OK : BRAMBLE_ERR_DATA);
        if (!status) assert_int_equal(strlen(cluster->nodes[cluster->n_nodes - 1].program), length + 1);
        if (status) assert_int_equal(strncmp(error.message, "c.ini: line 3: ", 15), 0);
        cluster_free(cluster);
    }
}

static void same(const struct cluster *a, const struct cluster *b)
{
    assert_int_equal(a->n_nodes, b->n_nodes);
    assert_int_equal(a->port_low, b->port_low);
    assert_int_equal(a->port_high, b->port_high);
    check_text(a->network, b->network);
    for (size_t i = 0; i < a->n_nodes; i++) {
        assert_string_equal(a->nodes[i].name, b->nodes[i].name);
        assert_string_equal(a->nodes[i].host, b->nodes[i].host);
        check_text(a->nodes[i].user, b->nodes[i].user);
        check_text(a->nodes[i].program, b->nodes[i].program);
        assert_int_equal(a->nodes[i].cores, b->nodes[i].cores);
        assert_int_equal(a->nodes[i].memory_bytes, b->nodes[i].memory_bytes);
        assert_int_equal(a->nodes[i].local, b->nodes[i].local);
    }
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    static const char *const files[] = {
        "pi1\npi@pi2\n",
        "[cluster]\nlocal=no\n[a]\nmemory=1.5 GB\nprogram=~/x y\n[b]\nhost=localhost\nlocal=no\ncores=3\n",
        "[cluster]\nports=2000-3000\nnetwork=fe80::/10\n[a]\nmemory=1537 bytes\nuser=u\n",
        "[cluster]\nlocal=yes\n",
        "[far]\nlocal=yes\nhost=far.lan\n",
    };
    struct scratch s = scratch_new();
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
        struct cluster *before = read_fine(files[i]), *after = NULL;
        bramble_error error = {0};
        assert_int_equal(cluster_write(before, scratch_path(&s, "cluster.ini"), &error), BRAMBLE_OK);
        if (cluster_read(&after, s.path, &error)) fail_msg("%s", error.message);
        same(before, after);
        cluster_free(before);
        cluster_free(after);
    }
    scratch_remove(&s);
}

static void test_files_that_are_not_there(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct cluster *cluster = NULL;
    bramble_error error = {0};
    assert_int_equal(cluster_read(&cluster, scratch_path(&s, "none.ini"), &error), BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "cluster init"));
    assert_int_equal(cluster_read(&cluster, s.folder, &error), BRAMBLE_ERR_IO);
    char *large = calloc(1, 1 << 21);
    memset(large, '\n', 1 << 21);
    scratch_write(&s, "large.ini", large, 1 << 21);
    free(large);
    assert_int_equal(cluster_read(&cluster, s.path, &error), BRAMBLE_ERR_DATA);
    assert_null(cluster);
    scratch_remove(&s);
}

/* Each allocation failing in turn: out of memory, and nothing lost. */
static void test_every_allocation(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    static const char *const files[] = {"pi1\npi@pi2\n",
                                        "[cluster]\nnetwork=10.0.0.0/8\n[a]\nhost=u@x\nprogram=/b\n"};
    for (unsigned i = 0; i < 2; i++) {
        for (size_t n = 1;; n++) {
            struct cluster *cluster = NULL;
            bramble_error error = {0};
            mem_fail_at(n, 0);
            bramble_status status = cluster_read_text(&cluster, "c.ini", files[i], strlen(files[i]), &error);
            bool reached = mem_fail_count() >= n;
            mem_fail_at(0, 0);
            assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
            cluster_free(cluster);
            if (!reached) break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_a_plain_list),
        cmocka_unit_test(test_this_machine),
        cmocka_unit_test(test_a_name_that_is_taken),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_files_that_are_not_there),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
