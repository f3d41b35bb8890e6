#include "forest/tree_bytes.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <zstd.h>

#include "base/error.h"
#include "base/mem.h"
#include "forest/tree_planes.h"

enum {
    ZSTD_LEVEL = 1,
    HEAD_WORDS = 5,
    CHECKSUM_AT = 4 + 4 * HEAD_WORDS,
    HEAD_BYTES = CHECKSUM_AT + 8,
    MOST_EXPANSION = 32768, /* a block of zstd's holds up to 128 KB and takes at least 4 bytes */
};
static const char magic[4] = "BRT1";

static void put_word(uint8_t *to, uint32_t word)
{
    for (int byte = 0; byte < 4; byte++) to[byte] = (uint8_t)(word >> 8 * byte);
}

static uint32_t get_word(const uint8_t *from)
{
    return from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static void put_head(uint8_t *bytes, const struct tree_planes *planes, size_t length)
{
    uint32_t words[HEAD_WORDS] = {planes->n_covers < planes->n_nodes, planes->n_nodes, planes->n_sets,
                                  planes->n_values, planes->n_features};
    uint64_t checksum = XXH3_64bits(bytes + HEAD_BYTES, length - HEAD_BYTES);
    memcpy(bytes, magic, sizeof magic);
    for (int w = 0; w < HEAD_WORDS; w++) put_word(bytes + sizeof magic + 4 * w, words[w]);
    put_word(bytes + CHECKSUM_AT, (uint32_t)checksum);
    put_word(bytes + CHECKSUM_AT + 4, (uint32_t)(checksum >> 32));
}

bramble_status tree_encode(const struct tree *tree, const uint64_t *importances, uint32_t n_features,
                           void **bytes, size_t *length, bramble_error *error)
{
    struct tree_planes planes = tree_planes_of(tree->n_nodes, tree->n_sets, tree->n_values, n_features,
                                               tree->n_nodes > 1 && tree_covers_add_up(tree));
    size_t room = HEAD_BYTES + ZSTD_compressBound((size_t)planes.bytes);
    uint8_t *raw = mem_alloc((size_t)planes.bytes, 1), *packed = mem_alloc(room, 1);
    size_t packed_bytes = (size_t)-1;
    if (raw && packed) {
        tree_planes_write(&planes, tree, importances, raw);
        packed_bytes =
            ZSTD_compress(packed + HEAD_BYTES, room - HEAD_BYTES, raw, (size_t)planes.bytes, ZSTD_LEVEL);
    }
    mem_free(raw);
    if (ZSTD_isError(packed_bytes)) {
        mem_free(packed);
        return error_memory(error, "packing a tree");
    }
    *length = HEAD_BYTES + packed_bytes;
    put_head(packed, &planes, *length);
    void *exact = mem_resize(packed, *length, 1);
    *bytes = exact ? exact : packed;
    return BRAMBLE_OK;
}

static bramble_status damaged(bramble_error *error, const char *what)
{
    return error_set(error, BRAMBLE_ERR_DATA,
                     "a grown tree is damaged (%s); leave out the node or the file it came from", what);
}

/* The planes that the head speaks of, or NULL with what is wrong with it in *wrong. */
static const char *read_head(const uint8_t *bytes, size_t length, uint32_t n_features, uint32_t n_classes,
                             struct tree_planes *planes)
{
    uint32_t words[HEAD_WORDS];
    if (length < HEAD_BYTES || memcmp(bytes, magic, sizeof magic) != 0) return "not a tree";
    uint64_t checksum = XXH3_64bits(bytes + HEAD_BYTES, length - HEAD_BYTES);
    if (get_word(bytes + CHECKSUM_AT) != (uint32_t)checksum ||
        get_word(bytes + CHECKSUM_AT + 4) != (uint32_t)(checksum >> 32))
        return "its checksum differs";
    for (int w = 0; w < HEAD_WORDS; w++) words[w] = get_word(bytes + sizeof magic + 4 * w);
    uint32_t n_nodes = words[1], n_sets = words[2], n_values = words[3];
    if (words[0] > 1 || n_nodes % 2 == 0 || words[4] != n_features) return "counts that cannot be";
    if (n_classes ? n_values % n_classes || n_values / n_classes > n_nodes : n_values > 0)
        return "counts that cannot be";
    *planes = tree_planes_of(n_nodes, n_sets, n_values, n_features, words[0] == 1);
    size_t packed = length - HEAD_BYTES;
    if (n_sets > planes->n_inner || planes->bytes / MOST_EXPANSION > packed) return "counts that cannot be";
    if (ZSTD_getFrameContentSize(bytes + HEAD_BYTES, packed) != planes->bytes) return "its size differs";
    return NULL;
}

/* Unpacks into memory that is there; what is wrong, or NULL. */
static const char *unpack(const struct tree_planes *planes, const uint8_t *bytes, size_t length,
                          uint32_t n_classes, uint8_t *raw, struct tree *tree, uint64_t *importances)
{
    size_t got = ZSTD_decompress(raw, (size_t)planes->bytes, bytes + HEAD_BYTES, length - HEAD_BYTES);
    if (ZSTD_isError(got) || got != planes->bytes) return "zstd cannot unpack it";
    return tree_planes_read(planes, raw, n_classes, tree, importances);
}

static bool allocate(struct tree *tree, const struct tree_planes *planes)
{
    tree->n_nodes = planes->n_nodes;
    tree->n_sets = planes->n_sets;
    tree->n_values = planes->n_values;
    tree->nodes = mem_alloc(tree->n_nodes, sizeof *tree->nodes);
    tree->sets = mem_alloc(tree->n_sets, sizeof *tree->sets);
    tree->values = mem_alloc(tree->n_values, sizeof *tree->values);
    return tree->nodes && tree->sets && tree->values;
}

bramble_status tree_decode(const void *bytes, size_t length, uint32_t n_features, uint32_t n_classes,
                           struct tree *tree, uint64_t *importances, bramble_error *error)
{
    struct tree_planes planes;
    struct tree read = {0};
    const char *wrong = read_head(bytes, length, n_features, n_classes, &planes);
    if (wrong) return damaged(error, wrong);
    uint8_t *raw = mem_alloc((size_t)planes.bytes, 1);
    uint64_t *own = mem_alloc(n_features, sizeof *own);
    bool memory = raw && own && allocate(&read, &planes);
    if (memory) wrong = unpack(&planes, bytes, length, n_classes, raw, &read, own);
    if (memory && !wrong) memory = tree_measure(&read);
    mem_free(raw);
    if (memory && !wrong) {
        for (uint32_t f = 0; f < n_features; f++) importances[f] += own[f];
        *tree = read;
    } else {
        tree_fini(&read);
    }
    mem_free(own);
    if (!memory) return error_memory(error, "unpacking a tree");
    return wrong ? damaged(error, wrong) : BRAMBLE_OK;
}
