/*
 * What kind of CSV a file is, seen from its first records.
 *
 * Delimiter: the one of , ; tab | that parts most of the records into as many fields as the first, and into
 * the most fields among equals.
 *
 * Header: the first record is one when
 *   - a name that the options or the schema know stands in it, or
 *   - it has a text above a column that otherwise holds numbers, and its own numbers, if any, are whole and
 *     ascend as names such as 0, 1, 2 or years do, or
 *   - it holds texts only, all different, none of which comes again further down its column.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/csv.h"

enum { RECORDS_LOOKED_AT = 4096 };
static const char delimiters[] = {',', ';', '\t', '|'};

/* Records of the buffer, field by field. */
struct walk {
    const char *p, *limit;
    char delimiter;
};

static struct walk walk_start(const struct csv_buffer *buffer, char delimiter)
{
    return (struct walk){buffer->data + buffer->begin, buffer->data + buffer->end, delimiter};
}

/* To the next record; false when there is none. */
static bool walk_record(struct walk *walk)
{
    while (walk->p < walk->limit && csv_is_newline(*walk->p)) walk->p++;
    return walk->p < walk->limit;
}

/* The next field of the record; *last tells that the record ends behind it. False: nothing readable. */
static bool walk_field(struct walk *walk, struct csv_field *field, bool *last)
{
    if (csv_field_scan(walk->p, walk->limit, walk->delimiter, field) != CSV_FIELD) return false;
    *last = csv_is_newline(*field->end);
    walk->p = *last ? csv_newline_skip(field->end) : field->end + 1;
    return true;
}

/* Fields of the next record, 0 when there is no whole one. */
static size_t count_fields(struct walk *walk)
{
    struct csv_field field;
    bool last = false;
    size_t n = 0;
    if (!walk_record(walk)) return 0;
    for (; !last; n++)
        if (!walk_field(walk, &field, &last)) return 0;
    return n;
}

static char guess_delimiter(const struct csv_buffer *buffer, size_t *n_columns)
{
    size_t best_agree = 0, best_fields = 1;
    char best = delimiters[0];
    for (size_t i = 0; i < sizeof delimiters; i++) {
        struct walk walk = walk_start(buffer, delimiters[i]);
        size_t first = count_fields(&walk), agree = first > 1, n;
        for (size_t r = 1; agree && r < RECORDS_LOOKED_AT && (n = count_fields(&walk)); r++)
            agree += n == first;
        if (agree < best_agree || (agree == best_agree && first <= best_fields)) continue;
        best = delimiters[i];
        best_agree = agree;
        best_fields = first;
    }
    struct walk walk = walk_start(buffer, best);
    *n_columns = count_fields(&walk);
    return best;
}

/* A column in the first records. */
struct glance {
    struct csv_field first; /* its field in the first record */
    enum csv_value first_value;
    bool numbers, texts; /* in the other records */
    bool comes_again;    /* the first record's text does */
};

static bool same_text(const struct csv_field *a, const struct csv_field *b)
{
    return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
}

static void look(struct csv_guess *guess, const struct csv_buffer *buffer, struct glance *columns)
{
    struct walk walk = walk_start(buffer, guess->delimiter);
    double number;
    for (size_t r = 0; r < RECORDS_LOOKED_AT && walk_record(&walk); r++) {
        const char *start = walk.p;
        struct csv_field field;
        bool last = false;
        for (uint32_t c = 0; !last; c++) {
            if (!walk_field(&walk, &field, &last)) return;
            if (c >= guess->n_columns) continue;
            enum csv_value value = csv_field_value(&field, &number);
            if (r == 0) {
                columns[c].first = field;
                columns[c].first_value = value;
                continue;
            }
            columns[c].numbers |= value == CSV_NUMBER;
            columns[c].texts |= value == CSV_TEXT;
            columns[c].comes_again |= value == CSV_TEXT && same_text(&field, &columns[c].first);
        }
        if (r == 0) guess->n_first_bytes = (size_t)(walk.p - start);
        guess->n_rows++;
        guess->n_bytes += (size_t)(walk.p - start);
    }
}

static int compare_texts(const struct csv_field *field, const char *text, size_t length)
{
    int order = memcmp(field->text, text, field->length < length ? field->length : length);
    return order ? order : (field->length > length) - (field->length < length);
}

static int compare_first(const void *a, const void *b)
{
    const struct glance *left = *(const struct glance *const *)a, *right = *(const struct glance *const *)b;
    return compare_texts(&left->first, right->first.text, right->first.length);
}

/* The column whose first field is `name`, or NULL. */
static const struct glance *find_name(const struct glance **sorted, uint32_t n, const char *name)
{
    size_t length = strlen(name);
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (compare_texts(&sorted[middle]->first, name, length) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && compare_texts(&sorted[low]->first, name, length) == 0 ? sorted[low] : NULL;
}

/* Options or schema speak of columns by names that stand in the first record. */
static bool names_known(const struct glance **sorted, uint32_t n, const bramble_read_options *options)
{
    const char *asked[] = {options->target, options->sample_weight};
    for (int i = 0; i < 2; i++) {
        const struct glance *found = asked[i] ? find_name(sorted, n, asked[i]) : NULL;
        if (found && found->first_value == CSV_TEXT) return true;
    }
    const struct bramble_schema *schema = options->schema;
    if (!schema || !schema->named) return false;
    uint32_t n_known = 0;
    for (uint32_t f = 0; f < schema->n_features; f++)
        n_known += find_name(sorted, n, schema->features[f].name) != NULL;
    return n_known > schema->n_features / 2;
}

/* Texts only, all different, and none comes again. */
static bool look_like_names(const struct glance **sorted, uint32_t n)
{
    for (uint32_t c = 0; c < n; c++) {
        if (sorted[c]->first_value == CSV_NUMBER || sorted[c]->comes_again) return false;
        if (c && sorted[c]->first_value == CSV_TEXT && same_text(&sorted[c - 1]->first, &sorted[c]->first))
            return false;
    }
    return true;
}

/* Some text above numbers; numbers only as they are in names: whole and ascending. */
static bool stands_above_numbers(const struct glance *columns, uint32_t n)
{
    bool above = false;
    double last = -1, number;
    for (uint32_t c = 0; c < n; c++) {
        above |= columns[c].first_value == CSV_TEXT && columns[c].numbers && !columns[c].texts;
        if (csv_field_value(&columns[c].first, &number) != CSV_NUMBER) continue;
        if (!(number > last && number < 1e9 && number == (double)(int64_t)number)) return false;
        last = number;
    }
    return above;
}

static bramble_status guess_header(struct csv_guess *guess, const struct glance *columns,
                                   const bramble_read_options *options, bramble_error *error)
{
    uint32_t n = guess->n_columns;
    const struct glance **sorted = mem_alloc(n, sizeof *sorted);
    if (!sorted) return error_memory(error, "the names of the columns");
    for (uint32_t c = 0; c < n; c++) sorted[c] = &columns[c];
    qsort(sorted, n, sizeof *sorted, compare_first);
    guess->header =
        names_known(sorted, n, options) || look_like_names(sorted, n) || stands_above_numbers(columns, n);
    mem_free(sorted);
    return BRAMBLE_OK;
}

static bramble_status guess_columns(struct csv_guess *guess, const struct csv_buffer *buffer,
                                    const bramble_read_options *options, bramble_error *error)
{
    struct glance *columns = mem_zalloc(guess->n_columns, sizeof *columns);
    guess->texts = mem_zalloc(guess->n_columns, sizeof *guess->texts);
    bramble_status status = BRAMBLE_OK;
    if (!columns || !guess->texts) status = error_memory(error, "the columns of a table");
    if (status == BRAMBLE_OK) {
        look(guess, buffer, columns);
        status = guess_header(guess, columns, options, error);
    }
    if (status == BRAMBLE_OK) {
        if (guess->header) guess->n_rows--, guess->n_bytes -= guess->n_first_bytes;
        for (uint32_t c = 0; c < guess->n_columns; c++)
            guess->texts[c] = columns[c].texts || (!guess->header && columns[c].first_value == CSV_TEXT);
    }
    mem_free(columns);
    return status;
}

bramble_status csv_guess_init(struct csv_guess *guess, struct csv_buffer *buffer,
                              const bramble_read_options *options, bramble_error *error)
{
    const char *path = infile_path(buffer->file);
    for (;;) {
        size_t n_columns;
        *guess = (struct csv_guess){.delimiter = guess_delimiter(buffer, &n_columns)};
        if (n_columns > RAW_COLUMNS_MAX)
            return error_set(error, BRAMBLE_ERR_DATA, "%s: %zu columns are more than the %d there can be",
                             path, n_columns, RAW_COLUMNS_MAX);
        guess->n_columns = (uint32_t)n_columns;
        bramble_status status = BRAMBLE_OK;
        if (n_columns) status = guess_columns(guess, buffer, options, error);
        bool enough = guess->n_rows > 1 || buffer->at_end || csv_buffer_full(buffer);
        if (status == BRAMBLE_OK && enough) return BRAMBLE_OK;
        csv_guess_fini(guess);
        if (status == BRAMBLE_OK) status = csv_buffer_fill(buffer, error);
        if (status != BRAMBLE_OK) return status;
    }
}

void csv_guess_fini(struct csv_guess *guess)
{
    mem_free(guess->texts);
    *guess = (struct csv_guess){0};
}
