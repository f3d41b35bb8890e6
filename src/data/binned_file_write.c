#include "data/binned_file.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/binned_layout.h"
#include "data/sections.h"

enum { TILE_ROWS = 64 };

static const char *target_name(const struct bramble_table *table)
{
    return table->schema.target_name ? table->schema.target_name : "y";
}

static uint64_t text_bytes(const struct bramble_table *table)
{
    uint64_t bytes = strlen(target_name(table)) + 1;
    for (uint32_t c = 0; c < table->schema.n_classes; c++) bytes += strlen(table->schema.classes[c]) + 1;
    return bytes;
}

static struct binned_head head_of(const struct bramble_table *table, const struct binned *binned,
                                  uint32_t begin, uint32_t end)
{
    struct binned_head head = {.magic = BINNED_MAGIC,
                               .n_rows = table->n_rows,
                               .n_features = binned->n_features,
                               .task = table->schema.task,
                               .n_classes = table->schema.n_classes,
                               .has_weights = table->weights != NULL,
                               .held_begin = begin,
                               .held_end = end,
                               .text_bytes = text_bytes(table)};
    for (uint32_t f = 0; f < binned->n_features; f++)
        if (table->schema.features[f].type == BRAMBLE_FEATURE_NUMBER)
            head.n_edges += 2 * (uint64_t)binned->bins[f].n_bins;
    return head;
}

static void put_features(struct section_writer *writer, const struct binned_layout *layout,
                         const struct bramble_table *table, const struct binned *binned)
{
    section_pad(writer, layout->features);
    for (uint32_t f = 0; f < binned->n_features; f++) {
        struct binned_feature feature = {.n_bins = binned->bins[f].n_bins,
                                         .type = (uint8_t)table->schema.features[f].type,
                                         .has_missing = binned->bins[f].has_missing};
        section_put(writer, &feature, sizeof feature);
    }
    section_pad(writer, layout->edges);
    for (uint32_t f = 0; f < binned->n_features; f++) {
        if (table->schema.features[f].type != BRAMBLE_FEATURE_NUMBER) continue;
        section_put(writer, binned->bins[f].low, binned->bins[f].n_bins * sizeof(float));
        section_put(writer, binned->bins[f].high, binned->bins[f].n_bins * sizeof(float));
    }
}

static void put_targets(struct section_writer *writer, const struct binned_layout *layout,
                        const struct bramble_table *table)
{
    section_pad(writer, layout->texts);
    section_put(writer, target_name(table), strlen(target_name(table)) + 1);
    for (uint32_t c = 0; c < table->schema.n_classes; c++)
        section_put(writer, table->schema.classes[c], strlen(table->schema.classes[c]) + 1);
    section_pad(writer, layout->targets);
    if (table->classes)
        section_put(writer, table->classes, table->n_rows * sizeof *table->classes);
    else
        section_put(writer, table->values, table->n_rows * sizeof *table->values);
    section_pad(writer, layout->weights);
    if (table->weights) section_put(writer, table->weights, table->n_rows * sizeof *table->weights);
}

/* Codes of one row's features begin..end - 1 into `to`. */
static void copy_row(const struct binned *binned, size_t row, uint32_t begin, uint32_t end, uint8_t *to)
{
    size_t width = binned->held_end - binned->held_begin;
    if (binned->by_row)
        memcpy(to, binned->by_row + row * width + begin, end - begin);
    else
        for (uint32_t f = begin; f < end; f++) to[f - begin] = binned->columns[f][row];
}

/* Some rows at a time: a column's bytes are then used before they leave the cache. */
static void put_codes(struct section_writer *writer, const struct binned_layout *layout,
                      const struct binned *binned, uint32_t begin, uint32_t end, uint8_t *tile)
{
    size_t width = end - begin;
    section_pad(writer, layout->codes);
    for (size_t first = 0; first < binned->n_rows; first += TILE_ROWS) {
        size_t rows = binned->n_rows - first < TILE_ROWS ? binned->n_rows - first : TILE_ROWS;
        for (size_t r = 0; r < rows; r++) copy_row(binned, first + r, begin, end, tile + r * width);
        section_put(writer, tile, rows * width);
    }
}

bramble_status binned_file_write(const char *path, const struct bramble_table *table,
                                 const struct binned *binned, bramble_error *error)
{
    return binned_file_write_shard(path, table, binned, 0, binned->n_features, error);
}

bramble_status binned_file_write_shard(const char *path, const struct bramble_table *table,
                                       const struct binned *binned, uint32_t begin, uint32_t end,
                                       bramble_error *error)
{
    if (!table->classes && !table->values)
        return error_set(error, BRAMBLE_ERR_USAGE, "the table has no target to learn; name one");
    struct binned_head head = head_of(table, binned, begin, end);
    struct binned_layout layout;
    struct section_writer writer = {0};
    uint8_t *tile = mem_alloc(TILE_ROWS, end - begin);
    if (!tile || !binned_layout_init(&layout, &head)) {
        mem_free(tile);
        return error_memory(error, "the file of binned data");
    }
    bramble_status status = outfile_open(&writer.file, path, error);
    if (!status) {
        section_put(&writer, &head, sizeof head);
        put_features(&writer, &layout, table, binned);
        put_targets(&writer, &layout, table);
        put_codes(&writer, &layout, binned, begin, end, tile);
        status = outfile_commit(writer.file, error);
    }
    mem_free(tile);
    return status;
}
