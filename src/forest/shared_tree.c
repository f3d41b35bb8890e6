#include "forest/shared_tree.h"

#include <string.h>

#include "base/mem.h"

bool shared_tree_init(struct shared_tree *tree, const struct grow_job *job)
{
    *tree = (struct shared_tree){.grower = grower_new(job)};
    return tree->grower != NULL;
}

void shared_tree_fini(struct shared_tree *tree)
{
    grower_free(tree->grower);
    mem_free(tree->frontier);
    mem_free(tree->asking);
    *tree = (struct shared_tree){0};
}

/* Room for one more item; false: out of memory. */
static bool stretch(struct shared_tree *tree, void **array, size_t n, size_t *capacity, size_t size)
{
    if (n < *capacity) return true;
    size_t more = *capacity ? *capacity * 2 : 64;
    void *bigger = mem_resize(*array, more, size);
    if (!bigger) {
        tree->grower->tree.failed = true;
        return false;
    }
    *array = bigger;
    *capacity = more;
    return true;
}

static void add_frontier(struct shared_tree *tree, const struct open_node *node)
{
    if (stretch(tree, (void **)&tree->frontier, tree->n_frontier, &tree->frontier_capacity,
                sizeof *tree->frontier))
        tree->frontier[tree->n_frontier++] = *node;
}

void shared_tree_begin(struct shared_tree *tree, uint32_t number)
{
    struct open_node root = grower_begin(tree->grower, number);
    tree->number = number;
    tree->n_leaves = 1;
    tree->n_asking = tree->n_frontier = 0;
    add_frontier(tree, &root);
}

bool shared_tree_look(struct shared_tree *tree)
{
    struct grower *g = tree->grower;
    tree->n_asking = 0;
    for (size_t i = 0; i < tree->n_frontier && !g->tree.failed; i++) {
        struct open_node *node = &tree->frontier[i];
        if (!grow_node_open(g, node)) {
            if (!g->tree.failed) grow_node_close(g, node, false);
            continue;
        }
        struct offer offer = grow_node_offer(g, node, false);
        if (stretch(tree, (void **)&tree->asking, tree->n_asking, &tree->asking_capacity,
                    sizeof *tree->asking))
            tree->asking[tree->n_asking++] = (struct asking_node){.node = *node, .offer = offer};
    }
    tree->n_frontier = 0;
    return !g->tree.failed;
}

void shared_tree_look_further(struct shared_tree *tree)
{
    for (size_t i = 0; i < tree->n_asking; i++)
        if (tree->asking[i].undecided)
            tree->asking[i].offer = grow_node_offer(tree->grower, &tree->asking[i].node, true);
}

bool offer_stays(const struct offer *a, const struct offer *b, bool further)
{
    if (further) return !b->varies || (a->varies && a->drawn < b->drawn);
    if (!b->found || !a->found) return a->found || !b->found;
    return a->score > b->score || (a->score == b->score && a->drawn < b->drawn);
}

/* Left rows are at the front of the other sample, in their order. */
static void write_sides(const struct shared_tree *tree, const struct open_node *node, size_t n_left,
                        uint8_t *sides)
{
    const uint32_t *from = tree->grower->rows[node->depth & 1].row + node->begin;
    const uint32_t *left = tree->grower->rows[~node->depth & 1].row + node->begin;
    size_t n = node->end - node->begin, at = 0;
    memset(sides, 0, (n + 7) / 8);
    for (size_t i = 0; i < n && at < n_left; i++)
        if (from[i] == left[at]) {
            sides[i >> 3] |= (uint8_t)(1 << (i & 7));
            at++;
        }
}

bool shared_tree_settle(struct shared_tree *tree, struct asking_node *asking, struct question *question,
                        uint8_t *sides)
{
    if (!grow_node_settle(tree->grower, &asking->node, asking->offer.drawn, question)) return false;
    write_sides(tree, &asking->node, question->n_left, sides);
    return true;
}

/* As node_search_part leaves them: left rows from the front, right ones from the back. */
static void part_rows(struct grower *g, const struct open_node *node, const uint8_t *sides)
{
    const struct sample *from = &g->rows[node->depth & 1], *to = &g->rows[~node->depth & 1];
    size_t front = node->begin, back = node->end;
    for (size_t i = node->begin; i < node->end; i++) {
        size_t bit = i - node->begin, at = sides[bit >> 3] >> (bit & 7) & 1 ? front++ : --back;
        to->row[at] = from->row[i];
        to->weight[at] = from->weight[i];
        if (from->class_id)
            to->class_id[at] = from->class_id[i];
        else
            to->target[at] = from->target[i];
    }
}

void shared_tree_take(struct shared_tree *tree, struct asking_node *asking, const struct question *question,
                      const uint8_t *sides)
{
    grow_node_take(tree->grower, &asking->node, question);
    if (sides && asking->node.splits) part_rows(tree->grower, &asking->node, sides);
}

static void add_children(struct shared_tree *tree, const struct open_node *node)
{
    struct open_node left, right;
    grow_node_split(tree->grower, node, &left, &right);
    add_frontier(tree, &left);
    add_frontier(tree, &right);
}

/* The node whose split gains most is next, until there are leaves enough; all that wait then are leaves. */
static void advance_best_first(struct shared_tree *tree)
{
    struct grower *g = tree->grower;
    if (g->n_open && tree->n_leaves < g->job->rules->max_leaf_nodes) {
        struct open_node node = grower_pop_best(g);
        tree->n_leaves++;
        add_children(tree, &node);
        return;
    }
    while (g->n_open && !g->tree.failed) grow_node_close(g, &g->stack[--g->n_open], true);
}

bool shared_tree_advance(struct shared_tree *tree)
{
    struct grower *g = tree->grower;
    bool best_first = g->job->rules->max_leaf_nodes != UINT32_MAX;
    for (size_t i = 0; i < tree->n_asking && !g->tree.failed; i++) {
        const struct open_node *node = &tree->asking[i].node;
        if (!node->splits)
            grow_node_close(g, node, true);
        else if (best_first)
            grower_push_best(g, node);
        else
            add_children(tree, node);
    }
    if (best_first && !g->tree.failed) advance_best_first(tree);
    tree->n_asking = 0;
    return !g->tree.failed;
}

bool shared_tree_finish(struct shared_tree *tree, struct tree *out, uint64_t *importances)
{
    if (tree->grower->tree.failed) return false;
    growing_tree_renumber(&tree->grower->tree, tree->grower->job->rules->n_classes);
    return grower_finish(tree->grower, out, importances);
}
