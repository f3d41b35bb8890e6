#include "data/csv_cells.h"

#include <math.h>

#include "base/error.h"
#include "base/mem.h"

static bool resize(struct csv_cells *cells, uint32_t c, enum raw_type type, size_t n)
{
    if (raw_column_resize(cells->raw, &cells->raw->columns[c], type, n, NULL) != BRAMBLE_OK) return false;
    cells->cells[c].data = cells->raw->columns[c].any;
    cells->cells[c].type = (uint8_t)type;
    return true;
}

static bool start_texts(struct csv_cells *cells, uint32_t c)
{
    cells->texts[c] = mem_zalloc(1, sizeof *cells->texts[c]);
    return cells->texts[c] && resize(cells, c, RAW_CODES8, cells->capacity);
}

/* The type a column starts with. */
static enum raw_type first_type(const struct raw_column *column, bool text,
                                const struct bramble_schema *schema, bool *fixed)
{
    *fixed = false;
    switch (column->role) {
    case ROLE_IGNORED: return RAW_NOTHING;
    case ROLE_WEIGHT: *fixed = true; return RAW_DOUBLES;
    case ROLE_TARGET:
        if (schema && schema->task == BRAMBLE_TASK_CLASSIFICATION) text = !schema_classes_numeric(schema);
        *fixed = schema && schema->task == BRAMBLE_TASK_REGRESSION;
        return text && !*fixed ? RAW_CODES8 : RAW_DOUBLES;
    case ROLE_FEATURE: break;
    }
    if (!schema) return text ? RAW_CODES8 : RAW_BYTES;
    bramble_feature_type type = schema->features[column->feature].type;
    *fixed = type != BRAMBLE_FEATURE_CATEGORY;
    if (!*fixed) return RAW_CODES8;
    return type == BRAMBLE_FEATURE_BYTE ? RAW_BYTES : RAW_FLOATS;
}

bramble_status csv_cells_init(struct csv_cells *cells, struct raw_table *raw, const struct csv_guess *guess,
                              const bramble_read_options *options, size_t capacity, bramble_error *error)
{
    uint32_t n = raw->n_columns;
    *cells = (struct csv_cells){.raw = raw, .capacity = capacity};
    cells->cells = mem_zalloc(n, sizeof *cells->cells);
    cells->texts = mem_zalloc(n, sizeof *cells->texts);
    bool fine = cells->cells && cells->texts;
    for (uint32_t c = 0; c < n && fine; c++) {
        struct csv_cell *cell = &cells->cells[c];
        enum raw_type type = first_type(&raw->columns[c], guess->texts[c], options->schema, &cell->fixed);
        if (type == RAW_CODES8)
            fine = start_texts(cells, c);
        else if (type != RAW_NOTHING)
            fine = resize(cells, c, type, capacity);
    }
    if (fine) return BRAMBLE_OK;
    csv_cells_fini(cells);
    return spill_error(raw->spill, error, "the columns of a table");
}

void csv_cells_fini(struct csv_cells *cells)
{
    for (uint32_t c = 0; cells->texts && c < cells->raw->n_columns; c++) {
        if (cells->texts[c]) texts_fini(cells->texts[c]);
        mem_free(cells->texts[c]);
    }
    mem_free(cells->texts);
    mem_free(cells->cells);
    str_fini(&cells->scratch);
    *cells = (struct csv_cells){0};
}

bramble_status csv_cells_grow(struct csv_cells *cells, bramble_error *error)
{
    size_t capacity = cells->capacity + cells->capacity / 4 + 4;
    for (uint32_t c = 0; c < cells->raw->n_columns; c++) {
        enum raw_type type = cells->cells[c].type;
        if (type != RAW_NOTHING && !resize(cells, c, type, capacity))
            return spill_error(cells->raw->spill, error, "the rows of a table");
    }
    cells->capacity = capacity;
    return BRAMBLE_OK;
}

/* Replaces column c by one of a wider type; its first n values are carried over. */
static bool widen(struct csv_cells *cells, uint32_t c, enum raw_type type, size_t n)
{
    struct raw_column *column = &cells->raw->columns[c];
    struct raw_column wider = {0};
    if (raw_column_resize(cells->raw, &wider, type, cells->capacity, NULL) != BRAMBLE_OK) return false;
    const uint8_t *bytes = column->bytes;
    if (type == RAW_FLOATS)
        for (size_t r = 0; r < n; r++) wider.floats[r] = bytes[r];
    else
        for (size_t r = 0; r < n; r++)
            wider.codes[r] = bytes[r] == TEXT8_MISSING ? (uint16_t)TEXT16_MISSING : bytes[r];
    spill_release(column->any);
    column->any = wider.any;
    column->type = type;
    cells->cells[c].data = wider.any;
    cells->cells[c].type = (uint8_t)type;
    return true;
}

bool csv_cells_put_number(struct csv_cells *cells, uint32_t c, size_t row, double value)
{
    struct csv_cell *cell = &cells->cells[c];
    if (cell->type == RAW_BYTES) {
        if (value >= 0 && value <= 255 && value == (int)value) {
            ((uint8_t *)cell->data)[row] = (uint8_t)value;
            return true;
        }
        if (!widen(cells, c, RAW_FLOATS, row)) return false;
    }
    if (cell->type == RAW_FLOATS)
        ((float *)cell->data)[row] = (float)value;
    else
        ((double *)cell->data)[row] = value;
    return true;
}

static bool put_code(struct csv_cells *cells, uint32_t c, size_t row, uint32_t code)
{
    struct csv_cell *cell = &cells->cells[c];
    if (cell->type == RAW_CODES8) {
        if (code < TEXT8_MISSING || code == TEXT16_MISSING) {
            ((uint8_t *)cell->data)[row] = (uint8_t)code;
            return true;
        }
        if (!widen(cells, c, RAW_CODES16, row)) return false;
    }
    ((uint16_t *)cell->data)[row] = (uint16_t)code;
    return true;
}

bool csv_cells_put_missing(struct csv_cells *cells, uint32_t c, size_t row)
{
    return cells->texts[c] ? put_code(cells, c, row, TEXT16_MISSING)
                           : csv_cells_put_number(cells, c, row, NAN);
}

bool csv_cells_put_text(struct csv_cells *cells, uint32_t c, size_t row, const struct csv_field *field)
{
    const char *text;
    size_t length;
    if (!csv_field_text(field, &cells->scratch, &text, &length)) return false;
    uint32_t code = texts_add(cells->texts[c], text, length);
    return code != TEXTS_FAILED && put_code(cells, c, row, code);
}

void csv_cells_conflict(struct csv_cells *cells, uint32_t c)
{
    struct raw_column *column = &cells->raw->columns[c];
    spill_release(column->any);
    column->any = NULL;
    column->type = RAW_NOTHING;
    cells->cells[c] = (struct csv_cell){NULL, RAW_NOTHING, false};
    cells->conflict = true;
}

bramble_status csv_cells_restart(struct csv_cells *cells, bramble_error *error)
{
    struct raw_table *raw = cells->raw;
    for (uint32_t c = 0; c < raw->n_columns; c++) {
        bool again = raw->columns[c].role != ROLE_IGNORED && cells->cells[c].type == RAW_NOTHING;
        if (again && !start_texts(cells, c)) return spill_error(raw->spill, error, "the columns of a table");
    }
    cells->conflict = false;
    return BRAMBLE_OK;
}

void csv_cells_finish(struct csv_cells *cells)
{
    for (uint32_t c = 0; c < cells->raw->n_columns; c++) {
        struct texts *texts = cells->texts[c];
        if (!texts) continue;
        cells->raw->columns[c].texts = texts->list;
        cells->raw->columns[c].n_texts = texts->n;
        texts->list = NULL;
    }
}
