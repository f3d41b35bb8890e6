/* Trees as bytes: they come back as they were, and nothing else is taken for a tree. */
#include "forests.h"

#include <zstd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "forest/grow.h"
#include "forest/tree_bytes.h"
#include "forest/tree_planes.h"

enum { HEAD = 32, CHECKSUM = 24 };

static void assert_same_tree(const struct tree *a, const struct tree *b)
{
    assert_int_equal(a->n_nodes, b->n_nodes);
    assert_int_equal(a->n_sets, b->n_sets);
    assert_int_equal(a->n_values, b->n_values);
    assert_int_equal(a->depth, b->depth);
    for (uint32_t i = 0; i < a->n_nodes; i++) {
        const struct tree_node *x = &a->nodes[i], *y = &b->nodes[i];
        assert_memory_equal(&x->threshold, &y->threshold, sizeof x->threshold);
        assert_int_equal(x->right, y->right);
        assert_int_equal(x->kind, y->kind);
        assert_int_equal(x->missing_left, y->missing_left);
        assert_int_equal(x->pure, y->pure);
        assert_int_equal(x->feature, y->feature);
        assert_true(x->cover == y->cover);
    }
    assert_memory_equal(a->sets, b->sets, a->n_sets * sizeof *a->sets);
    assert_memory_equal(a->values, b->values, a->n_values * sizeof *a->values);
}

/* Importances for a tree of F features that take all their bits. */
static void draw_importances(uint64_t *importances, uint32_t n_features)
{
    struct rng rng;
    rng_init(&rng, 5, RNG_HOLDOUT, 1, 0);
    for (uint32_t f = 0; f < n_features; f++)
        importances[f] = f ? rng_u64(&rng) >> (64 - IMPORTANCE_BITS) : UINT64_C(1) << IMPORTANCE_BITS;
}

static void assert_round_trip(const struct tree *tree, uint32_t n_features, uint32_t n_classes)
{
    uint64_t *sent = malloc(2 * n_features * sizeof *sent), *got = sent + n_features;
    void *bytes;
    size_t length;
    struct tree back;
    draw_importances(sent, n_features);
    for (uint32_t f = 0; f < n_features; f++) got[f] = f;
    assert_int_equal(tree_encode(tree, sent, n_features, &bytes, &length, NULL), BRAMBLE_OK);
    assert_int_equal(tree_decode(bytes, length, n_features, n_classes, &back, got, NULL), BRAMBLE_OK);
    assert_same_tree(tree, &back);
    for (uint32_t f = 0; f < n_features; f++) assert_true(got[f] == sent[f] + f);
    tree_fini(&back);
    mem_free(bytes);
    free(sent);
}

/* Forests of every kind of node, by turns. */
static struct forest *grow_kind(int kind)
{
    struct mixture mix = {.n_classes = kind % 3 ? (uint32_t)kind % 3 * 2 : 0,
                          .missing = kind % 2,
                          .weights = kind % 5 == 0,
                          .seed = (uint64_t)kind};
    struct bramble_table *table = mixed_table(kind % 7 || mix.n_classes ? 400 : 1, mix);
    bramble_forest_options options = forest_defaults;
    options.trees = 3;
    options.seed = (uint64_t)kind;
    options.max_depth = kind % 4 == 3 ? 4 : 0;
    options.max_leaf_nodes = kind % 8 == 7 ? 20 : 0;
    options.splitter = kind % 4 == 2 ? BRAMBLE_SPLITTER_RANDOM : BRAMBLE_SPLITTER_BEST;
    struct forest *forest = grow(table, &options);
    bramble_table_free(table);
    return forest;
}

static void trees_come_back(void **state)
{
    (void)state;
    for (int kind = 0; kind < 60; kind++) {
        struct forest *forest = grow_kind(kind);
        for (uint32_t t = 0; t < forest->n_trees; t++)
            assert_round_trip(&forest->trees[t], forest->n_features, forest->n_classes);
        forest_free(forest);
    }
}

/* Weights in thousandths: single precision covers of parents are not the sums of their children's. */
static void covers_come_back_that_do_not_add_up(void **state)
{
    (void)state;
    struct bramble_table *table = mixed_table(500, (struct mixture){.n_classes = 3, .weights = true});
    for (size_t i = 0; i < table->n_rows; i++) table->weights[i] = 1 + 0.001 * (double)i;
    bramble_forest_options options = forest_defaults;
    options.trees = 2;
    struct forest *forest = grow(table, &options);
    assert_false(tree_covers_add_up(&forest->trees[0]));
    assert_round_trip(&forest->trees[0], forest->n_features, forest->n_classes);
    forest_free(forest);
    bramble_table_free(table);
}

/* A tree's bytes, opened: the planes can be changed and packed again. */
struct opened {
    struct tree_planes planes;
    uint8_t head[HEAD], *raw;
};

static struct opened open_bytes(const uint8_t *bytes, size_t length)
{
    struct opened opened;
    uint32_t words[5];
    memcpy(opened.head, bytes, HEAD);
    memcpy(words, bytes + 4, sizeof words);
    opened.planes = tree_planes_of(words[1], words[2], words[3], words[4], words[0] == 1);
    opened.raw = malloc((size_t)opened.planes.bytes);
    assert_int_equal(ZSTD_decompress(opened.raw, (size_t)opened.planes.bytes, bytes + HEAD, length - HEAD),
                     opened.planes.bytes);
    return opened;
}

static uint8_t *close_bytes(const struct opened *opened, size_t n_raw, size_t *length)
{
    size_t room = HEAD + ZSTD_compressBound(n_raw);
    uint8_t *bytes = malloc(room);
    memcpy(bytes, opened->head, HEAD);
    *length = HEAD + ZSTD_compress(bytes + HEAD, room - HEAD, opened->raw, n_raw, 1);
    uint64_t checksum = XXH3_64bits(bytes + HEAD, *length - HEAD);
    memcpy(bytes + CHECKSUM, &checksum, sizeof checksum);
    return bytes;
}

/* Decodes; what is refused must say why and leave everything as it was. */
static bool is_taken(const void *bytes, size_t length, uint32_t n_features, uint32_t n_classes)
{
    struct tree tree = {.n_nodes = 77};
    uint64_t importances[16] = {1, 2, 3};
    bramble_error error = {0};
    assert_true(n_features <= 16);
    bramble_status status = tree_decode(bytes, length, n_features, n_classes, &tree, importances, &error);
    if (!status) {
        tree_fini(&tree);
        return true;
    }
    assert_int_equal(status, BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "damaged"));
    assert_int_equal(tree.n_nodes, 77);
    assert_true(importances[0] == 1 && importances[1] == 2 && importances[2] == 3 && importances[3] == 0);
    return false;
}

static void encode_first(const struct forest *forest, uint8_t **bytes, size_t *length)
{
    uint64_t importances[16] = {5};
    void *made;
    assert_int_equal(tree_encode(&forest->trees[0], importances, forest->n_features, &made, length, NULL),
                     BRAMBLE_OK);
    *bytes = made;
}

static void every_changed_byte_is_noticed(void **state)
{
    (void)state;
    struct forest *forest = grow_kind(1);
    uint8_t *bytes;
    size_t length;
    encode_first(forest, &bytes, &length);
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= 0x10;
        assert_false(is_taken(bytes, length, forest->n_features, forest->n_classes));
        bytes[i] ^= 0x10;
        assert_false(is_taken(bytes, i, forest->n_features, forest->n_classes));
    }
    assert_true(is_taken(bytes, length, forest->n_features, forest->n_classes));
    assert_false(is_taken(bytes, length, forest->n_features + 1, forest->n_classes));
    assert_false(is_taken(bytes, length, forest->n_features, 0));
    mem_free(bytes);
    forest_free(forest);
}

/* Damage with a checksum that fits: a byte of the planes set to this and that is taken or refused, and what
 * is taken can be walked. */
static void planes_of_others_are_checked(void **state)
{
    (void)state;
    static const uint8_t tries[] = {0, 1, 3, 8, 0x7f, 0x80, 0xff};
    for (int kind = 1; kind < 5; kind++) {
        struct forest *forest = grow_kind(kind);
        uint8_t *bytes;
        size_t length, refused = 0;
        encode_first(forest, &bytes, &length);
        struct opened opened = open_bytes(bytes, length);
        for (size_t at = 0; at < opened.planes.bytes; at += 1 + at / 50)
            for (size_t t = 0; t < sizeof tries; t++) {
                uint8_t kept = opened.raw[at];
                size_t n;
                opened.raw[at] = tries[t];
                uint8_t *changed = close_bytes(&opened, (size_t)opened.planes.bytes, &n);
                refused += !is_taken(changed, n, forest->n_features, forest->n_classes);
                free(changed);
                opened.raw[at] = kept;
            }
        assert_true(refused > 100);
        free(opened.raw);
        mem_free(bytes);
        forest_free(forest);
    }
}

static void set_plane(struct opened *opened, size_t begin, size_t n, size_t i, uint32_t value)
{
    for (int byte = 0; byte < 4; byte++) opened->raw[begin + byte * n + i] = (uint8_t)(value >> 8 * byte);
}

/* One tree of three nodes, wrong in one way at a time. */
static void each_check_is_there(void **state)
{
    (void)state;
    struct tree_node nodes[3] = {{.kind = TREE_NUMERIC, .threshold = 1, .right = 2, .feature = 1, .cover = 3},
                                 {.pure = 1, .class_id = 1, .cover = 1},
                                 {.values = 0, .cover = 2}};
    struct category_set set = {{1}};
    float values[2] = {0.5F, 0.5F};
    struct tree tree = {
        .n_nodes = 3, .n_values = 2, .depth = 1, .nodes = nodes, .sets = &set, .values = values};
    uint64_t importances[2] = {0, 9};
    void *bytes;
    size_t length;
    for (int way = 0; way < 13; way++) {
        assert_int_equal(tree_encode(&tree, importances, 2, &bytes, &length, NULL), BRAMBLE_OK);
        struct opened opened = open_bytes(bytes, length);
        struct tree_planes p = opened.planes;
        float no_number = NAN, too_much = 1.5F, below = -1;
        uint32_t bits;
        switch (way) {
        case 0: break;
        case 1: set_plane(&opened, p.features, 1, 0, 2); break;
        case 2: memcpy(&bits, &no_number, 4), set_plane(&opened, p.inner_payloads, 1, 0, bits); break;
        case 3: set_plane(&opened, p.leaf_payloads, 2, 0, 2); break;
        case 4: memcpy(&bits, &below, 4), set_plane(&opened, p.covers, 2, 0, bits); break;
        case 5: memcpy(&bits, &too_much, 4), set_plane(&opened, p.values, 2, 1, bits); break;
        case 6: opened.raw[p.kinds] = TREE_CATEGORY; break;    /* without a set */
        case 7: opened.raw[p.kinds] = TREE_LEAF; break;        /* nodes after the last leaf */
        case 8: opened.raw[p.kinds + 1] = TREE_NUMERIC; break; /* a chain without an end */
        case 9: opened.raw[p.kinds + 2] = 8; break;            /* shares that no leaf has */
        case 10: opened.raw[p.kinds + 1] = 0; break;           /* more leaves with shares than shares */
        case 11: set_plane(&opened, p.importances + 8, 2, 1, 0x41); break; /* above 2^38 */
        case 12: opened.raw[p.kinds + 1] = 8 | 4; break; /* a leaf that sends missing values left */
        }
        size_t n;
        uint8_t *changed = close_bytes(&opened, (size_t)p.bytes, &n);
        assert_int_equal(is_taken(changed, n, 2, 2), way == 0);
        free(changed);
        free(opened.raw);
        mem_free(bytes);
    }
}

/* A head that promises more than the bytes behind it can hold is not believed before memory is taken. */
static void sizes_are_not_believed(void **state)
{
    (void)state;
    struct forest *forest = grow_kind(1);
    uint8_t *bytes;
    size_t length;
    encode_first(forest, &bytes, &length);
    for (int word = 1; word < 4; word++) {
        uint32_t kept, most = UINT32_MAX;
        memcpy(&kept, bytes + 4 + 4 * word, 4);
        memcpy(bytes + 4 + 4 * word, &most, 4);
        assert_false(is_taken(bytes, length, forest->n_features, forest->n_classes));
        memcpy(bytes + 4 + 4 * word, &kept, 4);
    }
    struct opened opened = open_bytes(bytes, length);
    size_t n;
    uint8_t *shorter = close_bytes(&opened, (size_t)opened.planes.bytes - 1, &n);
    assert_false(is_taken(shorter, n, forest->n_features, forest->n_classes));
    free(shorter);
    free(opened.raw);
    mem_free(bytes);
    forest_free(forest);
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct forest *forest = grow_kind(4);
    uint64_t importances[16] = {0};
    uint8_t *bytes = NULL;
    size_t length;
    for (size_t n = 1;; n++) {
        void *made = NULL;
        mem_fail_at(n, 0);
        bramble_status status =
            tree_encode(&forest->trees[0], importances, forest->n_features, &made, &length, NULL);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        if (!status) mem_free(bytes), bytes = made;
        if (!reached) break;
        assert_true(status == BRAMBLE_ERR_MEMORY || n == 3); /* the third only makes it exact */
    }
    for (size_t n = 1;; n++) {
        struct tree tree = {.n_nodes = 77};
        mem_fail_at(n, 0);
        bramble_status status =
            tree_decode(bytes, length, forest->n_features, forest->n_classes, &tree, importances, NULL);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        if (!reached) {
            tree_fini(&tree);
            break;
        }
        assert_int_equal(tree.n_nodes, 77);
    }
    mem_free(bytes);
    forest_free(forest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_come_back),
        cmocka_unit_test(covers_come_back_that_do_not_add_up),
        cmocka_unit_test(every_changed_byte_is_noticed),
        cmocka_unit_test(planes_of_others_are_checked),
        cmocka_unit_test(each_check_is_there),
        cmocka_unit_test(sizes_are_not_believed),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
