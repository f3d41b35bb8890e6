/* NPY files as tables: a row a first index; the target is a column, the last unless named. */
#include "base/error.h"
#include "data/npy.h"
#include "data/reader.h"

bramble_status reader_npy(struct raw_table *out, const char *path, const bramble_read_options *options,
                          bramble_error *error)
{
    struct infile *file;
    bramble_status status = infile_open(&file, path, error);
    if (status) return status;
    struct byte_source source = byte_source_infile(file);
    struct dense_array array;
    status = npy_header_read(&array, &source, error);
    if (!status) status = raw_table_init(out, path, "npy", "x", array.n_columns, error);
    if (!status) {
        out->n_rows = array.n_rows;
        status = raw_table_resolve(out, options, error);
    }
    if (!status) status = dense_read(&array, &source, out, 0, error);
    infile_close(file);
    return status;
}
