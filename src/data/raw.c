#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/reader.h"

enum { CLIP_BYTES = 40 };

bramble_status raw_table_init(struct raw_table *raw, const char *path, const char *format, const char *prefix,
                              size_t n_columns, bramble_error *error)
{
    if (n_columns > RAW_COLUMNS_MAX)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: %zu columns are more than the %d there can be", path,
                         n_columns, RAW_COLUMNS_MAX);
    struct raw_column *columns = mem_zalloc(n_columns, sizeof *columns);
    if (!columns) return error_memory(error, "the columns of a table");
    struct spill *spill;
    bramble_status status = spill_new(&spill, error);
    if (status) {
        mem_free(columns);
        return status;
    }
    *raw = (struct raw_table){
        .path = path,
        .format = format,
        .prefix = prefix,
        .n_columns = (uint32_t)n_columns,
        .columns = columns,
        .spill = spill,
    };
    return BRAMBLE_OK;
}

void raw_table_fini(struct raw_table *raw)
{
    for (uint32_t c = 0; raw->columns && c < raw->n_columns; c++) {
        struct raw_column *column = &raw->columns[c];
        mem_free(column->name);
        spill_release(column->any);
        for (uint32_t i = 0; column->texts && i < column->n_texts; i++) mem_free(column->texts[i]);
        mem_free(column->texts);
    }
    mem_free(raw->columns);
    spill_free(raw->spill);
    *raw = (struct raw_table){0};
}

size_t raw_type_size(enum raw_type type)
{
    static const size_t sizes[] = {0, 1, sizeof(float), sizeof(double), 1, sizeof(uint16_t)};
    return sizes[type];
}

void raw_table_expect(struct raw_table *raw, size_t n_rows, uint64_t row_bytes)
{
    uint64_t bytes;
    if (__builtin_mul_overflow(row_bytes, (uint64_t)n_rows, &bytes)) bytes = UINT64_MAX;
    spill_expect(raw->spill, bytes);
}

bramble_status raw_column_resize(struct raw_table *raw, struct raw_column *column, enum raw_type type,
                                 size_t n, bramble_error *error)
{
    void *array = spill_resize(raw->spill, column->any, n, raw_type_size(type));
    if (!array) return spill_error(raw->spill, error, "a column of the table");
    column->any = array;
    column->type = type;
    return BRAMBLE_OK;
}

const char *raw_column_name(const struct raw_table *raw, uint32_t c, char buffer[32])
{
    if (raw->columns[c].name) return raw->columns[c].name;
    snprintf(buffer, 32, "%.20s%u", raw->prefix, c);
    return buffer;
}

int text_clip(const char *text, size_t length)
{
    if (length <= CLIP_BYTES) return (int)length;
    int end = CLIP_BYTES;
    while (end > CLIP_BYTES - 4 && ((unsigned char)text[end] & 0xc0) == 0x80) end--;
    return end;
}
