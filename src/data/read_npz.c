/*
 * NPZ, a ZIP archive of NPY arrays, as tables: features in one array, labels in another.
 *
 *   X or data, with y, target, labels or label      as numpy.savez(path, X=X, y=y) writes them
 *   x_train, y_train, x_test, y_test                as Keras ships its data sets
 *   one array of any name                           as an NPY file
 */
#include <stdio.h>
#include <string.h>
#include <zip.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/npy.h"
#include "data/reader.h"

enum { NAMES_SHOWN = 8, ENTRY_NAME_MAX = 512 };
static const zip_int64_t absent = -1;

/* An array of the archive, open, its header read. */
struct member {
    char *label; /* "PATH: NAME", for messages */
    zip_file_t *file;
    struct byte_source source;
    struct dense_array array;
};

/* What is read from an archive. */
struct archive {
    const char *path;
    zip_t *zip;
    zip_int64_t x, y, weight;        /* entry numbers, or absent */
    bool labels_apart, target_named; /* the target option names y */
    struct member features, labels, weights;
    bramble_error *error;
};

static bramble_status zip_failure(const char *path, zip_error_t *reason, bramble_error *error)
{
    if (zip_error_code_zip(reason) == ZIP_ER_MEMORY) return error_memory(error, "reading a ZIP archive");
    return error_set(error, BRAMBLE_ERR_DATA, "%s: cannot be read: %s; copy or download it again", path,
                     zip_error_strerror(reason));
}

/* infile first: it says best why a path cannot be opened. */
static bramble_status archive_open(zip_t **out, const char *path, bramble_error *error)
{
    struct infile *file;
    bramble_status status = infile_open(&file, path, error);
    if (status) return status;
    infile_close(file);
    int code = 0;
    *out = zip_open(path, ZIP_RDONLY, &code);
    if (*out) return BRAMBLE_OK;
    zip_error_t reason;
    zip_error_init_with_code(&reason, code);
    status = zip_failure(path, &reason, error);
    zip_error_fini(&reason);
    return status;
}

/* The entry `name` + `suffix` + ".npy", in any case; or absent. */
static zip_int64_t locate(zip_t *zip, const char *name, const char *suffix)
{
    char entry[ENTRY_NAME_MAX];
    int length = snprintf(entry, sizeof entry, "%s%s.npy", name, suffix);
    return length < ENTRY_NAME_MAX ? zip_name_locate(zip, entry, ZIP_FL_NOCASE) : absent;
}

static zip_int64_t locate_first(zip_t *zip, const char *const *names, size_t n, const char *suffix)
{
    zip_int64_t found = absent;
    for (size_t i = 0; i < n && found == absent; i++) found = locate(zip, names[i], suffix);
    return found;
}

/* The only entry that is an array, or absent; a list of the names for a message. */
static zip_int64_t only_array(zip_t *zip, struct str *names)
{
    zip_int64_t n = zip_get_num_entries(zip, 0), only = absent, n_arrays = 0;
    for (zip_int64_t i = 0; i < n; i++) {
        const char *name = zip_get_name(zip, (zip_uint64_t)i, 0);
        size_t length = name ? strlen(name) : 0;
        if (length < 4 || strcmp(name + length - 4, ".npy") != 0) continue;
        only = i;
        if (n_arrays++ < NAMES_SHOWN)
            str_printf(names, "%s%.*s", names->length ? ", " : "", (int)(length < 44 ? length - 4 : 40),
                       name);
    }
    if (n_arrays > NAMES_SHOWN) str_puts(names, ", ...");
    return n_arrays == 1 ? only : absent;
}

static bramble_status pick_only(struct archive *a)
{
    struct str names = {0};
    a->x = only_array(a->zip, &names);
    bramble_status status = BRAMBLE_OK;
    if (a->x == absent)
        status = error_set(a->error, BRAMBLE_ERR_DATA,
                           "%s: no array is called X (or data, x_train); found %s; save it with "
                           "numpy.savez(path, X=X, y=y)",
                           a->path, names.data ? names.data : "no arrays");
    str_fini(&names);
    return status;
}

/* Decides which entries are features, labels and weights. */
static bramble_status pick(struct archive *a, const bramble_read_options *options)
{
    static const char *const x[] = {"X", "data"}, *const y[] = {"y", "target", "labels", "label"};
    bool train = locate(a->zip, "x", "_train") != absent, test = locate(a->zip, "x", "_test") != absent;
    const char *suffix = "";
    if (train || options->split == BRAMBLE_SPLIT_TEST) {
        suffix = options->split == BRAMBLE_SPLIT_TEST ? "_test" : "_train";
        if (options->split == BRAMBLE_SPLIT_TEST && !(train && test))
            return error_set(a->error, BRAMBLE_ERR_DATA,
                             "%s: no test part (x_train with x_test); name test data of their own", a->path);
    }
    a->x = locate_first(a->zip, x, *suffix ? 1 : 2, suffix);
    a->labels_apart = a->x != absent;
    if (!a->labels_apart) return pick_only(a);
    a->y = absent;
    if (options->target) a->y = locate(a->zip, options->target, suffix);
    a->target_named = a->y != absent;
    if (a->y == absent) a->y = locate_first(a->zip, y, *suffix ? 1 : 4, suffix);
    if (options->sample_weight) a->weight = locate(a->zip, options->sample_weight, suffix);
    return BRAMBLE_OK;
}

static ptrdiff_t member_read(void *stream, void *buffer, size_t n, bramble_error *error)
{
    struct member *member = stream;
    zip_int64_t got = zip_fread(member->file, buffer, n);
    if (got < 0) zip_failure(member->label, zip_file_get_error(member->file), error);
    return got < 0 ? -1 : (ptrdiff_t)got;
}

static bramble_status member_open(struct archive *a, struct member *member, zip_int64_t entry)
{
    zip_stat_t info;
    zip_uint64_t index = (zip_uint64_t)entry,
                 wanted = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_NAME;
    if (zip_stat_index(a->zip, index, 0, &info) != 0 || (info.valid & wanted) != wanted)
        return zip_failure(a->path, zip_get_error(a->zip), a->error);
    struct str label = {0};
    str_printf(&label, "%s: %s", a->path, info.name);
    member->label = str_take(&label);
    if (!member->label) return error_memory(a->error, "the name of an array");
    member->file = zip_fopen_index(a->zip, index, 0);
    if (!member->file) return zip_failure(member->label, zip_get_error(a->zip), a->error);
    bool ratio_known = info.comp_method == ZIP_CM_STORE || info.comp_method == ZIP_CM_DEFLATE;
    member->source = (struct byte_source){.path = member->label,
                                          .stream = member,
                                          .read = member_read,
                                          .length = info.size,
                                          .disk_bytes = ratio_known ? info.comp_size : 0};
    return npy_header_read(&member->array, &member->source, a->error);
}

static void member_close(struct member *member)
{
    if (member->file) zip_fclose(member->file);
    mem_free(member->label);
}

/* Opens an array that must have one value for each row of the features. */
static bramble_status companion_open(struct archive *a, struct member *member, zip_int64_t entry)
{
    if (entry == absent) return BRAMBLE_OK;
    bramble_status status = member_open(a, member, entry);
    if (status) return status;
    const struct dense_array *array = &member->array;
    if (array->n_columns != 1)
        return error_set(a->error, BRAMBLE_ERR_DATA,
                         "%s: %zu values a row, but labels and weights are one; save one column of it",
                         member->label, array->n_columns);
    if (array->n_rows != a->features.array.n_rows)
        return error_set(a->error, BRAMBLE_ERR_DATA,
                         "%s: %zu values for the %zu rows of features; save arrays that belong together",
                         member->label, array->n_rows, a->features.array.n_rows);
    return BRAMBLE_OK;
}

static bramble_status column_name(struct raw_column *column, const char *name, bramble_error *error)
{
    column->name = mem_strdup(name);
    return column->name ? BRAMBLE_OK : error_memory(error, "the names of the columns");
}

/* Features first, then the weight, then the label. */
static bramble_status columns_name(struct archive *a, struct raw_table *out,
                                   const bramble_read_options *options)
{
    const struct dense_array *x = &a->features.array;
    bool image = a->labels_apart && x->rank >= 3, weighted = a->weight != absent, labelled = a->y != absent;
    bramble_status status = raw_table_init(out, a->path, "npz", image ? "pixel" : "x",
                                           x->n_columns + weighted + labelled, a->error);
    if (status) return status;
    out->n_rows = x->n_rows;
    out->labels_apart = a->labels_apart;
    if (image) dense_image_shape(x, out->shape);
    if (weighted) status = column_name(&out->columns[x->n_columns], options->sample_weight, a->error);
    if (!status && labelled) status = column_name(&out->columns[out->n_columns - 1], "label", a->error);
    return status;
}

static bramble_status archive_read(struct archive *a, struct raw_table *out,
                                   const bramble_read_options *options)
{
    bramble_status status = member_open(a, &a->features, a->x);
    if (!status) status = companion_open(a, &a->labels, a->y);
    if (!status) status = companion_open(a, &a->weights, a->weight);
    if (!status) status = columns_name(a, out, options);
    bramble_read_options inside = *options;
    if (a->target_named) inside.target = "label";
    if (!status) status = raw_table_resolve(out, &inside, a->error);
    uint32_t first = (uint32_t)a->features.array.n_columns;
    if (!status && a->weight != absent)
        status = dense_read(&a->weights.array, &a->weights.source, out, first, a->error);
    if (!status && a->y != absent)
        status = dense_read(&a->labels.array, &a->labels.source, out, out->n_columns - 1, a->error);
    if (!status) status = dense_read(&a->features.array, &a->features.source, out, 0, a->error);
    return status;
}

bramble_status reader_npz(struct raw_table *out, const char *path, const bramble_read_options *options,
                          bramble_error *error)
{
    struct archive a = {.path = path, .x = absent, .y = absent, .weight = absent, .error = error};
    bramble_status status = archive_open(&a.zip, path, error);
    if (status) return status;
    status = pick(&a, options);
    if (!status) status = archive_read(&a, out, options);
    member_close(&a.features);
    member_close(&a.labels);
    member_close(&a.weights);
    zip_discard(a.zip);
    return status;
}

bool reader_npz_has_test(const char *path)
{
    zip_t *zip;
    if (archive_open(&zip, path, NULL)) return false;
    bool both = locate(zip, "x", "_train") != absent && locate(zip, "x", "_test") != absent;
    zip_discard(zip);
    return both;
}
