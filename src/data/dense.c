#include "data/dense.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum {
    CHUNK_BYTES = 1 << 16,       /* read at a time; one row where rows are larger */
    LARGE_CHUNK_BYTES = 4 << 20, /* for columns in a file: a page of each is then met less often */
};

/* An array on its way into columns. */
struct pour {
    const struct dense_array *array;
    struct byte_source *source;
    struct raw_table *raw;
    struct raw_column *columns; /* F of them */
    size_t capacity;            /* rows that columns have room for, once they have any */
    uint8_t *chunk;
    double *values; /* the chunk decoded; NULL where bytes are taken as they are */
    bramble_error *error;
};

bramble_status dense_measure(struct dense_array *array, const struct byte_source *source,
                             bramble_error *error)
{
    uint64_t columns = 1, bytes;
    bool overflow = false;
    for (uint32_t d = 1; d < array->rank; d++)
        overflow |= __builtin_mul_overflow(columns, array->shape[d], &columns);
    overflow |= __builtin_mul_overflow(array->shape[0], columns, &bytes);
    overflow |= __builtin_mul_overflow(bytes, array->type.size, &bytes) || bytes > SIZE_MAX / 16;
    if (overflow)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: the sizes in the header overflow; copy or download the file again",
                         source->path);
    if (bytes == 0)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: the array is empty; give one with at least one row and one column",
                         source->path);
    if (columns > RAW_COLUMNS_MAX)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                         "%s: a row has %" PRIu64 " values, a table at most %d; split or shrink the rows",
                         source->path, columns, RAW_COLUMNS_MAX);
    bramble_status status = byte_source_expect(source, bytes, error);
    if (status) return status;
    array->n_rows = array->shape[0];
    array->n_columns = columns;
    return BRAMBLE_OK;
}

static bramble_status cut_short(const struct pour *p, size_t row)
{
    return error_set(p->error, BRAMBLE_ERR_DATA,
                     "%s: truncated: the file ends in row %zu of %zu; copy or download it again",
                     p->source->path, row + 1, p->array->n_rows);
}

/* The next n values into the chunk, decoded; `row` is where they start. */
static bramble_status chunk_read(struct pour *p, size_t n, size_t row)
{
    size_t bytes = n * p->array->type.size;
    bramble_error local = {0};
    ptrdiff_t got = byte_source_read(p->source, p->chunk, bytes, &local);
    if (got < 0) return error_set(p->error, local.status, "%s", local.message);
    if ((size_t)got < bytes) {
        size_t whole = (size_t)got / p->array->type.size;
        return cut_short(p, row + (p->array->fortran ? whole : whole / p->array->n_columns));
    }
    if (p->values) dense_type_decode(p->array->type, p->chunk, n, p->values);
    return BRAMBLE_OK;
}

/* The one byte behind the values that must not be there; a checksum is looked at on the way. */
static bramble_status end_check(struct pour *p)
{
    bramble_error local = {0};
    ptrdiff_t got = byte_source_read(p->source, p->chunk, 1, &local);
    if (got < 0) return error_set(p->error, local.status, "%s", local.message);
    if (got == 0) return BRAMBLE_OK;
    return error_set(p->error, BRAMBLE_ERR_DATA,
                     "%s: more bytes than the header's %zu rows follow; copy or download it again",
                     p->source->path, p->array->n_rows);
}

/* Room for rows up to `need`, at least doubled: what is there already grows along. */
static bramble_status reserve(struct pour *p, size_t need)
{
    if (need <= p->capacity) return BRAMBLE_OK;
    size_t capacity = p->capacity > p->array->n_rows / 2 ? p->array->n_rows : 2 * p->capacity;
    if (capacity < need) capacity = need;
    for (size_t c = 0; c < p->array->n_columns; c++) {
        if (!p->columns[c].any) continue;
        bramble_status status =
            raw_column_resize(p->raw, &p->columns[c], p->columns[c].type, capacity, p->error);
        if (status) return status;
    }
    p->capacity = capacity;
    return BRAMBLE_OK;
}

static bool all_bytes(const double *values, size_t stride, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double value = values[i * stride];
        if (!(value >= 0 && value <= 255) || value != (uint8_t)value) return false;
    }
    return true;
}

/* From bytes to floats: `used` values are there, room stays the same. */
static bramble_status widen(struct pour *p, struct raw_column *column, size_t used)
{
    uint8_t *bytes = column->bytes;
    column->any = NULL;
    bramble_status status = raw_column_resize(p->raw, column, RAW_FLOATS, p->capacity, p->error);
    for (size_t i = 0; !status && i < used; i++) column->floats[i] = bytes[i];
    spill_release(bytes);
    return status;
}

/* The column's array, of a type that holds the n values about to come. */
static bramble_status column_ready(struct pour *p, struct raw_column *column, size_t row,
                                   const double *values, size_t stride, size_t n)
{
    bool bytes = !values || (column->role == ROLE_FEATURE && all_bytes(values, stride, n));
    if (!column->any) {
        enum raw_type type = column->role == ROLE_FEATURE ? RAW_FLOATS : RAW_DOUBLES;
        return raw_column_resize(p->raw, column, bytes ? RAW_BYTES : type, p->capacity, p->error);
    }
    return column->type == RAW_BYTES && !bytes ? widen(p, column, row) : BRAMBLE_OK;
}

/* n values of the chunk, `stride` apart from place `at`, into rows row.. of a column. */
static bramble_status store(struct pour *p, struct raw_column *column, size_t row, size_t at, size_t stride,
                            size_t n)
{
    const double *values = p->values ? p->values + at : NULL;
    const uint8_t *bytes = p->chunk + at;
    bramble_status status = column_ready(p, column, row, values, stride, n);
    if (status) return status;
    if (!values)
        for (size_t i = 0; i < n; i++) column->bytes[row + i] = bytes[i * stride];
    else if (column->type == RAW_BYTES)
        for (size_t i = 0; i < n; i++) column->bytes[row + i] = (uint8_t)values[i * stride];
    else if (column->type == RAW_FLOATS)
        for (size_t i = 0; i < n; i++) column->floats[row + i] = (float)values[i * stride];
    else
        for (size_t i = 0; i < n; i++) column->doubles[row + i] = values[i * stride];
    return BRAMBLE_OK;
}

/* Row after row: chunks of whole rows, each turned into columns. */
static bramble_status pour_rows(struct pour *p, size_t chunk_values)
{
    size_t n_rows = p->array->n_rows, n_columns = p->array->n_columns, step = chunk_values / n_columns;
    for (size_t row = 0, n; row < n_rows; row += n) {
        n = n_rows - row < step ? n_rows - row : step;
        bramble_status status = chunk_read(p, n * n_columns, row);
        if (!status) status = reserve(p, row + n);
        for (size_t c = 0; !status && c < n_columns; c++)
            if (p->columns[c].role != ROLE_IGNORED) status = store(p, &p->columns[c], row, c, n_columns, n);
        if (status) return status;
    }
    return BRAMBLE_OK;
}

/* Where the k-th column of an array in Fortran order belongs: its place in C order. */
static size_t column_place(const struct dense_array *array, size_t k)
{
    size_t place = 0, weight = array->n_columns;
    for (uint32_t d = 1; d < array->rank; d++) {
        weight /= array->shape[d];
        place += k % array->shape[d] * weight;
        k /= array->shape[d];
    }
    return place;
}

/* Column after column, each in chunks. */
static bramble_status pour_columns(struct pour *p, size_t chunk_values)
{
    size_t n_rows = p->array->n_rows;
    for (size_t k = 0; k < p->array->n_columns; k++) {
        struct raw_column *column = &p->columns[column_place(p->array, k)];
        for (size_t row = 0, n; row < n_rows; row += n) {
            n = n_rows - row < chunk_values ? n_rows - row : chunk_values;
            bramble_status status = chunk_read(p, n, row);
            if (!status) status = reserve(p, row + n);
            if (!status && column->role != ROLE_IGNORED) status = store(p, column, row, 0, 1, n);
            if (status) return status;
        }
    }
    return BRAMBLE_OK;
}

bramble_status dense_read(const struct dense_array *array, struct byte_source *source, struct raw_table *raw,
                          uint32_t first, bramble_error *error)
{
    size_t size = array->type.size;
    bool by_column = array->fortran && array->rank > 1, decode = !dense_type_is_byte(array->type);
    struct pour p = {array, source, raw, raw->columns + first, .error = error};
    uint64_t row_bytes = (uint64_t)array->n_columns * size;
    raw_table_expect(raw, array->n_rows, raw->n_columns * (decode ? sizeof(float) : 1));
    size_t chunk_values = (spill_is_large(raw->spill) ? LARGE_CHUNK_BYTES : CHUNK_BYTES) / size;
    if (!by_column && chunk_values < array->n_columns) chunk_values = array->n_columns;
    p.capacity = byte_source_likely(source, array->n_rows * row_bytes) / row_bytes;
    if (p.capacity == 0) p.capacity = 1;
    p.chunk = mem_alloc(chunk_values, size);
    if (decode) p.values = mem_alloc(chunk_values, sizeof *p.values);
    bramble_status status = BRAMBLE_OK;
    if (!p.chunk || (decode && !p.values)) status = error_memory(error, "a chunk of the file");
    if (!status) status = by_column ? pour_columns(&p, chunk_values) : pour_rows(&p, chunk_values);
    if (!status) status = end_check(&p);
    mem_free(p.chunk);
    mem_free(p.values);
    return status;
}

void dense_image_shape(const struct dense_array *array, uint32_t shape[2])
{
    bool channels = array->rank == 4 && array->shape[3] >= 1 && array->shape[3] <= DENSE_CHANNELS_MAX;
    if (array->rank != 3 && !channels) return;
    for (uint32_t d = 0; d < 2; d++) shape[d] = (uint32_t)array->shape[d + 1];
}
