/*
 * IDX, the format of MNIST: two zero bytes, a type, the number of dimensions, each as 32 bits, then the
 * values, all big-endian, the last dimension fastest. Images and their labels are two files.
 * (LeCun, Cortes, Burges, "The MNIST database of handwritten digits".)
 */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/dense.h"
#include "data/idx_files.h"
#include "data/reader.h"

/* An open IDX file whose header has been read. */
struct idx {
    struct infile *file;
    struct byte_source source;
    struct dense_array array;
};

static bool type_of_code(uint8_t code, struct dense_type *type)
{
    static const struct {
        uint8_t code, size;
        enum dense_kind kind;
    } types[] = {{0x08, 1, DENSE_UNSIGNED}, {0x09, 1, DENSE_SIGNED}, {0x0b, 2, DENSE_SIGNED},
                 {0x0c, 4, DENSE_SIGNED},   {0x0d, 4, DENSE_FLOAT},  {0x0e, 8, DENSE_FLOAT}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code) {
            *type = (struct dense_type){types[i].kind, types[i].size, true};
            return true;
        }
    return false;
}

static bramble_status header_read(struct idx *idx, bramble_error *error)
{
    uint8_t magic[4], sizes[4 * DENSE_RANK_MAX];
    bramble_status status = byte_source_header(&idx->source, magic, sizeof magic, error);
    if (status) return status;
    struct dense_array *array = &idx->array;
    array->rank = magic[3];
    if (magic[0] || magic[1] || !type_of_code(magic[2], &array->type) || array->rank < 1 ||
        array->rank > DENSE_RANK_MAX)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: not an IDX file (it begins %02x %02x %02x %02x); check the path",
                         idx->source.path, magic[0], magic[1], magic[2], magic[3]);
    status = byte_source_header(&idx->source, sizes, 4 * array->rank, error);
    if (status) return status;
    for (uint32_t d = 0; d < array->rank; d++) {
        const uint8_t *at = sizes + 4 * d;
        array->shape[d] = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
    }
    return dense_measure(array, &idx->source, error);
}

static bramble_status idx_open(struct idx *idx, const char *path, bramble_error *error)
{
    bramble_status status = infile_open(&idx->file, path, error);
    if (status) return status;
    idx->source = byte_source_infile(idx->file);
    return header_read(idx, error);
}

/* Labels must be one a row, and there must be as many as images. */
static bramble_status pair_check(const struct idx *images, const struct idx *labels, bramble_error *error)
{
    if (images->array.rank < 2)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: holds one number a row, as labels do; name the file of the images",
                         images->source.path);
    if (!labels->file) return BRAMBLE_OK;
    if (labels->array.n_columns != 1)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: labels must be one number a row, not %zu",
                         labels->source.path, labels->array.n_columns);
    if (images->array.n_rows != labels->array.n_rows)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: %zu labels for the %zu images of %s; use files that belong together",
                         labels->source.path, labels->array.n_rows, images->array.n_rows,
                         images->source.path);
    return BRAMBLE_OK;
}

static bramble_status columns_name(struct raw_table *out, const char *path, const struct idx *images,
                                   bool labelled, bramble_error *error)
{
    const struct dense_array *array = &images->array;
    size_t n_columns = array->n_columns + labelled;
    bramble_status status =
        raw_table_init(out, path, "idx", array->rank >= 3 ? "pixel" : "x", n_columns, error);
    if (status) return status;
    dense_image_shape(array, out->shape);
    out->n_rows = array->n_rows;
    out->labels_apart = true;
    if (!labelled) return BRAMBLE_OK;
    char *name = mem_strdup("label");
    if (!name) return error_memory(error, "the names of the columns");
    out->columns[array->n_columns].name = name;
    return BRAMBLE_OK;
}

static bramble_status pair_read(struct raw_table *out, const char *path, struct idx *images,
                                struct idx *labels, const bramble_read_options *options, bramble_error *error)
{
    bramble_status status = pair_check(images, labels, error);
    if (!status) status = columns_name(out, path, images, labels->file != NULL, error);
    if (!status) status = raw_table_resolve(out, options, error);
    if (!status && labels->file)
        status = dense_read(&labels->array, &labels->source, out, (uint32_t)images->array.n_columns, error);
    if (!status) status = dense_read(&images->array, &images->source, out, 0, error);
    return status;
}

bramble_status reader_idx(struct raw_table *out, const char *path, const bramble_read_options *options,
                          bramble_error *error)
{
    struct idx_files files;
    bramble_status status = idx_files_find(&files, path, options->split, error);
    if (status) return status;
    struct idx images = {0}, labels = {0};
    status = idx_open(&images, files.images, error);
    if (!status && files.labels) status = idx_open(&labels, files.labels, error);
    if (!status) status = pair_read(out, path, &images, &labels, options, error);
    infile_close(images.file);
    infile_close(labels.file);
    idx_files_fini(&files);
    return status;
}

bool reader_idx_has_test(const char *path)
{
    return idx_files_has_test(path);
}
