#include "net/division.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/fold.h"

bramble_status division_init(struct division *out, uint32_t n_members, uint32_t microbatches_most,
                             bramble_error *error)
{
    size_t most = (size_t)n_members * FOLD_LEVELS;
    if (most > microbatches_most) most = microbatches_most;
    struct division_piece *pieces = mem_zalloc(most, sizeof *pieces);
    if (!pieces) return error_memory(error, "the division of a batch");
    *out = (struct division){.n_members = n_members, .pieces = pieces};
    return BRAMBLE_OK;
}

void division_fini(struct division *division)
{
    mem_free(division->pieces);
    *division = (struct division){0};
}

/* The largest pieces first: then each begins at a multiple of its size. */
void division_set(struct division *division, const uint32_t *shares)
{
    division->n_microbatches = division->n_pieces = 0;
    for (uint32_t level = FOLD_LEVELS; level-- > 0;)
        for (uint32_t m = 0; m < division->n_members; m++) {
            if (!(shares[m] >> level & 1)) continue;
            division->pieces[division->n_pieces++] =
                (struct division_piece){division->n_microbatches, level, m};
            division->n_microbatches += 1u << level;
        }
}

uint32_t division_pieces_of(const struct division *division, uint32_t member)
{
    uint32_t n = 0;
    for (uint32_t p = 0; p < division->n_pieces; p++) n += division->pieces[p].member == member;
    return n;
}

static void add_to(double *sum, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) sum[i] += x[i];
}

/* Those that are pending lie one behind the other, their levels falling. */
void division_fold_doubles(const struct division *division, double *sums, size_t size)
{
    uint32_t levels[FOLD_LEVELS + 1], n = 0;
    for (uint32_t p = 0; p < division->n_pieces; p++) {
        if (n != p) memcpy(sums + n * size, sums + p * size, size * sizeof *sums);
        levels[n++] = division->pieces[p].level;
        for (; n > 1 && levels[n - 1] == levels[n - 2]; n--) {
            add_to(sums + (n - 2) * size, sums + (n - 1) * size, size);
            levels[n - 2]++;
        }
    }
    for (; n > 1; n--) add_to(sums + (n - 2) * size, sums + (n - 1) * size, size);
}

void division_fold(const struct division *division, const float *const *sums, size_t n, float *total)
{
    enum { CHUNK = 256 };
    float levels[FOLD_LEVELS * CHUNK];
    for (size_t from = 0; from < n; from += CHUNK) {
        size_t here = n - from < CHUNK ? n - from : CHUNK;
        struct fold fold;
        fold_begin(&fold, levels, here);
        for (uint32_t p = 0; p < division->n_pieces; p++) {
            uint32_t level = division->pieces[p].level;
            memcpy(fold_subtree(&fold, level), sums[p] + from, here * sizeof *total);
            fold_add_subtree(&fold, level);
        }
        fold_end(&fold, total + from);
    }
}
