#include "data/rows.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { TILE_ROWS = 64 };

/* Some rows at a time: their bytes are written, column by column, before they leave the cache. */
static void copy_tile(const struct bramble_table *table, size_t first, size_t n, size_t row_bytes,
                      uint8_t *to)
{
    size_t place = 0;
    for (uint32_t f = 0; f < table->schema.n_features; f++) {
        const struct column *column = &table->columns[f];
        size_t size = feature_type_size(table->schema.features[f].type);
        if (size == 1)
            for (size_t r = 0; r < n; r++) to[r * row_bytes + place] = column->bytes[first + r];
        else
            for (size_t r = 0; r < n; r++)
                memcpy(to + r * row_bytes + place, &column->numbers[first + r], sizeof(float));
        place += size;
    }
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

static bramble_status copy_features(struct rows *out, const struct bramble_table *table, bramble_error *error)
{
    uint8_t *bytes = mem_alloc_large(out->n_rows, out->row_bytes);
    if (!bytes) return error_memory(error, "the rows of a table");
    out->bytes = out->owned = bytes;
    for (size_t first = 0; first < out->n_rows; first += TILE_ROWS) {
        size_t n = out->n_rows - first < TILE_ROWS ? out->n_rows - first : TILE_ROWS;
        copy_tile(table, first, n, out->row_bytes, bytes + first * out->row_bytes);
    }
    return BRAMBLE_OK;
}

static bramble_status copy_targets(struct rows *out, const struct bramble_table *table,
                                   const struct encoder *encoder, bramble_error *error)
{
    if (!table->classes && !table->values) return BRAMBLE_OK;
    out->owned_targets = mem_alloc(out->n_rows, sizeof(uint32_t));
    if (!out->owned_targets) return error_memory(error, "the targets of a table");
    encoder_targets(encoder, table, 0, out->n_rows, out->owned_targets);
    out->targets = out->owned_targets;
    return BRAMBLE_OK;
}

bramble_status rows_init(struct rows *out, const struct bramble_table *table, const struct encoder *encoder,
                         bramble_error *error)
{
    *out = (struct rows){.n_rows = table->n_rows, .n_features = table->schema.n_features};
    bramble_status status = copy_types(out, table, error);
    if (!status) status = copy_features(out, table, error);
    if (!status) status = copy_targets(out, table, encoder, error);
    if (status) rows_fini(out);
    return status;
}

void rows_fini(struct rows *rows)
{
    mem_free(rows->types);
    mem_free(rows->owned);
    mem_free(rows->owned_targets);
    *rows = (struct rows){0};
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
