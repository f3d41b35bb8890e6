/*
 * The CSV reader: looks at the first records, then reads all of them in one pass, or in two when a column
 * that began with numbers turns out to hold texts.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/csv_cells.h"
#include "data/number.h"

enum { GZIP_RATIO = 4, FEW_ROWS = 4 };

struct reader {
    struct raw_table *raw;
    struct csv_buffer buffer;
    struct csv_guess guess;
    struct csv_cells cells;
    size_t row;   /* rows read */
    size_t line;  /* in the file, where the record begins; from 1 */
    size_t inner; /* newlines inside the record's fields */
    bool in_header;
    bramble_status status; /* why a record failed */
    bramble_error *error;
};

enum outcome { RECORD_DONE = 0, RECORD_MORE, RECORD_FAILED };

/* Describes what is wrong with the record being read. */
static enum outcome __attribute__((format(printf, 2, 3)))
refuse_record(struct reader *r, const char *format, ...)
{
    char what[320], row[40] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    if (!r->in_header) snprintf(row, sizeof row, "row %zu, ", r->row + 1);
    r->status = error_set(r->error, BRAMBLE_ERR_DATA, "%s: %sline %zu%s", r->raw->path, row, r->line, what);
    return RECORD_FAILED;
}

static enum outcome refuse_field(struct reader *r, uint32_t c, const char *what)
{
    char buffer[32];
    if (c >= r->raw->n_columns) return refuse_record(r, ", column %u: %s", c + 1, what);
    const char *name = raw_column_name(r->raw, c, buffer);
    return refuse_record(r, ", column \"%.*s\": %s", text_clip(name, strlen(name)), name, what);
}

static enum outcome refuse_text(struct reader *r, uint32_t c, const struct csv_field *field)
{
    char what[200];
    snprintf(what, sizeof what,
             "\"%.*s\" is not a number, but the column must hold numbers; correct it, or "
             "leave it empty where it is missing",
             text_clip(field->text, field->length), field->text);
    return refuse_field(r, c, what);
}

static enum outcome refuse_count(struct reader *r, size_t n_fields, bool more)
{
    const char *delimiter = r->guess.delimiter == '\t' ? "tab" : (char[]){r->guess.delimiter, 0};
    return refuse_record(r,
                         " has %s%zu fields where the first row has %u; correct it, or put quotes around "
                         "texts that hold a %s",
                         more ? "more than " : "", n_fields, r->raw->n_columns, delimiter);
}

static enum outcome refuse_result(struct reader *r, uint32_t c, enum csv_result result)
{
    if (result == CSV_QUOTE)
        return refuse_field(r, c,
                            "something stands behind the closing quote; double the quotes inside texts");
    if (result == CSV_NUL)
        return refuse_field(r, c, "a NUL byte; this is no text, or UTF-16: save it as UTF-8");
    if (!r->buffer.at_end) return RECORD_MORE;
    return refuse_field(r, c, "the quote that opens here is never closed");
}

static enum outcome no_memory(struct reader *r)
{
    r->status = spill_error(r->raw->spill, r->error, "the rows of a table");
    return RECORD_FAILED;
}

/* A field that is not simply a number: missing, quoted, a text, or anything in a column without numbers. */
static enum outcome read_odd_field(struct reader *r, uint32_t c, const char *p, const char **end)
{
    struct csv_field field;
    struct csv_cells *cells = &r->cells;
    const char *limit = r->buffer.data + r->buffer.end;
    enum csv_result result = csv_field_scan(p, limit, r->guess.delimiter, &field);
    if (result != CSV_FIELD) return refuse_result(r, c, result);
    *end = field.end;
    for (size_t i = 0; field.quoted && i < field.length; i++) r->inner += field.text[i] == '\n';
    bool stored = true;
    double number;
    if (cells->cells[c].type == RAW_NOTHING) return RECORD_DONE;
    if (cells->texts[c]) {
        stored = text_is_missing(field.text, field.length) ? csv_cells_put_missing(cells, c, r->row)
                                                           : csv_cells_put_text(cells, c, r->row, &field);
        return stored ? RECORD_DONE : no_memory(r);
    }
    switch (csv_field_value(&field, &number)) {
    case CSV_MISSING: stored = csv_cells_put_missing(cells, c, r->row); break;
    case CSV_NUMBER: stored = csv_cells_put_number(cells, c, r->row, number); break;
    case CSV_TEXT:
        if (cells->cells[c].fixed) return refuse_text(r, c, &field);
        csv_cells_conflict(cells, c);
    }
    return stored ? RECORD_DONE : no_memory(r);
}

static inline bool ends_field(char c, char delimiter)
{
    return c == delimiter || csv_is_newline(c);
}

/* Stores the field at p, when it is simply a number and fits the column as it is; its end or else NULL. */
static inline const char *read_number(const struct csv_cell *cell, size_t row, const char *p, char delimiter)
{
    uint32_t small = 0;
    double value = 0;
    const char *end;
    switch (cell->type) {
    case RAW_BYTES:
        end = number_scan_short(p, &small);
        if (!end || small > 255 || !ends_field(*end, delimiter)) return NULL;
        ((uint8_t *)cell->data)[row] = (uint8_t)small;
        return end;
    case RAW_FLOATS:
        end = number_scan(p, &value);
        if (!end || !ends_field(*end, delimiter)) return NULL;
        ((float *)cell->data)[row] = (float)value;
        return end;
    default: return NULL;
    }
}

/* The newline at p may go on behind the end of the buffer. */
static bool newline_is_cut(const struct csv_buffer *buffer, const char *p)
{
    return *p == '\r' && p + 1 == buffer->data + buffer->end && !buffer->at_end;
}

/* Reads the record at p; *next is where the one behind it begins. */
static enum outcome read_record(struct reader *r, const char *p, const char **next)
{
    const struct csv_cell *cells = r->cells.cells;
    const char delimiter = r->guess.delimiter;
    const uint32_t n = r->raw->n_columns;
    const size_t row = r->row;
    uint32_t c = 0;
    r->inner = 0;
    for (;; c++, p++) {
        if (c == n) return refuse_count(r, n, true);
        const char *end = read_number(&cells[c], row, p, delimiter);
        enum outcome outcome = end ? RECORD_DONE : read_odd_field(r, c, p, &end);
        if (outcome != RECORD_DONE) return outcome;
        p = end;
        if (*p != delimiter) break;
    }
    if (newline_is_cut(&r->buffer, p)) return RECORD_MORE;
    if (c + 1 < n) return refuse_count(r, c + 1, false);
    *next = csv_newline_skip(p);
    return RECORD_DONE;
}

/* All whole records of the buffer. */
static bramble_status read_buffer(struct reader *r)
{
    struct csv_buffer *buffer = &r->buffer;
    const char *p = buffer->data + buffer->begin, *limit = buffer->data + buffer->end;
    enum outcome outcome = RECORD_DONE;
    bramble_status status = BRAMBLE_OK;
    while (p < limit && !newline_is_cut(buffer, p)) {
        if (csv_is_newline(*p)) {
            p = csv_newline_skip(p);
            r->line++;
            continue;
        }
        if (r->row == r->cells.capacity) status = csv_cells_grow(&r->cells, r->error);
        if (status != BRAMBLE_OK) return status;
        outcome = read_record(r, p, &p);
        if (outcome != RECORD_DONE) break;
        r->row++;
        r->line += 1 + r->inner;
    }
    buffer->begin = (size_t)(p - buffer->data);
    return outcome == RECORD_FAILED ? r->status : BRAMBLE_OK;
}

static bramble_status refuse_length(struct reader *r)
{
    refuse_record(r, " is longer than %d MB; is a quote open?", CSV_RECORD_MAX >> 20);
    return r->status;
}

/* All records that follow in the file. */
static bramble_status read_records(struct reader *r)
{
    for (;;) {
        bramble_status status = read_buffer(r);
        if (status != BRAMBLE_OK || r->buffer.at_end) return status;
        if (csv_buffer_full(&r->buffer)) return refuse_length(r);
        status = csv_buffer_fill(&r->buffer, r->error);
        if (status != BRAMBLE_OK) return status;
    }
}

static void skip_empty_lines(struct reader *r)
{
    struct csv_buffer *buffer = &r->buffer;
    while (buffer->begin < buffer->end && csv_is_newline(buffer->data[buffer->begin])) {
        const char *p = buffer->data + buffer->begin;
        buffer->begin += (size_t)(csv_newline_skip(p) - p);
        r->line++;
    }
}

static bool set_name(struct reader *r, uint32_t c, const struct csv_field *field)
{
    struct str scratch = {0};
    const char *text;
    size_t length;
    bool fine = csv_field_text(field, &scratch, &text, &length);
    if (fine && length) {
        r->raw->columns[c].name = mem_strndup(text, length);
        fine = r->raw->columns[c].name != NULL;
    }
    str_fini(&scratch);
    return fine;
}

/* Goes over the header, which is known to be in the buffer, taking names from it the first time. */
static bramble_status read_header(struct reader *r, bool names)
{
    skip_empty_lines(r);
    if (!r->guess.header) return BRAMBLE_OK;
    struct csv_buffer *buffer = &r->buffer;
    const char *p = buffer->data + buffer->begin, *limit = buffer->data + buffer->end;
    struct csv_field field;
    for (uint32_t c = 0; c < r->guess.n_columns; c++, p = field.end + 1) {
        if (csv_field_scan(p, limit, r->guess.delimiter, &field) != CSV_FIELD) break;
        if (names && !set_name(r, c, &field)) return error_memory(r->error, "the names of the columns");
        for (size_t i = 0; i < field.length; i++) r->line += field.text[i] == '\n';
    }
    buffer->begin = (size_t)(csv_newline_skip(field.end) - buffer->data);
    r->line++;
    return BRAMBLE_OK;
}

/* There is no first record that could be read: says why. */
static bramble_status refuse_start(struct reader *r)
{
    skip_empty_lines(r);
    const struct csv_buffer *buffer = &r->buffer;
    const char *p = buffer->data + buffer->begin, *limit = buffer->data + buffer->end;
    if (p == limit) return error_set(r->error, BRAMBLE_ERR_DATA, "%s: the file is empty", r->raw->path);
    if (csv_buffer_full(buffer)) return refuse_length(r);
    struct csv_field field;
    for (uint32_t c = 0;; c++, p = field.end + 1) {
        enum csv_result result = csv_field_scan(p, limit, r->guess.delimiter, &field);
        if (result == CSV_FIELD) continue;
        refuse_result(r, c, result);
        return r->status;
    }
}

/* Rows there will be, from their size in the first records; too many cost nothing, as memory that is not
 * touched is not there. */
static size_t estimate_rows(const struct reader *r)
{
    uint64_t size = infile_size(r->buffer.file);
    if (infile_is_gzip(r->buffer.file)) size *= GZIP_RATIO;
    if (!r->guess.n_rows) return FEW_ROWS;
    double row = (double)r->guess.n_bytes / (double)r->guess.n_rows;
    return (size_t)((double)size / row * 1.02) + FEW_ROWS;
}

/* What a row will take: its text's bytes, as small numbers are short; at most a float a column. */
static uint64_t estimate_row_bytes(const struct reader *r)
{
    uint64_t text = r->guess.n_rows ? r->guess.n_bytes / r->guess.n_rows : 0;
    uint64_t floats = r->guess.n_columns * sizeof(float);
    return text < floats ? text : floats;
}

/* Reads the records, once more when a column turned out to hold texts. */
static bramble_status read_table(struct reader *r, const bramble_read_options *options)
{
    struct csv_cells *cells = &r->cells;
    size_t n_rows = estimate_rows(r);
    raw_table_expect(r->raw, n_rows, estimate_row_bytes(r));
    bramble_status status = csv_cells_init(cells, r->raw, &r->guess, options, n_rows, r->error);
    if (status == BRAMBLE_OK) status = read_records(r);
    while (status == BRAMBLE_OK && cells->conflict) {
        status = csv_cells_restart(cells, r->error);
        if (status == BRAMBLE_OK) status = csv_buffer_rewind(&r->buffer, r->error);
        if (status != BRAMBLE_OK) return status;
        r->row = 0;
        r->line = 1;
        read_header(r, false);
        status = read_records(r);
    }
    if (status != BRAMBLE_OK) return status;
    csv_cells_finish(cells);
    r->raw->n_rows = r->row;
    return BRAMBLE_OK;
}

static bramble_status read_file(struct reader *r, struct infile *file, const char *path,
                                const bramble_read_options *options)
{
    bramble_status status = csv_buffer_init(&r->buffer, file, r->error);
    if (status == BRAMBLE_OK) status = csv_guess_init(&r->guess, &r->buffer, options, r->error);
    if (status == BRAMBLE_OK) status = raw_table_init(r->raw, path, "csv", "x", r->guess.n_columns, r->error);
    if (status != BRAMBLE_OK) return status;
    r->raw->named = r->guess.header;
    if (r->guess.n_columns == 0) return refuse_start(r);
    if (r->guess.n_columns == 1 && !options->schema)
        return error_set(r->error, BRAMBLE_ERR_DATA,
                         "%s: only one column; commas, semicolons, tabs or | must stand between fields",
                         path);
    status = read_header(r, true);
    r->in_header = false;
    if (status == BRAMBLE_OK) status = raw_table_resolve(r->raw, options, r->error);
    return status == BRAMBLE_OK ? read_table(r, options) : status;
}

bramble_status csv_read(struct raw_table *out, struct infile *file, const char *path,
                        const bramble_read_options *options, bramble_error *error)
{
    struct reader r = {.raw = out, .line = 1, .in_header = true, .error = error};
    bramble_status status = read_file(&r, file, path, options);
    csv_cells_fini(&r.cells);
    csv_guess_fini(&r.guess);
    csv_buffer_fini(&r.buffer);
    return status;
}

bramble_status reader_csv(struct raw_table *out, const char *path, const bramble_read_options *options,
                          bramble_error *error)
{
    struct infile *file;
    bramble_status status = infile_open(&file, path, error);
    if (status != BRAMBLE_OK) return status;
    status = csv_read(out, file, path, options, error);
    infile_close(file);
    return status;
}
