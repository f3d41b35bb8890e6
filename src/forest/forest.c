#include "forest/forest.h"

#include <stdio.h>
#include <string.h>

#define XXH_INLINE_ALL /* the state lives on the stack */
#include <xxhash.h>

#include "base/mem.h"

void forest_free(struct forest *forest)
{
    if (!forest) return;
    for (uint32_t t = 0; forest->trees && t < forest->n_trees; t++) tree_fini(&forest->trees[t]);
    mem_free(forest->trees);
    mem_free(forest->importances);
    mem_free(forest);
}

/* A node in a form that does not hang on how the compiler lays out bits. */
static void hash_node(XXH3_state_t *state, const struct tree_node *node)
{
    uint32_t payload;
    memcpy(&payload, &node->threshold, sizeof payload);
    uint32_t words[4] = {payload, node->right, node->feature,
                         (uint32_t)node->kind | (uint32_t)node->missing_left << 2 |
                             (uint32_t)node->pure << 3};
    XXH3_128bits_update(state, words, sizeof words);
    XXH3_128bits_update(state, &node->cover, sizeof node->cover);
}

void forest_hash(const struct forest *forest, char hash[33])
{
    XXH3_state_t state;
    XXH3_128bits_reset(&state);
    uint32_t head[4] = {forest->task, forest->n_features, forest->n_classes, forest->n_trees};
    XXH3_128bits_update(&state, head, sizeof head);
    for (uint32_t t = 0; t < forest->n_trees; t++) {
        const struct tree *tree = &forest->trees[t];
        uint32_t sizes[3] = {tree->n_nodes, tree->n_sets, tree->n_values};
        XXH3_128bits_update(&state, sizes, sizeof sizes);
        for (uint32_t i = 0; i < tree->n_nodes; i++) hash_node(&state, &tree->nodes[i]);
        XXH3_128bits_update(&state, tree->sets, tree->n_sets * sizeof *tree->sets);
        XXH3_128bits_update(&state, tree->values, tree->n_values * sizeof *tree->values);
    }
    XXH128_hash_t digest = XXH3_128bits_digest(&state);
    snprintf(hash, 33, "%016llx%016llx", (unsigned long long)digest.high64, (unsigned long long)digest.low64);
}
