/*
 * Which format a path is in: by what it holds first, by its name where that leaves a doubt.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/idx_files.h"
#include "data/image.h"
#include "data/image_files.h"
#include "data/infile.h"
#include "data/number.h"
#include "data/reader.h"

enum { LOOK_BYTES = 1 << 16, LINES_LOOKED_AT = 32 };

typedef bramble_status reader_function(struct raw_table *out, const char *path,
                                       const bramble_read_options *options, bramble_error *error);

struct format {
    reader_function *read;
    bool (*has_test)(const char *path); /* NULL: a path never holds a training and a test part */
};
static const struct format csv = {reader_csv, NULL}, npy = {reader_npy, NULL}, libsvm = {reader_libsvm, NULL},
                           idx = {reader_idx, reader_idx_has_test},
                           images = {reader_images, reader_images_has_test},
                           npz = {reader_npz, reader_npz_has_test};

static bool begins_with(const char *bytes, size_t n, const char *magic, size_t length)
{
    return n >= length && memcmp(bytes, magic, length) == 0;
}

/* Two zeros, a type of values, a number of dimensions. */
static bool looks_like_idx(const char *bytes, size_t n)
{
    return n >= 4 && bytes[0] == 0 && bytes[1] == 0 && memchr("\x08\x09\x0b\x0c\x0d\x0e", bytes[2], 6) &&
           bytes[3] >= 1 && bytes[3] <= 8;
}

/* "INDEX:VALUE" or "qid:N". */
static bool is_pair(const char *word, size_t length)
{
    const char *colon = memchr(word, ':', length);
    double value;
    if (!colon || colon == word) return false;
    size_t digits = strspn(word, "0123456789");
    bool index = word + digits == colon || begins_with(word, length, "qid:", 4);
    return index && number_parse(colon + 1, length - (size_t)(colon + 1 - word), &value);
}

/* A label and pairs, or nothing but a comment. Adds to *n_pairs. */
static bool is_libsvm_line(const char *line, size_t length, size_t *n_pairs)
{
    const char *end = line + length, *comment = memchr(line, '#', length);
    if (comment) end = comment;
    double label;
    for (bool first = true; line < end; first = false) {
        while (line < end && strchr(" \t\r", *line)) line++;
        const char *word = line;
        while (line < end && !strchr(" \t\r", *line)) line++;
        size_t n = (size_t)(line - word);
        if (n == 0) break;
        if (first ? !number_parse(word, n, &label) : !is_pair(word, n)) return false;
        *n_pairs += !first;
    }
    return true;
}

/* A last line that is cut does not count, unless it is the only one. */
static bool looks_like_libsvm(const char *text, size_t n)
{
    const char *p = text, *end = text + n;
    size_t n_pairs = 0;
    for (int lines = 0; p < end && lines < LINES_LOOKED_AT; lines++) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        if (!newline && lines) break;
        const char *stop = newline ? newline : end;
        if (!is_libsvm_line(p, (size_t)(stop - p), &n_pairs)) return false;
        p = stop + 1;
    }
    return n_pairs > 0;
}

static bool name_ends_with(const char *path, const char *ending)
{
    size_t n = strlen(path), length = strlen(ending);
    if (n > 3 && strcasecmp(path + n - 3, ".gz") == 0) n -= 3;
    return n > length && strncasecmp(path + n - length, ending, length) == 0;
}

/* The format of a file that begins with `bytes`. */
static bramble_status recognise_bytes(const struct format **out, const char *path, bool gzip,
                                      const char *bytes, size_t n, bramble_error *error)
{
    const struct format *format = &csv;
    if (n == 0) return error_set(error, BRAMBLE_ERR_DATA, "%s: the file is empty", path);
    if (begins_with(bytes, n, "PK\x03\x04", 4) || begins_with(bytes, n, "PK\x05\x06", 4))
        format = &npz;
    else if (begins_with(bytes, n, "\x93NUMPY", 6))
        format = &npy;
    else if (looks_like_idx(bytes, n))
        format = &idx;
    else if (image_recognise(bytes, n))
        format = &images;
    else if (begins_with(bytes, n, "\xff\xfe", 2) || begins_with(bytes, n, "\xfe\xff", 2))
        return error_set(error, BRAMBLE_ERR_DATA, "%s: text in UTF-16; save it as UTF-8", path);
    else if (memchr(bytes, 0, n))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: no format this program knows; give it CSV or TSV, IDX (as MNIST), NPY, NPZ, "
                         "libsvm, or PNG or JPEG images",
                         path);
    else if (looks_like_libsvm(bytes, n) || name_ends_with(path, ".libsvm") ||
             name_ends_with(path, ".svmlight") || name_ends_with(path, ".svm"))
        format = &libsvm;
    if (format == &npz && gzip)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED, "%s: a gzipped archive; unpack it with gunzip",
                         path);
    *out = format;
    return BRAMBLE_OK;
}

static bramble_status recognise_file(const struct format **out, const char *path, bramble_error *error)
{
    struct infile *file;
    bramble_status status = infile_open(&file, path, error);
    if (status != BRAMBLE_OK) return status;
    char *bytes = mem_alloc(LOOK_BYTES + 1, 1);
    size_t n = 0;
    status = bytes ? infile_read_full(file, bytes, LOOK_BYTES, &n, error)
                   : error_memory(error, "the start of a file");
    if (status == BRAMBLE_OK) bytes[n] = 0;
    if (status == BRAMBLE_OK) status = recognise_bytes(out, path, infile_is_gzip(file), bytes, n, error);
    mem_free(bytes);
    infile_close(file);
    return status;
}

static bramble_status recognise(const struct format **out, const char *path, bramble_error *error)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        *out = idx_files_are_there(path) || !image_files_are_there(path) ? &idx : &images;
        return BRAMBLE_OK;
    }
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return error_set(error, BRAMBLE_ERR_IO, "%s: not a regular file; write the data into one first",
                         path);
    return recognise_file(out, path, error);
}

bramble_status table_read(struct bramble_table **out, const char *path, const bramble_read_options *options,
                          bramble_error *error)
{
    const struct format *format;
    bramble_status status = recognise(&format, path, error);
    if (status != BRAMBLE_OK) return status;
    if ((options->image_size[0] || options->image_size[1]) && format != &images)
        return error_set(
            error, BRAMBLE_ERR_USAGE,
            "image_size: %s holds no PNG or JPEG images, which alone can be scaled; leave it out", path);
    if (options->split == BRAMBLE_SPLIT_TEST && !format->has_test)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: there is no test part in this file; name another file",
                         path);
    struct raw_table raw = {0};
    status = format->read(&raw, path, options, error);
    if (status == BRAMBLE_OK) status = table_finish(out, &raw, options, error);
    raw_table_fini(&raw);
    return status;
}

bool table_path_has_test(const char *path)
{
    const struct format *format;
    if (recognise(&format, path, NULL) != BRAMBLE_OK) return false;
    return format->has_test && format->has_test(path);
}
