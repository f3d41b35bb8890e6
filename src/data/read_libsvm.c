/*
 * libsvm (svmlight) text: LABEL INDEX:VALUE INDEX:VALUE ..., one row a line; what is not listed is 0.
 * (Chang, Lin, "LIBSVM: a library for support vector machines", 2011; Joachims, SVM-light, 1999.)
 *
 * Indices count from 1, or from 0 when a 0 occurs, and need not ascend. Features are called "index0" or
 * "index1" onwards after them, so that a model remembers how its data counted. Two passes: the first finds
 * rows, columns and their types, the second fills columns that are already as they stay.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/number.h"
#include "data/reader.h"
#include "data/svm_lexer.h"

enum {
    EMPTY_BYTES_FREE = 64 << 20, /* what a table may take however little there is in it */
    EMPTY_BYTES_MAX = 100000,    /* and beyond that for each value or row in the file */
};

/* What the first pass knows of an index. */
struct index_info {
    uint64_t last_line; /* where it was seen last, 0: nowhere */
    bool wide;          /* some value is no whole number 0..255 */
};

struct svm {
    const char *path;
    const struct bramble_schema *schema;
    struct svm_lexer *lexer;
    struct index_info *indices;
    uint32_t capacity, n_indices; /* room there, and one more than the largest index seen */
    uint32_t base;                /* the first feature's index; known after the first pass */
    size_t row, n_rows;           /* this pass's row, and how many the first pass found */
    uint64_t n_pairs;             /* found by the first pass */
    struct raw_table *out;
    bramble_error error;
};

/* What a pass does with an INDEX:VALUE. */
typedef bramble_status pair_visit(struct svm *svm, uint32_t index, double value);

static bramble_status refuse(struct svm *svm, const char *what, const char *word, size_t length)
{
    return error_set(&svm->error, BRAMBLE_ERR_DATA, "%s: line %" PRIu64 ": %s \"%.*s\"", svm->path,
                     svm_lexer_line(svm->lexer), what, text_clip(word, length), word);
}

static bramble_status parse_label(struct svm *svm, const char *word, size_t length, double *label)
{
    if (number_parse(word, length, label)) return BRAMBLE_OK;
    if (memchr(word, ':', length))
        return refuse(svm, "a line begins with its label (0 where it is not known), not with", word, length);
    if (memchr(word, ',', length))
        return refuse(svm, "several labels a line are not supported, keep one of", word, length);
    return refuse(svm, "the label must be a number, not", word, length);
}

static bramble_status parse_index(struct svm *svm, const char *word, size_t length, size_t digits,
                                  uint32_t *index)
{
    *index = 0;
    for (size_t i = 0; i < digits; i++) {
        if (word[i] < '0' || word[i] > '9')
            return refuse(svm, "an index must be a whole number, not as in", word, length);
        *index = *index * 10 + (uint32_t)(word[i] - '0');
        if (*index >= RAW_COLUMNS_MAX)
            return refuse(svm, "indices must be below 1000000, renumber those as in", word, length);
    }
    return digits ? BRAMBLE_OK : refuse(svm, "no index before the colon of", word, length);
}

static bramble_status parse_pair(struct svm *svm, const char *word, size_t length, pair_visit *visit)
{
    const char *colon = memchr(word, ':', length);
    if (!colon) return refuse(svm, "INDEX:VALUE must follow the label, not", word, length);
    size_t digits = (size_t)(colon - word), rest = length - digits - 1;
    if (digits == 3 && memcmp(word, "qid", 3) == 0) return BRAMBLE_OK;
    uint32_t index;
    bramble_status status = parse_index(svm, word, length, digits, &index);
    if (status) return status;
    double value = NAN;
    if (!number_parse(colon + 1, rest, &value) && (rest == 0 || !text_is_missing(colon + 1, rest)))
        return refuse(svm, "the value must be a number, not as in", word, length);
    return visit(svm, index, value);
}

/* One pass over the file: every line's pairs, and its label where `labels` asks for them. */
static bramble_status pass(struct svm *svm, pair_visit *visit, double *labels)
{
    const char *word = NULL;
    size_t length = 0;
    svm->row = 0;
    for (;;) {
        enum svm_token token = svm_lexer_next(svm->lexer, &word, &length, &svm->error);
        if (token == SVM_LINE) continue;
        if (token == SVM_END) return BRAMBLE_OK;
        if (token == SVM_FAILED) return svm->error.status;
        double label = 0;
        bramble_status status = parse_label(svm, word, length, &label);
        while (!status && (token = svm_lexer_next(svm->lexer, &word, &length, &svm->error)) == SVM_WORD)
            status = parse_pair(svm, word, length, visit);
        if (status) return status;
        if (token == SVM_FAILED) return svm->error.status;
        if (labels && svm->row < svm->n_rows) labels[svm->row] = label;
        svm->row++;
    }
}

static bool is_byte(double value)
{
    return value >= 0 && value <= 255 && value == (uint8_t)value;
}

/* Room for what is known of `index`. */
static bramble_status indices_reserve(struct svm *svm, uint32_t index)
{
    if (index < svm->capacity) return BRAMBLE_OK;
    uint32_t capacity = svm->capacity ? 2 * svm->capacity : 256;
    if (capacity <= index) capacity = index + 1;
    struct index_info *indices = mem_resize(svm->indices, capacity, sizeof *indices);
    if (!indices) return error_memory(&svm->error, "the indices of a file");
    memset(indices + svm->capacity, 0, (capacity - svm->capacity) * sizeof *indices);
    svm->indices = indices;
    svm->capacity = capacity;
    return BRAMBLE_OK;
}

/* First pass. Indices that no feature of the schema can have are passed over. */
static bramble_status survey(struct svm *svm, uint32_t index, double value)
{
    if (svm->schema && index > svm->schema->n_features) return BRAMBLE_OK;
    bramble_status status = indices_reserve(svm, index);
    if (status) return status;
    struct index_info *info = &svm->indices[index];
    uint64_t line = svm_lexer_line(svm->lexer);
    if (info->last_line == line)
        return error_set(&svm->error, BRAMBLE_ERR_DATA,
                         "%s: line %" PRIu64 ": index %u occurs twice; keep one of them", svm->path, line,
                         index);
    info->last_line = line;
    svm->n_pairs++;
    info->wide |= !is_byte(value);
    if (svm->n_indices <= index) svm->n_indices = index + 1;
    return BRAMBLE_OK;
}

static bramble_status changed(struct svm *svm)
{
    return error_set(&svm->error, BRAMBLE_ERR_IO, "%s: the file changed while it was read; read it again",
                     svm->path);
}

/* Second pass. */
static bramble_status fill(struct svm *svm, uint32_t index, double value)
{
    if (svm->row >= svm->n_rows || index < svm->base) return changed(svm);
    uint32_t place = index - svm->base;
    if (place + 1 >= svm->out->n_columns) return svm->schema ? BRAMBLE_OK : changed(svm);
    struct raw_column *column = &svm->out->columns[place];
    if (column->type == RAW_BYTES) {
        if (!is_byte(value)) return changed(svm);
        column->bytes[svm->row] = (uint8_t)value;
    } else if (column->type == RAW_FLOATS) {
        column->floats[svm->row] = (float)value;
    } else if (column->type == RAW_DOUBLES) {
        column->doubles[svm->row] = value;
    }
    return BRAMBLE_OK;
}

/* Whether indices count from 0 or from 1. */
static bramble_status find_base(struct svm *svm)
{
    const struct bramble_schema *schema = svm->schema;
    const char *first = schema && schema->n_features ? schema->features[0].name : "";
    bool zero_seen = svm->n_indices && svm->indices[0].last_line;
    if (zero_seen && strcmp(first, "index1") == 0)
        return error_set(&svm->error, BRAMBLE_ERR_DATA,
                         "%s: line %" PRIu64 ": index 0, but the model's data counted from 1; number the "
                         "features alike",
                         svm->path, svm->indices[0].last_line);
    svm->base = !zero_seen && strcmp(first, "index0") != 0;
    return BRAMBLE_OK;
}

static bramble_status columns_name(struct svm *svm, const bramble_read_options *options)
{
    uint32_t n_features = svm->schema ? svm->schema->n_features : svm->n_indices - svm->base;
    bramble_status status =
        raw_table_init(svm->out, svm->path, "libsvm", "index", (size_t)n_features + 1, &svm->error);
    if (status) return status;
    svm->out->n_rows = svm->n_rows;
    svm->out->labels_apart = true;
    for (uint32_t c = 0; c <= n_features; c++) {
        char name[32] = "label";
        if (c < n_features) snprintf(name, sizeof name, "index%u", c + svm->base);
        svm->out->columns[c].name = mem_strdup(name);
        if (!svm->out->columns[c].name) return error_memory(&svm->error, "the names of the columns");
    }
    return raw_table_resolve(svm->out, options, &svm->error);
}

static enum raw_type type_of(const struct svm *svm, uint32_t c)
{
    const struct raw_column *column = &svm->out->columns[c];
    uint32_t index = c + svm->base;
    if (c + 1 == svm->out->n_columns) return RAW_DOUBLES;
    if (column->role == ROLE_IGNORED) return RAW_NOTHING;
    if (column->role != ROLE_FEATURE) return RAW_DOUBLES;
    return index < svm->n_indices && svm->indices[index].wide ? RAW_FLOATS : RAW_BYTES;
}

static size_t size_of(enum raw_type type)
{
    return type == RAW_NOTHING  ? 0
           : type == RAW_BYTES  ? 1
           : type == RAW_FLOATS ? sizeof(float)
                                : sizeof(double);
}

/* A few bytes of text can stand for a table of any size: refuses large ones with hardly anything in them. */
static bramble_status guard_size(struct svm *svm)
{
    double row_bytes = 0;
    for (uint32_t c = 0; c < svm->out->n_columns; c++) row_bytes += (double)size_of(type_of(svm, c));
    double bytes = row_bytes * (double)svm->n_rows;
    raw_table_expect(svm->out, svm->n_rows, (uint64_t)row_bytes);
    double sensible = EMPTY_BYTES_FREE + (double)(svm->n_pairs + svm->n_rows) * EMPTY_BYTES_MAX;
    if (bytes <= sensible) return BRAMBLE_OK;
    return error_set(
        &svm->error, BRAMBLE_ERR_MEMORY,
        "%s: %zu rows x %u columns take %.1f GB as a table, but so few values justify at most %.1f; "
        "leave out rare indices",
        svm->path, svm->n_rows, svm->out->n_columns - 1, bytes / 1e9, sensible / 1e9);
}

/* Every column an array of zeros. */
static bramble_status columns_clear(struct svm *svm)
{
    bramble_status status = guard_size(svm);
    for (uint32_t c = 0; !status && c < svm->out->n_columns; c++) {
        enum raw_type type = type_of(svm, c);
        if (type == RAW_NOTHING) continue;
        status = raw_column_resize(svm->out, &svm->out->columns[c], type, svm->n_rows, &svm->error);
        if (!status) memset(svm->out->columns[c].any, 0, svm->n_rows * size_of(type));
    }
    return status;
}

static bramble_status read_both(struct svm *svm, struct infile *file, const bramble_read_options *options)
{
    bramble_status status = pass(svm, survey, NULL);
    svm->n_rows = svm->row;
    if (!status && svm->n_rows == 0)
        status = error_set(&svm->error, BRAMBLE_ERR_DATA, "%s: no rows; give a file with data", svm->path);
    if (!status) status = find_base(svm);
    if (!status && svm->n_indices <= svm->base && !svm->schema)
        status = error_set(&svm->error, BRAMBLE_ERR_DATA,
                           "%s: no INDEX:VALUE in any line; give a file with features", svm->path);
    if (!status) status = columns_name(svm, options);
    if (!status) status = columns_clear(svm);
    if (!status) status = infile_rewind(file, &svm->error);
    svm_lexer_restart(svm->lexer);
    double *labels = status ? NULL : svm->out->columns[svm->out->n_columns - 1].doubles;
    if (!status) status = pass(svm, fill, labels);
    if (!status && svm->row != svm->n_rows) status = changed(svm);
    return status;
}

bramble_status reader_libsvm(struct raw_table *out, const char *path, const bramble_read_options *options,
                             bramble_error *error)
{
    struct infile *file;
    bramble_status status = infile_open(&file, path, error);
    if (status) return status;
    struct svm svm = {.path = path, .schema = options->schema, .out = out};
    status = svm_lexer_new(&svm.lexer, file, &svm.error);
    if (!status) status = read_both(&svm, file, options);
    if (status) error_set(error, status, "%s", svm.error.message);
    svm_lexer_free(svm.lexer);
    mem_free(svm.indices);
    infile_close(file);
    return status;
}
