#include "data/bin_edges.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SLOTS = 1024, RADIX_BITS = 11, RADIX = 1 << RADIX_BITS };

/* Floats as unsigned keys of the same order; both zeros are one key. */
static uint32_t key_of(float x)
{
    uint32_t bits;
    x += 0.0f; /* -0 becomes +0 */
    memcpy(&bits, &x, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

static float value_of(uint32_t key)
{
    uint32_t bits = key & 0x80000000u ? key & 0x7fffffffu : ~key;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static int compare_keys(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The different keys of x, sorted, when there are at most `most` (<= 256) of them; else -1. */
static int distinct_keys(const float *x, size_t n, int most, uint32_t keys[256])
{
    uint32_t slots[SLOTS] = {0}; /* open addressing; no number's key is 0 */
    int count = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i])) continue;
        uint32_t key = key_of(x[i]), slot = key * 2654435761u >> 22;
        while (slots[slot] && slots[slot] != key) slot = (slot + 1) % SLOTS;
        if (slots[slot]) continue;
        if (count == most) return -1;
        slots[slot] = key;
        keys[count++] = key;
    }
    qsort(keys, (size_t)count, sizeof *keys, compare_keys);
    return count;
}

/* Sorts n keys; the result is in `keys`, `other` is scratch of the same size. */
static void radix_sort(uint32_t *keys, uint32_t *other, size_t n)
{
    uint32_t *from = keys, *to = other;
    for (unsigned shift = 0; shift < 32; shift += RADIX_BITS) {
        size_t start[RADIX + 1] = {0};
        for (size_t i = 0; i < n; i++) start[(from[i] >> shift & (RADIX - 1)) + 1]++;
        for (int d = 0; d < RADIX; d++) start[d + 1] += start[d];
        for (size_t i = 0; i < n; i++) to[start[from[i] >> shift & (RADIX - 1)]++] = from[i];
        uint32_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != keys) memcpy(keys, from, n * sizeof *keys);
}

/* Bins while they are being made. */
struct cuts {
    uint32_t n;
    float low[256], high[256];
};

static void add_bin(struct cuts *cuts, uint32_t low, uint32_t high)
{
    cuts->low[cuts->n] = value_of(low);
    cuts->high[cuts->n++] = value_of(high);
}

/* Walks the runs of equal keys and closes a bin when it holds its share of what was left when it began. */
static void cut_at_quantiles(struct cuts *cuts, const uint32_t *keys, size_t n, uint32_t most)
{
    size_t begin = 0, i = 0;
    while (i < n) {
        size_t bins_left = most - cuts->n, share = (n - begin + bins_left - 1) / bins_left, run = i;
        while (run < n && keys[run] == keys[i]) run++;
        if (i > begin && bins_left > 1 && run - begin > share + share / 2) {
            add_bin(cuts, keys[begin],
                    keys[i - 1]); /* a frequent value does not drag its lesser neighbours along */
            begin = i;
            continue;
        }
        i = run;
        if (run - begin >= share || run == n) {
            add_bin(cuts, keys[begin], keys[run - 1]);
            begin = run;
        }
    }
}

static bool cut_many(struct cuts *cuts, const float *x, size_t n, uint32_t most)
{
    uint32_t *keys = mem_alloc(n, 2 * sizeof *keys);
    if (!keys) return false;
    size_t present = 0;
    for (size_t i = 0; i < n; i++)
        if (!isnan(x[i])) keys[present++] = key_of(x[i]);
    radix_sort(keys, keys + present, present);
    cut_at_quantiles(cuts, keys, present, most);
    mem_free(keys);
    return true;
}

bool bin_edges_find(struct feature_bins *bins, const float *x, size_t n)
{
    int most = bins->has_missing ? 255 : 256;
    uint32_t few[256];
    struct cuts cuts = {0};
    int count = distinct_keys(x, n, most, few);
    for (int b = 0; b < count; b++) add_bin(&cuts, few[b], few[b]);
    if (count < 0 && !cut_many(&cuts, x, n, (uint32_t)most)) return false;
    float *edges = mem_alloc(cuts.n, 2 * sizeof *edges);
    if (!edges) return false;
    memcpy(edges, cuts.low, cuts.n * sizeof *edges);
    memcpy(edges + cuts.n, cuts.high, cuts.n * sizeof *edges);
    bins->n_bins = (uint16_t)cuts.n;
    bins->low = edges;
    bins->high = edges + cuts.n;
    return true;
}
