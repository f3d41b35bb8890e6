#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/rows_file.h"
#include "data/rows_layout.h"
#include "data/sections.h"

static void put_section(struct section_writer *writer, size_t at, const void *bytes, size_t length)
{
    section_pad(writer, at);
    section_put(writer, bytes, length);
}

static struct rows_head head_of(const struct rows *rows, size_t n_validation, const struct encoder *encoder,
                                const char *json)
{
    bool classify = encoder->task == BRAMBLE_TASK_CLASSIFICATION;
    return (struct rows_head){.magic = ROWS_MAGIC,
                              .n_rows = rows->n_rows,
                              .n_validation = n_validation,
                              .row_bytes = rows->row_bytes,
                              .encoder_bytes = strlen(json) + 1,
                              .n_features = rows->n_features,
                              .task = encoder->task,
                              .n_classes = classify ? encoder->n_outputs : 0,
                              .has_weights = rows->weights != NULL,
                              .shape = {encoder->shape[0], encoder->shape[1]}};
}

static uint8_t one_hot_categories(const struct encoder *encoder, uint32_t f)
{
    if (encoder->pixels || encoder->features[f].encoding != ENCODING_ONE_HOT) return 0;
    return (uint8_t)encoder->features[f].n_categories;
}

static void put_features(struct section_writer *writer, const struct rows_layout *layout,
                         const struct rows *rows, const struct encoder *encoder)
{
    put_section(writer, layout->types, rows->types, rows->n_features);
    section_pad(writer, layout->categories);
    for (uint32_t f = 0; f < rows->n_features; f++) {
        uint8_t n = one_hot_categories(encoder, f);
        section_put(writer, &n, 1);
    }
}

/* From the first to the last, unlike the batches made of them. */
static void put_rows(struct section_writer *writer, const struct rows_layout *layout, const struct rows *rows)
{
    spill_scattered(rows->spill, false);
    put_section(writer, layout->targets, rows->targets, rows->n_rows * sizeof(uint32_t));
    section_pad(writer, layout->weights);
    if (rows->weights) section_put(writer, rows->weights, rows->n_rows * sizeof *rows->weights);
    put_section(writer, layout->rows, rows->bytes, rows->n_rows * rows->row_bytes);
    spill_scattered(rows->spill, true);
}

static bramble_status write_file(const char *path, const struct rows *rows, size_t n_validation,
                                 const struct encoder *encoder, const char *json, bramble_error *error)
{
    struct rows_head head = head_of(rows, n_validation, encoder, json);
    struct rows_layout layout;
    struct section_writer writer = {0};
    if (!rows_layout_init(&layout, &head)) return error_memory(error, "the file of training rows");
    bramble_status status = outfile_open(&writer.file, path, error);
    if (status) return status;
    section_put(&writer, &head, sizeof head);
    put_features(&writer, &layout, rows, encoder);
    put_section(&writer, layout.encoder, json, head.encoder_bytes);
    put_rows(&writer, &layout, rows);
    return outfile_commit(writer.file, error);
}

bramble_status rows_file_write(const char *path, const struct rows *rows, size_t n_validation,
                               const struct encoder *encoder, bramble_error *error)
{
    const char *fault = rows_fault(rows, n_validation, encoder);
    if (fault)
        return error_set(error, BRAMBLE_ERR_DATA, "these rows cannot be trained on: %s; check the data",
                         fault);
    char *json;
    bramble_status status = encoder_to_json(&json, encoder, error);
    if (status) return status;
    status = write_file(path, rows, n_validation, encoder, json, error);
    mem_free(json);
    return status;
}
