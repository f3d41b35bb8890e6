#include "data/bins.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "data/bin_edges.h"

/* What the threads that bin columns share. */
struct job {
    const struct bramble_table *table;
    struct binned *binned;
    atomic_bool out_of_memory;
};

static bool shares_table_bytes(const struct bramble_table *table, uint32_t f)
{
    bramble_feature_type type = table->schema.features[f].type;
    return type == BRAMBLE_FEATURE_BYTE ||
           (type == BRAMBLE_FEATURE_CATEGORY && table->columns[f].n_missing == 0);
}

/*
 * The bin of x: the first whose greatest value is not below it. `high` holds n >= 1 ascending values, x <=
 * the last. The steps are arithmetic: a branch would be guessed wrong every other time.
 */
static uint8_t find_bin(const float *high, size_t n, float x)
{
    size_t at = 0;
    while (n > 1) {
        size_t half = n / 2;
        at += half & -(size_t)(high[at + half - 1] < x);
        n -= half;
    }
    return (uint8_t)at;
}

static void encode_numbers(const struct feature_bins *bins, const float *x, size_t n, uint8_t *codes)
{
    for (size_t i = 0; i < n; i++)
        codes[i] = isnan(x[i]) ? (uint8_t)bins->n_bins : find_bin(bins->high, bins->n_bins, x[i]);
}

static void encode_categories(const struct feature_bins *bins, const uint8_t *x, size_t n, uint8_t *codes)
{
    for (size_t i = 0; i < n; i++) codes[i] = x[i] == CATEGORY_MISSING ? (uint8_t)bins->n_bins : x[i];
}

static void bin_column(void *context, uint32_t thread, uint64_t f)
{
    (void)thread;
    struct job *job = context;
    const struct bramble_table *table = job->table;
    const struct column *column = &table->columns[f];
    struct feature_bins *bins = &job->binned->bins[f];
    uint8_t *codes = (uint8_t *)job->binned->columns[f];
    bins->has_missing = column->n_missing > 0;
    switch (table->schema.features[f].type) {
    case BRAMBLE_FEATURE_BYTE:
        bins->n_bins = 256;
        bins->low = bins->high = job->binned->byte_values;
        break;
    case BRAMBLE_FEATURE_CATEGORY:
        bins->n_bins = (uint16_t)table->schema.features[f].n_categories;
        bins->categorical = true;
        if (!shares_table_bytes(table, (uint32_t)f))
            encode_categories(bins, column->codes, table->n_rows, codes);
        break;
    case BRAMBLE_FEATURE_NUMBER:
        if (!bin_edges_find(bins, column->numbers, table->n_rows))
            atomic_store(&job->out_of_memory, true);
        else
            encode_numbers(bins, column->numbers, table->n_rows, codes);
    }
}

/* Points every column at the table's bytes or at its part of one block of codes. */
static bool lay_out(struct binned *binned, const struct bramble_table *table)
{
    size_t n_owned = 0;
    for (uint32_t f = 0; f < binned->n_features; f++) n_owned += !shares_table_bytes(table, f);
    binned->columns = mem_alloc(binned->n_features, sizeof *binned->columns);
    binned->bins = mem_zalloc(binned->n_features, sizeof *binned->bins);
    size_t bytes;
    if (__builtin_mul_overflow(n_owned, binned->n_rows, &bytes)) return false;
    binned->owned = mem_alloc_large(bytes, 1);
    if (!binned->columns || !binned->bins || !binned->owned) return false;
    for (int v = 0; v < 256; v++) binned->byte_values[v] = (float)v;
    uint8_t *next = binned->owned;
    for (uint32_t f = 0; f < binned->n_features; f++) {
        bool shared = shares_table_bytes(table, f);
        binned->columns[f] = shared ? table->columns[f].bytes : next;
        if (!shared) next += binned->n_rows;
    }
    return true;
}

bramble_status binned_new(struct binned **out, const struct bramble_table *table, uint32_t threads,
                          bramble_error *error)
{
    struct binned *binned = mem_zalloc(1, sizeof *binned);
    if (!binned) return error_memory(error, "the binned features");
    binned->n_rows = table->n_rows;
    binned->n_features = binned->held_end = table->schema.n_features;
    struct job job = {.table = table, .binned = binned};
    if (!lay_out(binned, table)) {
        binned_free(binned);
        return error_memory(error, "the binned features");
    }
    threads_run(threads, binned->n_features, bin_column, &job);
    if (atomic_load(&job.out_of_memory)) {
        binned_free(binned);
        return error_memory(error, "sorting a feature into bins");
    }
    *out = binned;
    return BRAMBLE_OK;
}

void binned_free(struct binned *binned)
{
    if (!binned) return;
    for (uint32_t f = 0; binned->bins && f < binned->n_features; f++)
        if (binned->bins[f].low != binned->byte_values) mem_free((void *)binned->bins[f].low);
    mem_free(binned->columns);
    mem_free(binned->owned);
    mem_free(binned->bins);
    mem_free(binned);
}
