/* Clusters made of some of another's nodes. */
#include <string.h>

#include <bramble/bramble.h>

#include "scratch.h"

static const char three[] =
    "[cluster]\nnetwork = 10.0.0.0/24\nports = 46000-46999\nlocal = no\n"
    "[a]\nhost = a.example\ncores = 2\n[b]\nhost = b.example\nuser = pi\n[c]\nhost = c.example\n";

static bramble_cluster *read_three(struct scratch *s)
{
    bramble_cluster *cluster = NULL;
    scratch_write(s, "cluster.ini", three, strlen(three));
    assert_int_equal(bramble_cluster_read(&cluster, scratch_path(s, "cluster.ini"), NULL), BRAMBLE_OK);
    return cluster;
}

static void test_order_and_fields(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    bramble_cluster *all = read_three(&s), *some = NULL, *again = NULL;
    bramble_node node;
    assert_int_equal(bramble_cluster_select(&some, all, (const size_t[]){2, 1}, 2, NULL), BRAMBLE_OK);
    bramble_cluster_free(all); /* nothing of it is borrowed */
    assert_int_equal(bramble_cluster_n_nodes(some), 2);
    bramble_cluster_node(some, 0, &node);
    assert_string_equal(node.name, "c");
    assert_false(node.answered);
    bramble_cluster_node(some, 1, &node);
    assert_string_equal(node.host, "b.example");
    assert_string_equal(node.user, "pi");
    /* The network and its ports come along. */
    const char *path = scratch_path(&s, "some.ini");
    assert_int_equal(bramble_cluster_write(some, path, NULL), BRAMBLE_OK);
    size_t n;
    char *text = (char *)scratch_slurp(path, &n);
    assert_non_null(memmem(text, n, "network = 10.0.0.0/24", 21));
    assert_non_null(memmem(text, n, "ports = 46000-46999", 19));
    free(text);
    assert_int_equal(bramble_cluster_read(&again, path, NULL), BRAMBLE_OK);
    assert_int_equal(bramble_cluster_n_nodes(again), 2);
    bramble_cluster_free(again);
    bramble_cluster_free(some);
    scratch_remove(&s);
}

static void test_refusals(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    bramble_cluster *all = read_three(&s), *some = NULL;
    bramble_error error = {0};
    assert_int_equal(bramble_cluster_select(&some, all, (const size_t[]){3}, 1, &error), BRAMBLE_ERR_USAGE);
    assert_non_null(strstr(error.message, "no node number 3"));
    assert_int_equal(bramble_cluster_select(&some, all, NULL, 0, &error), BRAMBLE_ERR_USAGE);
    assert_int_equal(bramble_cluster_select(&some, all, (const size_t[]){1, 1}, 2, &error), BRAMBLE_ERR_DATA);
    assert_null(some);
    bramble_cluster_free(all);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order_and_fields),
                                       cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
