/* write_tree_corpus FOLDER: the small trees that fuzz_tree_bytes starts from (fuzz/corpus/tree_bytes). */
#include "forests.h"

#include "forest/tree_planes.h"

static void write_tree(const char *folder, int kind)
{
    struct mixture mix = {.n_classes = kind % 3 ? (uint32_t)kind % 3 * 2 : 0, .missing = kind % 2};
    struct bramble_table *table = mixed_table(60, mix);
    bramble_forest_options options = forest_defaults;
    options.trees = 1;
    options.max_depth = 1 + (uint32_t)kind % 4;
    struct forest *forest = grow(table, &options);
    const struct tree *tree = &forest->trees[0];
    bool leaf_covers = tree_covers_add_up(tree) && tree->n_nodes > 1;
    struct tree_planes planes =
        tree_planes_of(tree->n_nodes, tree->n_sets, tree->n_values, forest->n_features, leaf_covers);
    uint64_t importances[8] = {7, 1 << 20};
    uint8_t *raw = malloc((size_t)planes.bytes),
            head[2] = {(uint8_t)forest->n_features, (uint8_t)forest->n_classes};
    uint32_t counts[5] = {leaf_covers, tree->n_nodes, tree->n_sets, tree->n_values, forest->n_features};
    tree_planes_write(&planes, tree, importances, raw);
    char path[512];
    snprintf(path, sizeof path, "%s/%d", folder, kind);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(head, 1, sizeof head, file);
    fwrite(counts, 1, sizeof counts, file);
    fwrite(raw, 1, (size_t)planes.bytes, file);
    fclose(file);
    free(raw);
    forest_free(forest);
    bramble_table_free(table);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    for (int kind = 0; kind < 12; kind++) write_tree(argv[1], kind);
    return 0;
}
