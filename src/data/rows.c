#include "data/rows.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

enum {
    TILE_ROWS = 64,
    REACH_BYTES = 16 << 20, /* of a table that are worked on at a time: they are in memory together */
    REACH_ROWS = 4096,      /* at least, so that all of a page of bytes is used while it is there */
};

/* Rows on their way out of columns. */
struct copying {
    const struct bramble_table *table;
    const uint32_t *numbers; /* n rows of the table; NULL: the first n */
    size_t n, row_bytes, reach;
    uint8_t *to;
};

/* Features begin..end - 1, which stand in a row from `place` on. */
struct band {
    uint32_t begin, end;
    size_t place, bytes;
};

static size_t row_number(const struct copying *copying, size_t i)
{
    return copying->numbers ? copying->numbers[i] : i;
}

/* Some rows at a time: their bytes are written, column by column, before they leave the cache. */
static void copy_tile(const struct copying *copying, const struct band *band, size_t first, size_t n)
{
    uint8_t *to = copying->to + first * copying->row_bytes + band->place;
    for (uint32_t f = band->begin; f < band->end; f++) {
        const struct column *column = &copying->table->columns[f];
        size_t size = feature_type_size(copying->table->schema.features[f].type);
        uint8_t *at = to;
        if (size == 1)
            for (size_t i = 0; i < n; i++, at += copying->row_bytes)
                *at = column->bytes[row_number(copying, first + i)];
        else
            for (size_t i = 0; i < n; i++, at += copying->row_bytes)
                memcpy(at, &column->numbers[row_number(copying, first + i)], sizeof(float));
        to += size;
    }
}

/* Rows from `first` on that lie near each other in the table. */
static size_t reach_rows(const struct copying *copying, size_t first)
{
    size_t n = 1, begin = row_number(copying, first);
    while (first + n < copying->n && row_number(copying, first + n) - begin < copying->reach) n++;
    return n;
}

static void want_columns(const struct copying *copying, const struct band *band, size_t first, size_t n)
{
    const struct bramble_table *table = copying->table;
    size_t begin = row_number(copying, first), length = row_number(copying, first + n - 1) + 1 - begin;
    for (uint32_t f = band->begin; f < band->end; f++) {
        size_t size = feature_type_size(table->schema.features[f].type);
        spill_want(table->spill, table->columns[f].bytes + begin * size, length * size);
    }
}

static void copy_band(const struct copying *copying, const struct band *band)
{
    for (size_t first = 0, n; first < copying->n; first += n) {
        n = reach_rows(copying, first);
        if (copying->table->spill) want_columns(copying, band, first, n);
        for (size_t at = 0; at < n; at += TILE_ROWS)
            copy_tile(copying, band, first + at, n - at < TILE_ROWS ? n - at : TILE_ROWS);
    }
}

/* The features from band->end on that `reach` rows of fit into memory together. */
static void band_next(const struct copying *copying, struct band *band)
{
    const struct bramble_schema *schema = &copying->table->schema;
    *band = (struct band){band->end, band->end, band->place + band->bytes, 0};
    do band->bytes += feature_type_size(schema->features[band->end++].type);
    while (band->end < schema->n_features && (band->bytes + sizeof(float)) * copying->reach <= REACH_BYTES);
}

static bramble_status copy_types(struct rows *out, const struct bramble_table *table, bramble_error *error)
{
    out->types = mem_alloc(out->n_features, 1);
    if (!out->types) return error_memory(error, "the rows of a table");
    for (uint32_t f = 0; f < out->n_features; f++) {
        out->types[f] = (uint8_t)table->schema.features[f].type;
        out->row_bytes += feature_type_size(table->schema.features[f].type);
    }
    return BRAMBLE_OK;
}

static bramble_status copy_features(struct rows *out, const struct bramble_table *table,
                                    const uint32_t *numbers, bramble_error *error)
{
    struct copying copying = {table, numbers, out->n_rows, out->row_bytes, REACH_BYTES / out->row_bytes,
                              NULL};
    if (copying.reach < REACH_ROWS) copying.reach = REACH_ROWS;
    out->owned = copying.to = spill_resize(out->spill, NULL, out->n_rows, out->row_bytes);
    if (!out->owned) return spill_error(out->spill, error, "the rows of a table");
    out->bytes = out->owned;
    spill_scattered(table->spill, true);
    for (struct band band = {0}; band.end < out->n_features;) {
        band_next(&copying, &band);
        copy_band(&copying, &band);
    }
    spill_scattered(table->spill, false);
    return BRAMBLE_OK;
}

static bramble_status copy_targets(struct rows *out, const struct bramble_table *table,
                                   const struct encoder *encoder, const uint32_t *numbers,
                                   bramble_error *error)
{
    if (!table->classes && !table->values) return BRAMBLE_OK;
    uint32_t *targets = spill_resize(out->spill, NULL, out->n_rows, sizeof *targets);
    if (!targets) return spill_error(out->spill, error, "the targets of a table");
    out->targets = out->owned_targets = targets;
    if (!numbers) encoder_targets(encoder, table, 0, out->n_rows, targets);
    for (size_t i = 0; numbers && i < out->n_rows; i++)
        encoder_targets(encoder, table, numbers[i], 1, &targets[i]);
    return BRAMBLE_OK;
}

/* Divided by the greatest, weights that are all the same are 1, and training goes as it does without any. */
static bramble_status copy_weights(struct rows *out, const struct bramble_table *table,
                                   const uint32_t *numbers, bramble_error *error)
{
    if (!table->weights) return BRAMBLE_OK;
    float *weights = spill_resize(out->spill, NULL, out->n_rows, sizeof *weights);
    if (!weights) return spill_error(out->spill, error, "the weights of a table");
    out->weights = out->owned_weights = weights;
    double greatest = 0;
    for (size_t i = 0; i < table->n_rows; i++)
        if (table->weights[i] > greatest) greatest = table->weights[i];
    for (size_t i = 0; i < out->n_rows; i++)
        weights[i] = (float)(table->weights[numbers ? numbers[i] : i] / greatest);
    return BRAMBLE_OK;
}

bramble_status rows_init_listed(struct rows *out, const struct bramble_table *table,
                                const struct encoder *encoder, const uint32_t *numbers, size_t n,
                                bramble_error *error)
{
    *out = (struct rows){.n_rows = n, .n_features = table->schema.n_features};
    bramble_status status = spill_new(&out->spill, error);
    if (!status) status = copy_types(out, table, error);
    if (!status) status = copy_features(out, table, numbers, error);
    if (!status) status = copy_targets(out, table, encoder, numbers, error);
    if (!status) status = copy_weights(out, table, numbers, error);
    if (status) rows_fini(out);
    return status;
}

bramble_status rows_init(struct rows *out, const struct bramble_table *table, const struct encoder *encoder,
                         bramble_error *error)
{
    return rows_init_listed(out, table, encoder, NULL, table->n_rows, error);
}

void rows_fini(struct rows *rows)
{
    mem_free(rows->types);
    spill_release(rows->owned);
    spill_release(rows->owned_targets);
    spill_release(rows->owned_weights);
    spill_free(rows->spill);
    *rows = (struct rows){0};
}

struct rows rows_part(const struct rows *rows, size_t first, size_t n)
{
    struct rows part = *rows;
    part.n_rows = n;
    part.bytes += first * rows->row_bytes;
    if (rows->targets) part.targets = (const uint32_t *)rows->targets + first;
    if (rows->weights) part.weights = rows->weights + first;
    part.owned = part.owned_targets = part.owned_weights = NULL;
    return part;
}

size_t rows_file_bytes(const struct rows *rows)
{
    return rows->spill ? (size_t)spill_file_bytes(rows->spill) : 0;
}

static void want_mapped(const uint8_t *bytes, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = (uintptr_t)bytes / page * page;
    madvise((void *)from, (uintptr_t)bytes + n - from, MADV_WILLNEED);
}

void rows_want(const struct rows *rows, const uint32_t *numbers, size_t n)
{
    if (!rows->mapped && !rows_file_bytes(rows)) return;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *row = rows->bytes + numbers[i] * rows->row_bytes;
        if (rows->mapped)
            want_mapped(row, rows->row_bytes);
        else
            spill_want(rows->spill, row, rows->row_bytes);
    }
}

struct row_encoder {
    const struct encoder *encoder;
    const struct rows *rows;
    float pixel[256]; /* what each byte of an image becomes */
};

bramble_status row_encoder_new(struct row_encoder **out, const struct encoder *encoder,
                               const struct rows *rows, bramble_error *error)
{
    struct row_encoder *coder = mem_zalloc(1, sizeof *coder);
    if (!coder) return error_memory(error, "encoding rows");
    coder->encoder = encoder;
    coder->rows = rows;
    for (int v = 0; encoder->pixels && v < 256; v++)
        encoder_encode_value(encoder, 0, (float)v, &coder->pixel[v]);
    *out = coder;
    return BRAMBLE_OK;
}

void row_encoder_free(struct row_encoder *coder)
{
    mem_free(coder);
}

static void encode_pixels(const struct row_encoder *coder, const uint8_t *bytes, float *out)
{
    for (uint32_t i = 0; i < coder->encoder->n_inputs; i++) out[i] = coder->pixel[bytes[i]];
}

static float stored_value(bramble_feature_type type, const uint8_t *at)
{
    float value = *at;
    if (type == BRAMBLE_FEATURE_NUMBER) memcpy(&value, at, sizeof value);
    if (type == BRAMBLE_FEATURE_CATEGORY && *at == CATEGORY_MISSING) return __builtin_nanf("");
    return value;
}

void row_encoder_encode(const struct row_encoder *coder, size_t row, float *out)
{
    const struct rows *rows = coder->rows;
    const uint8_t *at = rows->bytes + row * rows->row_bytes;
    if (coder->encoder->pixels && rows->row_bytes == coder->encoder->n_inputs) {
        encode_pixels(coder, at, out);
        return;
    }
    for (uint32_t f = 0; f < rows->n_features; f++) {
        bramble_feature_type type = rows->types[f];
        encoder_encode_value(coder->encoder, f, stored_value(type, at), out);
        at += feature_type_size(type);
    }
}
