#include "forest/out_of_bag.h"

#include <math.h>
#include <stdatomic.h>

#include "base/mem.h"

struct out_of_bag {
    const struct grow_rules *rules;
    const struct bramble_table *table;
    uint32_t width;          /* sums a row: C, or 1 for regression */
    _Atomic int64_t *sums;   /* N x width: shares in 2^-32, or targets less their offset, times scale */
    double scale;            /* regression: so that the sums of all trees fit */
    _Atomic uint32_t *trees; /* N: trees that did not draw the row */
};

struct out_of_bag *out_of_bag_new(const struct grow_rules *rules, const struct bramble_table *table)
{
    struct out_of_bag *oob = mem_zalloc(1, sizeof *oob);
    if (!oob) return NULL;
    oob->rules = rules;
    oob->table = table;
    oob->width = rules->n_classes ? rules->n_classes : 1;
    oob->scale = fixed_point_scale(rules->target_reach * rules->n_trees, 61);
    oob->sums = mem_zalloc(table->n_rows, oob->width * sizeof *oob->sums);
    oob->trees = mem_zalloc(table->n_rows, sizeof *oob->trees);
    if (oob->sums && oob->trees) return oob;
    out_of_bag_free(oob);
    return NULL;
}

void out_of_bag_free(struct out_of_bag *oob)
{
    if (!oob) return;
    mem_free((void *)oob->sums);
    mem_free((void *)oob->trees);
    mem_free(oob);
}

static const struct tree_node *leaf_of(const struct tree *tree, const struct bramble_table *table, size_t row)
{
    uint32_t i = 0;
    while (tree->nodes[i].kind != TREE_LEAF) {
        uint32_t f = tree->nodes[i].feature;
        i = tree_child(tree, i, column_value(&table->columns[f], table->schema.features[f].type, row));
    }
    return &tree->nodes[i];
}

static void add(_Atomic int64_t *sum, double value)
{
    atomic_fetch_add_explicit(sum, (int64_t)value, memory_order_relaxed);
}

static void add_row(struct out_of_bag *oob, const struct tree *tree, size_t row)
{
    const struct tree_node *leaf = leaf_of(tree, oob->table, row);
    _Atomic int64_t *sums = oob->sums + row * oob->width;
    atomic_fetch_add_explicit(&oob->trees[row], 1, memory_order_relaxed);
    if (!oob->rules->n_classes)
        add(sums, ((double)leaf->value - oob->rules->target_offset) * oob->scale);
    else if (leaf->pure)
        add(&sums[leaf->class_id], 0x1p32);
    else
        for (uint32_t c = 0; c < oob->width; c++)
            add(&sums[c], (double)tree->values[leaf->values + c] * 0x1p32);
}

void out_of_bag_add(struct out_of_bag *oob, const struct tree *tree, const uint16_t *counts)
{
    for (size_t row = 0; row < oob->table->n_rows; row++)
        if (!counts[row]) add_row(oob, tree, row);
}

static double accuracy(const struct out_of_bag *oob)
{
    size_t right = 0, total = 0;
    for (size_t row = 0; row < oob->table->n_rows; row++) {
        if (!oob->trees[row]) continue;
        uint32_t most = 0;
        for (uint32_t c = 1; c < oob->width; c++)
            if (oob->sums[row * oob->width + c] > oob->sums[row * oob->width + most]) most = c;
        total++;
        right += most == oob->table->classes[row];
    }
    return total ? (double)right / (double)total : NAN;
}

static double mean_target(const struct out_of_bag *oob)
{
    double sum = 0, total = 0;
    for (size_t row = 0; row < oob->table->n_rows; row++) {
        if (!oob->trees[row]) continue;
        sum += oob->table->values[row];
        total++;
    }
    return sum / total;
}

static double r2(const struct out_of_bag *oob)
{
    double mean = mean_target(oob), residual = 0, spread = 0;
    for (size_t row = 0; row < oob->table->n_rows; row++) {
        if (!oob->trees[row]) continue;
        double y = oob->table->values[row];
        double says = (double)oob->sums[row] / oob->trees[row] / oob->scale + oob->rules->target_offset;
        residual += (y - says) * (y - says);
        spread += (y - mean) * (y - mean);
    }
    return spread > 0 ? 1 - residual / spread : NAN;
}

double out_of_bag_score(const struct out_of_bag *oob)
{
    return oob->rules->n_classes ? accuracy(oob) : r2(oob);
}
