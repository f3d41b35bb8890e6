/*
 * Which IDX files a path means. MNIST and its kin come as four files: train-images-idx3-ubyte,
 * train-labels-idx1-ubyte, t10k-images-..., t10k-labels-..., plain or .gz, some with '.' before "idx".
 */
#ifndef DATA_IDX_FILES_H
#define DATA_IDX_FILES_H

#include <stdbool.h>

#include <bramble/table.h>

/* One part of a data set. */
struct idx_files {
    char *images;
    char *labels; /* NULL: there are none */
};

/*
 * PATH is a folder (the part that `split` names, or the only one there is), an images file (its labels are
 * found beside it by name), or a labels file (likewise). Any other file is taken for images without labels.
 * *out is empty on failure, else the caller's to fini.
 */
bramble_status idx_files_find(struct idx_files *out, const char *path, bramble_split split,
                              bramble_error *error);
void idx_files_fini(struct idx_files *files);

/* True when `folder` holds either part. */
bool idx_files_are_there(const char *folder);
/* True when `folder` holds a training part and a test part. */
bool idx_files_has_test(const char *folder);

#endif
