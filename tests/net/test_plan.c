/* Plans: how many phases a network takes, what is done in place, how long tensors are kept, and fusing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/fuse.h"
#include "net/operators.h"
#include "net/plan.h"
#include "nets.h"

enum { BATCH = 128 };

static struct plan plan_of(const struct net_graph *graph, bool training)
{
    struct plan plan;
    bramble_error error = {0};
    if (plan_init(&plan, graph, training, BATCH, &error)) fail_msg("%s", error.message);
    return plan;
}

/* An MLP meets nowhere: everything up to the gradients of its parameters is one phase. */
static void test_phases_of_an_mlp(void **state)
{
    (void)state;
    struct net_graph graph;
    net_mlp(&graph);
    struct plan plan = plan_of(&graph, true);
    assert_int_equal(plan.n_phases, 2);
    assert_int_equal(plan.phases[0].n_steps, 5 + 1 + 5);
    assert_int_equal(plan.phases[0].n_parts, 0);
    assert_int_equal(plan.phases[1].n_steps, 0);
    assert_true(plan.phases[1].n_parts >= 3);
    const struct plan_step *last = &plan.steps[plan.n_steps - 1];
    assert_int_equal(last->work, PLAN_BACKWARD);
    assert_int_equal(last->node, 0);
    assert_int_equal(last->wants, 0); /* nobody trains the data */
    plan_fini(&plan);
    graph_fini(&graph);
}

/* dense, normalisation, relu; a block with a normalised shortcut beside its second normalisation. */
static void test_normalisations_that_share_a_phase(void **state)
{
    (void)state;
    struct net_graph graph;
    graph_init(&graph);
    uint32_t x = net_dense(&graph, net_input(&graph, SHAPE(NET_IN)), 8);
    uint32_t a = net_normalised(&graph, net_dense(&graph, x, 8)),
             b = net_normalised(&graph, net_dense(&graph, x, 8));
    net_finish(&graph, NODE(&graph, "Add", a, b));
    struct plan plan = plan_of(&graph, true);
    assert_int_equal(plan.nodes[graph.values[a].producer].forward_phase, 1);
    assert_int_equal(plan.nodes[graph.values[b].producer].forward_phase, 1);
    assert_int_equal(plan.nodes[graph.values[a].producer].backward_phase, 2);
    assert_int_equal(plan.n_phases, 4); /* forward, loss and gather', backward, gradients */
    plan_fini(&plan);
    graph_fini(&graph);
}

static void test_prediction_is_one_phase(void **state)
{
    (void)state;
    struct net_graph graph;
    net_residual(&graph);
    struct plan plan = plan_of(&graph, false);
    assert_int_equal(plan.n_phases, 1);
    assert_int_equal(plan.whole_bytes, 0);
    assert_int_equal(plan.n_parts, 0);
    assert_int_equal(plan.tensors[graph.input].where, PLAN_INPUT);
    assert_int_equal(plan.tensors[graph.output].where, PLAN_OUTPUT);
    size_t widest = 12 * MICROBATCH * sizeof(float);
    assert_true(plan.thread_bytes <= 3 * widest);
    plan_fini(&plan);
    graph_fini(&graph);
}

static void test_in_place(void **state)
{
    (void)state;
    struct net_graph graph;
    graph_init(&graph);
    uint32_t x = net_dense(&graph, net_input(&graph, SHAPE(NET_IN)), 8);
    uint32_t relu = NODE(&graph, "Relu", x);
    uint32_t twice = NODE(&graph, "Add", relu, relu);
    net_finish(&graph, net_dense(&graph, twice, NET_OUT));
    struct plan plan = plan_of(&graph, true);
    const struct plan_tensor *tensors = plan.tensors;
    assert_int_equal(tensors[relu].offset, tensors[x].offset); /* Gemm does not read its output again */
    assert_int_equal(tensors[plan_gradient(&plan, x)].offset, tensors[plan_gradient(&plan, relu)].offset);
    assert_false(tensors[twice].where == tensors[relu].where &&
                 tensors[twice].offset == tensors[relu].offset); /* Relu does, and both inputs are it */
    plan_fini(&plan);
    graph_fini(&graph);
}

/* What lives within a phase has room for a microbatch a thread; what gradients of parameters read, for all.
 */
static void test_where_tensors_lie(void **state)
{
    (void)state;
    struct net_graph graph;
    graph_init(&graph);
    uint32_t input = net_input(&graph, SHAPE(NET_IN));
    uint32_t first = net_dense(&graph, input, NET_IN), sum = NODE(&graph, "Add", first, input);
    uint32_t squared = NODE(&graph, "Mul", sum, sum), output = net_dense(&graph, squared, NET_OUT);
    net_finish(&graph, output);
    struct plan plan = plan_of(&graph, true);
    assert_int_equal(plan.tensors[input].where, PLAN_INPUT);
    assert_int_equal(plan.tensors[sum].where, PLAN_THREAD);
    assert_int_equal(plan.tensors[squared].where, PLAN_WHOLE);
    assert_int_equal(plan.tensors[plan_gradient(&plan, squared)].where, PLAN_THREAD);
    assert_int_equal(plan.tensors[plan_gradient(&plan, output)].where, PLAN_WHOLE);
    assert_int_equal(plan.tensors[plan_gradient(&plan, input)].where, PLAN_NOWHERE);
    plan_fini(&plan);
    graph_fini(&graph);
}

static void test_fusing(void **state)
{
    (void)state;
    struct net_graph graph, fused;
    graph_init(&graph);
    uint32_t x = net_dense(&graph, net_input(&graph, SHAPE(NET_IN)), 8);
    uint32_t relu = NODE(&graph, "Relu", x);
    uint32_t read_twice = net_dense(&graph, relu, 8), other = NODE(&graph, "Relu", read_twice);
    uint32_t sum = NODE(&graph, "Add", read_twice, other);
    net_finish(&graph, NODE(&graph, "Relu", NODE(&graph, "Relu", sum)));
    assert_int_equal(fuse_init(&fused, &graph, NULL), BRAMBLE_OK);
    assert_int_equal(fused.values[relu].producer, graph.values[x].producer);
    assert_true(fused.nodes[graph.values[x].producer].attributes.relu);
    assert_false(graph.nodes[graph.values[x].producer].attributes.relu);
    assert_false(fused.nodes[graph.values[read_twice].producer].attributes.relu);
    assert_true(fused.nodes[graph.values[sum].producer].attributes.relu);
    struct plan plan = plan_of(&fused, true);
    uint32_t forwards = 0;
    for (uint32_t s = 0; s < plan.n_steps; s++) forwards += plan.steps[s].work == PLAN_FORWARD;
    assert_int_equal(forwards, graph.n_nodes - 2); /* a Relu of a Relu stays */
    plan_fini(&plan);
    fuse_fini(&fused);
    graph_fini(&graph);
}

/* Shares of a chain of equal layers: with normalisation everything is kept once, gradients take turns. */
static void test_memory_of_a_deep_network(void **state)
{
    (void)state;
    struct net_graph graph, fused;
    graph_init(&graph);
    uint32_t x = net_input(&graph, SHAPE(64));
    for (int layer = 0; layer < 30; layer++)
        x = NODE(&graph, "Relu", net_normalised(&graph, net_dense(&graph, x, 64)));
    net_finish(&graph, x);
    assert_int_equal(fuse_init(&fused, &graph, NULL), BRAMBLE_OK);
    struct plan plan = plan_of(&fused, true);
    size_t layer = BATCH * 64 * sizeof(float), kept = 60 * layer;
    assert_true(plan.whole_bytes >= kept);
    assert_true(plan.whole_bytes <= kept + 3 * layer);
    plan_fini(&plan);
    fuse_fini(&fused);
    graph_fini(&graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phases_of_an_mlp),
        cmocka_unit_test(test_normalisations_that_share_a_phase),
        cmocka_unit_test(test_prediction_is_one_phase),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_where_tensors_lie),
        cmocka_unit_test(test_fusing),
        cmocka_unit_test(test_memory_of_a_deep_network),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
