#include "model/tree_print.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

enum { CATEGORIES_SHOWN = 8, CLASSES_SHOWN = 5, INDENT_MAX = 160 };

struct printer {
    struct str text;
    const struct bramble_model *model;
    const struct tree *tree;
    bool graphviz;
};

/* Names come from files: nothing in them may end a line, or a Graphviz string. */
static void put_name(struct printer *p, const char *name)
{
    for (; *name; name++) {
        if (p->graphviz && (*name == '"' || *name == '\\')) str_puts(&p->text, "\\");
        bool control = (unsigned char)*name < 0x20 || *name == 0x7f;
        str_append(&p->text, control ? "?" : name, 1);
    }
}

/* As few digits as tell the number from all others, but no power of ten for small whole ones. */
static void put_number(struct printer *p, float number)
{
    char digits[32];
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, (double)number);
        if (strtof(digits, NULL) == number) break;
    }
    str_puts(&p->text, digits);
}

static void put_categories(struct printer *p, const struct feature *feature, const struct category_set *set)
{
    uint32_t shown = 0, more = 0;
    str_puts(&p->text, " in {");
    for (uint32_t c = 0; c < feature->n_categories; c++) {
        if (!(set->word[c >> 5] >> (c & 31) & 1)) continue;
        if (shown == CATEGORIES_SHOWN) {
            more++;
            continue;
        }
        if (shown++) str_puts(&p->text, ", ");
        put_name(p, feature->categories[c]);
    }
    if (more) str_printf(&p->text, ", ... %u more", more);
    str_puts(&p->text, "}");
}

static void put_question(struct printer *p, const struct tree_node *node)
{
    const struct feature *feature = &p->model->schema.features[node->feature];
    put_name(p, feature->name);
    if (node->kind == TREE_CATEGORY) {
        put_categories(p, feature, &p->tree->sets[node->set]);
    } else {
        str_puts(&p->text, " <= ");
        put_number(p, node->threshold);
    }
    str_puts(&p->text, node->missing_left ? ", missing: yes" : ", missing: no");
}

/* The class with the greatest share below (share, class) in the order of decreasing shares; C when none. */
static uint32_t next_class(const float *shares, uint32_t n_classes, uint32_t last)
{
    uint32_t next = n_classes;
    for (uint32_t c = 0; c < n_classes; c++) {
        bool after = last == n_classes || shares[c] < shares[last] || (shares[c] == shares[last] && c > last);
        if (after && shares[c] > 0 && (next == n_classes || shares[c] > shares[next])) next = c;
    }
    return next;
}

static void put_shares(struct printer *p, const float *shares)
{
    uint32_t n_classes = p->model->forest->n_classes, c = n_classes;
    for (int shown = 0; (c = next_class(shares, n_classes, c)) < n_classes; shown++) {
        if (shown) str_puts(&p->text, ", ");
        if (shown == CLASSES_SHOWN) {
            str_puts(&p->text, "...");
            return;
        }
        put_name(p, p->model->schema.classes[c]);
        str_printf(&p->text, " %.3g", (double)shares[c]);
    }
}

static void put_node(struct printer *p, const struct tree_node *node)
{
    if (node->kind != TREE_LEAF)
        put_question(p, node);
    else if (p->model->forest->task == BRAMBLE_TASK_REGRESSION)
        put_number(p, node->value);
    else if (node->pure)
        put_name(p, p->model->schema.classes[node->class_id]);
    else
        put_shares(p, p->tree->values + node->values);
    str_puts(&p->text, p->graphviz ? "\\ncover " : "  (cover ");
    put_number(p, node->cover);
    if (!p->graphviz) str_puts(&p->text, ")");
}

/* In preorder a node stands behind its parent, so depths are there when they are needed. */
static bool put_text(struct printer *p)
{
    uint32_t *depth = mem_zalloc(p->tree->n_nodes, sizeof *depth);
    if (!depth) return false;
    for (uint32_t i = 0; i < p->tree->n_nodes; i++) {
        const struct tree_node *node = &p->tree->nodes[i];
        uint32_t indent = depth[i] > INDENT_MAX / 2 ? INDENT_MAX : 2 * depth[i];
        str_printf(&p->text, "%*s", (int)indent, "");
        if (i) str_puts(&p->text, p->tree->nodes[i - 1].kind == TREE_LEAF ? "no: " : "yes: ");
        put_node(p, node);
        str_puts(&p->text, "\n");
        if (node->kind != TREE_LEAF) depth[i + 1] = depth[node->right] = depth[i] + 1;
    }
    mem_free(depth);
    return true;
}

static void put_graph(struct printer *p, uint32_t t)
{
    str_printf(&p->text, "digraph tree%u {\n    node [shape=box];\n", t);
    for (uint32_t i = 0; i < p->tree->n_nodes; i++) {
        const struct tree_node *node = &p->tree->nodes[i];
        str_printf(&p->text, "    n%u [label=\"", i);
        put_node(p, node);
        str_puts(&p->text, "\"];\n");
        if (node->kind == TREE_LEAF) continue;
        str_printf(&p->text, "    n%u -> n%u [label=\"yes\"];\n", i, i + 1);
        str_printf(&p->text, "    n%u -> n%u [label=\"no\"];\n", i, node->right);
    }
    str_puts(&p->text, "}\n");
}

bramble_status tree_print(char **out, const struct bramble_model *model, uint32_t t,
                          bramble_tree_format format, bramble_error *error)
{
    struct printer printer = {
        .model = model, .tree = &model->forest->trees[t], .graphviz = format == BRAMBLE_TREE_DOT};
    bool done = true;
    if (printer.graphviz)
        put_graph(&printer, t);
    else
        done = put_text(&printer);
    if (!done) str_fini(&printer.text);
    char *text = done ? str_take(&printer.text) : NULL;
    if (!text) return error_memory(error, "a printed tree");
    *out = text;
    return BRAMBLE_OK;
}
