#include "data/binned_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/binned_layout.h"

enum { READ_BYTES = 1 << 24 };

/* A file while it is looked at. */
struct reader {
    const char *path;
    const struct binned_head *head;
    struct binned_layout layout;
    struct binned_file *file;
    bramble_error *error;
};

static const void *at(const struct reader *reader, size_t offset)
{
    return (const uint8_t *)reader->file->bytes + offset;
}

static bramble_status damaged(const struct reader *reader, const char *what)
{
    return error_set(reader->error, BRAMBLE_ERR_DATA,
                     "%s: damaged binned data: %s; remove the file and it will be made or sent again",
                     reader->path, what);
}

static bramble_status io_failure(const struct reader *reader, const char *what)
{
    return error_set(reader->error, BRAMBLE_ERR_IO, "%s: cannot %s: %s; check the path and the disk",
                     reader->path, what, strerror(errno));
}

/* All of the file's bytes, into huge pages. */
static bramble_status read_bytes(struct reader *reader, int fd)
{
    struct stat stat;
    if (fstat(fd, &stat)) return io_failure(reader, "open");
    if (!S_ISREG(stat.st_mode) || stat.st_size < (off_t)sizeof(struct binned_head))
        return damaged(reader, "it is no file or too short");
    size_t bytes = (size_t)stat.st_size, at = 0;
    uint8_t *to = mem_alloc_large(bytes, 1);
    if (!to) return error_memory(reader->error, "the binned features");
    reader->file->bytes = to;
    reader->file->n_bytes = bytes;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    while (at < bytes) {
        ssize_t got = read(fd, to + at, bytes - at < READ_BYTES ? bytes - at : READ_BYTES);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_failure(reader, "read");
        if (got == 0) return damaged(reader, "it is no file or too short");
        at += (size_t)got;
    }
    return BRAMBLE_OK;
}

static bramble_status open_and_read(struct reader *reader)
{
    int fd = open(reader->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return io_failure(reader, "open");
    bramble_status status = read_bytes(reader, fd);
    close(fd);
    return status;
}

static bramble_status read_head(struct reader *reader)
{
    const struct binned_head *head = reader->head = reader->file->bytes;
    bool classify = head->task == BRAMBLE_TASK_CLASSIFICATION;
    if (memcmp(head->magic, BINNED_MAGIC, sizeof head->magic) != 0)
        return damaged(reader, "it does not begin like such a file");
    if ((!classify && head->task != BRAMBLE_TASK_REGRESSION) || head->has_weights > 1)
        return damaged(reader, "a task or weights that there are not");
    if (classify ? !head->n_classes || head->n_classes > CLASS_MAX : head->n_classes > 0)
        return damaged(reader, "a number of classes that cannot be");
    if (head->held_begin >= head->held_end || head->held_end > head->n_features)
        return damaged(reader, "features that there are not");
    if (!head->n_rows || !binned_layout_init(&reader->layout, head) ||
        reader->layout.bytes != reader->file->n_bytes)
        return damaged(reader, "its size is not what its head says");
    return BRAMBLE_OK;
}

static bool edges_ascend(const float *low, const float *high, uint32_t n)
{
    for (uint32_t b = 0; b < n; b++)
        if (!isfinite(low[b]) || !isfinite(high[b]) || low[b] > high[b] || (b && low[b] <= high[b - 1]))
            return false;
    return true;
}

static bool feature_is_sound(const struct binned_feature *feature)
{
    bool missing = feature->has_missing == 1;
    if (feature->has_missing > 1 || feature->n_bins + missing > 256 || feature->n_bins + missing < 1)
        return false;
    switch (feature->type) {
    case BRAMBLE_FEATURE_BYTE: return feature->n_bins == 256;
    case BRAMBLE_FEATURE_NUMBER: return true;
    case BRAMBLE_FEATURE_CATEGORY: return feature->n_bins <= CATEGORY_MAX;
    default: return false;
    }
}

static bramble_status read_features(struct reader *reader)
{
    struct bramble_schema *schema = &reader->file->table.schema;
    struct binned *binned = &reader->file->binned;
    const struct binned_feature *features = at(reader, reader->layout.features);
    const float *edges = at(reader, reader->layout.edges);
    uint64_t left = reader->head->n_edges;
    for (int v = 0; v < 256; v++) binned->byte_values[v] = (float)v;
    for (uint32_t f = 0; f < binned->n_features; f++) {
        struct feature_bins *bins = &binned->bins[f];
        uint32_t n = features[f].n_bins;
        if (!feature_is_sound(&features[f])) return damaged(reader, "a feature's bins");
        schema->features[f].type = features[f].type;
        bins->n_bins = (uint16_t)n;
        bins->has_missing = features[f].has_missing;
        bins->categorical = features[f].type == BRAMBLE_FEATURE_CATEGORY;
        if (features[f].type == BRAMBLE_FEATURE_BYTE) bins->low = bins->high = binned->byte_values;
        if (features[f].type != BRAMBLE_FEATURE_NUMBER) continue;
        if (left < 2 * (uint64_t)n || !edges_ascend(edges, edges + n, n))
            return damaged(reader, "a feature's bins");
        bins->low = edges;
        bins->high = edges + n;
        edges += 2 * (size_t)n;
        left -= 2 * (uint64_t)n;
    }
    return left ? damaged(reader, "bins of no feature") : BRAMBLE_OK;
}

/* A copy of the text at *offset, which moves behind it; NULL: none whole is there, or out of memory. */
static char *copy_text(const struct reader *reader, uint64_t *offset, bool *whole)
{
    const char *text = at(reader, reader->layout.texts + (size_t)*offset);
    size_t left = (size_t)(reader->head->text_bytes - *offset), length = strnlen(text, left);
    *whole = length < left;
    if (!*whole) return NULL;
    *offset += length + 1;
    return mem_strdup(text);
}

static bramble_status read_texts(struct reader *reader)
{
    struct bramble_schema *schema = &reader->file->table.schema;
    uint64_t offset = 0;
    bool whole;
    schema->target_name = copy_text(reader, &offset, &whole);
    bool made = schema->target_name != NULL;
    for (uint32_t c = 0; made && c < schema->n_classes; c++) {
        schema->classes[c] = copy_text(reader, &offset, &whole);
        made = schema->classes[c] != NULL;
    }
    if (!whole || (made && offset != reader->head->text_bytes))
        return damaged(reader, "the names of its classes");
    return made ? BRAMBLE_OK : error_memory(reader->error, "the names of the classes");
}

static bool classes_exist(const uint16_t *classes, size_t n, uint32_t n_classes)
{
    uint16_t most = 0;
    for (size_t i = 0; i < n; i++) most = classes[i] > most ? classes[i] : most;
    return most < n_classes;
}

static bool all_finite(const double *values, size_t n)
{
    uint32_t wrong = 0;
    for (size_t i = 0; i < n; i++) wrong |= !isfinite(values[i]);
    return !wrong;
}

static bool weights_are_sound(const double *weights, size_t n)
{
    uint32_t wrong = 0, some = 0;
    for (size_t i = 0; i < n; i++) {
        wrong |= !(weights[i] >= 0);
        some |= weights[i] > 0;
    }
    return !wrong && some && all_finite(weights, n);
}

static bramble_status read_targets(struct reader *reader)
{
    struct bramble_table *table = &reader->file->table;
    const void *targets = at(reader, reader->layout.targets);
    if (reader->head->n_classes)
        table->classes = (uint16_t *)targets; /* tables own their targets; this one's are never written */
    else
        table->values = (double *)targets;
    if (reader->head->has_weights) table->weights = (double *)at(reader, reader->layout.weights);
    if (table->classes && !classes_exist(table->classes, table->n_rows, reader->head->n_classes))
        return damaged(reader, "a class that is not there");
    if (table->values && !all_finite(table->values, table->n_rows))
        return damaged(reader, "a target that is no number");
    if (table->weights && !weights_are_sound(table->weights, table->n_rows))
        return damaged(reader, "weights that are none");
    return BRAMBLE_OK;
}

/* Every code has a bin. One pass at about the speed of memory. */
static bramble_status check_codes(struct reader *reader)
{
    const struct binned *binned = &reader->file->binned;
    size_t width = binned->held_end - binned->held_begin;
    uint8_t *most = mem_alloc(width, 1), wrong = 0;
    if (!most) return error_memory(reader->error, "checking binned data");
    for (size_t f = 0; f < width; f++) {
        const struct feature_bins *bins = &binned->bins[binned->held_begin + f];
        most[f] = (uint8_t)(bins->n_bins + bins->has_missing - 1);
    }
    const uint8_t *codes = at(reader, reader->layout.codes);
    for (size_t r = 0; r < binned->n_rows && !wrong; r++, codes += width)
        for (size_t f = 0; f < width; f++) wrong |= codes[f] > most[f];
    mem_free(most);
    return wrong ? damaged(reader, "a code without a bin") : BRAMBLE_OK;
}

static bramble_status allocate(struct reader *reader)
{
    const struct binned_head *head = reader->head;
    struct bramble_table *table = &reader->file->table;
    struct binned *binned = &reader->file->binned;
    table->format = "binned";
    table->n_rows = binned->n_rows = (size_t)head->n_rows;
    table->schema.task = head->task;
    table->schema.n_features = binned->n_features = head->n_features;
    table->schema.n_classes = head->n_classes;
    table->schema.features = mem_zalloc(head->n_features, sizeof *table->schema.features);
    table->schema.classes = mem_zalloc(head->n_classes, sizeof *table->schema.classes);
    binned->bins = mem_zalloc(head->n_features, sizeof *binned->bins);
    binned->held_begin = head->held_begin;
    binned->held_end = head->held_end;
    /* the features' descriptions alone take more bytes than held_begin */
    binned->by_row = at(reader, reader->layout.codes - head->held_begin);
    return table->schema.features && table->schema.classes && binned->bins
               ? BRAMBLE_OK
               : error_memory(reader->error, "the binned features");
}

bramble_status binned_file_read(struct binned_file **out, const char *path, bramble_error *error)
{
    struct reader reader = {.path = path, .error = error, .file = mem_zalloc(1, sizeof *reader.file)};
    if (!reader.file) return error_memory(error, "the binned features");
    bramble_status status = open_and_read(&reader);
    if (!status) status = read_head(&reader);
    if (!status) status = allocate(&reader);
    if (!status) status = read_features(&reader);
    if (!status) status = read_texts(&reader);
    if (!status) status = read_targets(&reader);
    if (!status) status = check_codes(&reader);
    if (!status)
        *out = reader.file;
    else
        binned_file_free(reader.file);
    return status;
}

void binned_file_free(struct binned_file *file)
{
    if (!file) return;
    struct bramble_schema *schema = &file->table.schema;
    for (uint32_t c = 0; schema->classes && c < schema->n_classes; c++) mem_free(schema->classes[c]);
    mem_free(schema->classes);
    mem_free(schema->target_name);
    mem_free(schema->features);
    mem_free(file->binned.bins);
    mem_free(file->bytes);
    mem_free(file);
}
