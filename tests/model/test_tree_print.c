/* Trees as people see them. */
#include "hand_forest.h"

#include "model/tree_print.h"

/* number x1 <= 0.1 ? (category "größe" in ... ? class 0 : shares) : class 2 */
static struct bramble_model *small_model(void)
{
    struct bramble_model *model = hand_shell(&(struct hand_options){
        .task = BRAMBLE_TASK_CLASSIFICATION, .n_classes = 3, .n_features = 3, .n_trees = 2});
    struct tree *tree = &model->forest->trees[1];
    tree->n_nodes = 5;
    tree->n_sets = 1;
    tree->n_values = 3;
    tree->nodes = mem_zalloc(5, sizeof *tree->nodes);
    tree->sets = mem_zalloc(1, sizeof *tree->sets);
    tree->values = mem_zalloc(3, sizeof *tree->values);
    tree->nodes[0] = (struct tree_node){
        .kind = TREE_NUMERIC, .feature = 1, .threshold = 0.1f, .right = 4, .missing_left = 1, .cover = 100};
    tree->nodes[1] = (struct tree_node){.kind = TREE_CATEGORY, .feature = 2, .right = 3, .cover = 60.5f};
    tree->nodes[2] = (struct tree_node){.pure = 1, .class_id = 0, .cover = 20};
    tree->nodes[3] = (struct tree_node){.cover = 40.5f};
    tree->nodes[4] = (struct tree_node){.pure = 1, .class_id = 2, .cover = 39.5f};
    tree->sets[0].word[0] = 5;
    tree->values[1] = 0.25f;
    tree->values[2] = 0.75f;
    return model;
}

static void assert_printed(const struct bramble_model *model, uint32_t t, bramble_tree_format format,
                           const char *expected)
{
    char *text;
    assert_int_equal(tree_print(&text, model, t, format, NULL), BRAMBLE_OK);
    assert_string_equal(text, expected);
    mem_free(text);
}

static void test_text(void **state)
{
    (void)state;
    struct bramble_model *model = small_model();
    assert_printed(model, 1, BRAMBLE_TREE_TEXT,
                   "x1 <= 0.1, missing: yes  (cover 100)\n"
                   "  yes: x2 in {caf\xe9"
                   "000, caf\xe9"
                   "002}, missing: no  (cover 60.5)\n"
                   "    yes: class 3  (cover 20)\n"
                   "    no: class 11 0.75, class 7 0.25  (cover 40.5)\n"
                   "  no: class 11  (cover 39.5)\n");
    model_free(model);
}

static void test_graphviz(void **state)
{
    (void)state;
    struct bramble_model *model = small_model();
    mem_free(model->schema.features[1].name);
    model->schema.features[1].name = mem_strdup("a \"b\"\\\n");
    assert_printed(model, 1, BRAMBLE_TREE_DOT,
                   "digraph tree1 {\n"
                   "    node [shape=box];\n"
                   "    n0 [label=\"a \\\"b\\\"\\\\? <= 0.1, missing: yes\\ncover 100\"];\n"
                   "    n0 -> n1 [label=\"yes\"];\n"
                   "    n0 -> n4 [label=\"no\"];\n"
                   "    n1 [label=\"x2 in {caf\xe9"
                   "000, caf\xe9"
                   "002}, missing: no\\ncover 60.5\"];\n"
                   "    n1 -> n2 [label=\"yes\"];\n"
                   "    n1 -> n3 [label=\"no\"];\n"
                   "    n2 [label=\"class 3\\ncover 20\"];\n"
                   "    n3 [label=\"class 11 0.75, class 7 0.25\\ncover 40.5\"];\n"
                   "    n4 [label=\"class 11\\ncover 39.5\"];\n"
                   "}\n");
    model_free(model);
}

static void test_long_lists_are_cut(void **state)
{
    (void)state;
    struct bramble_model *model = hand_shell(&(struct hand_options){
        .task = BRAMBLE_TASK_CLASSIFICATION, .n_classes = 7, .n_features = 6, .n_trees = 1});
    struct tree *tree = &model->forest->trees[0];
    tree->n_nodes = 3;
    tree->nodes = mem_zalloc(3, sizeof *tree->nodes);
    tree->sets = mem_zalloc(1, sizeof *tree->sets);
    tree->values = mem_zalloc(7, sizeof *tree->values);
    tree->nodes[0] = (struct tree_node){.kind = TREE_CATEGORY, .feature = 5, .right = 2, .cover = 2};
    tree->nodes[1] = (struct tree_node){.cover = 1};
    tree->nodes[2] = (struct tree_node){.pure = 1, .cover = 1};
    memset(tree->sets[0].word, 0xff, sizeof tree->sets[0].word);
    for (int c = 0; c < 7; c++) tree->values[c] = 1.0f / 7;
    char *text;
    assert_int_equal(tree_print(&text, model, 0, BRAMBLE_TREE_TEXT, NULL), BRAMBLE_OK);
    assert_non_null(strstr(text, "007, ... 247 more}, missing: no"));
    assert_non_null(strstr(text,
                           "yes: class 3 0.143, class 7 0.143, class 11 0.143, class 15 0.143, class 19 "
                           "0.143, ...  (cover 1)\n"));
    mem_free(text);
    model_free(model);
}

/* Deep trees: no recursion, and indentation ends somewhere. */
static void test_deep_chain(void **state)
{
    (void)state;
    struct bramble_model *model = hand_chain(20000);
    char *text;
    assert_int_equal(tree_print(&text, model, 0, BRAMBLE_TREE_TEXT, NULL), BRAMBLE_OK);
    assert_true(strlen(text) < 20000 * 500);
    assert_non_null(strstr(text, "x1 <= 19999, missing: no"));
    mem_free(text);
    model_free(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_graphviz),
        cmocka_unit_test(test_long_lists_are_cut),
        cmocka_unit_test(test_deep_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
