/*
 * Trees that other machines send: the first two bytes give F and C, the next five words the head's counts,
 * and the rest is compressed and given a checksum here, so that mutations reach the checks behind both. What
 * decodes must come back the same when it is encoded.
 */
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include "base/mem.h"
#include "forest/tree_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 32, CHECKSUM = 24, COUNTS = 20 };

static void must(bool true_statement)
{
    if (!true_statement) abort();
}

/* Children come later, indices lie in their arrays, and a walk ends. */
static void use(const struct tree *tree, uint32_t n_features, uint32_t n_classes)
{
    for (uint32_t i = 0; i < tree->n_nodes; i++) {
        const struct tree_node *node = &tree->nodes[i];
        if (node->kind != TREE_LEAF) {
            must(node->right > i + 1 && node->right < tree->n_nodes && node->feature < n_features);
            must(node->kind == TREE_NUMERIC || node->set < tree->n_sets);
        } else if (n_classes) {
            must(node->pure ? node->class_id < n_classes : node->values <= tree->n_values - n_classes);
        }
    }
    for (float x = -1; x < 4; x++)
        for (uint32_t i = 0; tree->nodes[i].kind != TREE_LEAF;) i = tree_child(tree, i, x < 3 ? x : 0 / x);
}

static void decode(const void *bytes, size_t length, uint32_t n_features, uint32_t n_classes)
{
    struct tree tree;
    uint64_t importances[256] = {0};
    bramble_error error;
    if (tree_decode(bytes, length, n_features, n_classes, &tree, importances, &error)) {
        must(*error.message && !strchr(error.message, '\n'));
        return;
    }
    use(&tree, n_features, n_classes);
    void *again;
    size_t n;
    struct tree back;
    must(tree_encode(&tree, importances, n_features, &again, &n, NULL) == BRAMBLE_OK);
    must(tree_decode(again, n, n_features, n_classes, &back, importances, NULL) == BRAMBLE_OK);
    must(back.n_nodes == tree.n_nodes && back.depth == tree.depth);
    must(memcmp(back.nodes, tree.nodes, tree.n_nodes * sizeof *tree.nodes) == 0);
    tree_fini(&tree);
    tree_fini(&back);
    mem_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 + COUNTS) return 0;
    uint32_t n_features = data[0], n_classes = data[1];
    decode(data + 2, size - 2, n_features, n_classes);
    const uint8_t *planes = data + 2 + COUNTS;
    size_t n_planes = size - 2 - COUNTS, room = HEAD + ZSTD_compressBound(n_planes);
    uint8_t *bytes = malloc(room);
    must(bytes != NULL);
    memcpy(bytes, "BRT1", 4);
    memcpy(bytes + 4, data + 2, COUNTS);
    size_t length = HEAD + ZSTD_compress(bytes + HEAD, room - HEAD, planes, n_planes, 1);
    uint64_t checksum = XXH3_64bits(bytes + HEAD, length - HEAD);
    memcpy(bytes + CHECKSUM, &checksum, sizeof checksum);
    decode(bytes, length, n_features, n_classes);
    free(bytes);
    return 0;
}
