#include "forest/codes.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"

enum { TILE = 64 };

/* Transposes 64 rows, 64 features at a time, so that both sides stay in cache. */
static void transpose_rows(void *context, uint32_t thread, uint64_t tile)
{
    (void)thread;
    struct codes *codes = context;
    const struct binned *binned = codes->binned;
    size_t begin = tile * TILE, end = begin + TILE < binned->n_rows ? begin + TILE : binned->n_rows;
    size_t width = binned->n_features;
    for (size_t first = 0; first < width; first += TILE) {
        size_t last = first + TILE < width ? first + TILE : width;
        for (size_t f = first; f < last; f++) {
            const uint8_t *column = binned->columns[f];
            for (size_t r = begin; r < end; r++) codes->owned[r * width + f] = column[r];
        }
    }
}

bramble_status codes_init(struct codes *codes, const struct binned *binned, uint32_t threads,
                          bramble_error *error)
{
    codes->binned = binned;
    codes->by_row = binned->by_row;
    if (codes->by_row) return BRAMBLE_OK;
    codes->by_row = codes->owned = mem_alloc_large(binned->n_rows, binned->n_features);
    if (!codes->owned) return error_memory(error, "the features by row");
    threads_run(threads, (binned->n_rows + TILE - 1) / TILE, transpose_rows, codes);
    return BRAMBLE_OK;
}

void codes_fini(struct codes *codes)
{
    mem_free(codes->owned);
    *codes = (struct codes){0};
}
