#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/machine_memory.h"
#include "base/mem.h"
#include "data/rows_file.h"
#include "data/rows_layout.h"

/* A file while it is looked at. */
struct reader {
    const char *path;
    const struct rows_head *head;
    struct rows_layout layout;
    struct rows_file *file;
    bramble_error *error;
};

static const void *at(const struct reader *reader, size_t offset)
{
    return (const uint8_t *)reader->file->bytes + offset;
}

static bramble_status damaged(const struct reader *reader, const char *what)
{
    return error_set(reader->error, BRAMBLE_ERR_DATA,
                     "%s: damaged training rows: %s; remove the file and it will be made or sent again",
                     reader->path, what);
}

static bramble_status io_failure(const struct reader *reader, const char *what)
{
    return error_set(reader->error, BRAMBLE_ERR_IO, "%s: cannot %s: %s; check the path and the disk",
                     reader->path, what, strerror(errno));
}

static bramble_status map_bytes(struct reader *reader, int fd)
{
    struct stat stat;
    if (fstat(fd, &stat)) return io_failure(reader, "open");
    if (!S_ISREG(stat.st_mode) || stat.st_size < (off_t)sizeof(struct rows_head))
        return damaged(reader, "it is no file or too short");
    void *bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) return io_failure(reader, "map");
    reader->file->bytes = bytes;
    reader->file->n_bytes = (size_t)stat.st_size;
    return BRAMBLE_OK;
}

static bramble_status open_and_map(struct reader *reader)
{
    int fd = open(reader->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return io_failure(reader, "open");
    bramble_status status = map_bytes(reader, fd);
    close(fd);
    return status;
}

static bramble_status read_head(struct reader *reader)
{
    const struct rows_head *head = reader->head = reader->file->bytes;
    bool classify = head->task == BRAMBLE_TASK_CLASSIFICATION;
    if (memcmp(head->magic, ROWS_MAGIC, sizeof head->magic) != 0)
        return damaged(reader, "it does not begin like such a file");
    if ((!classify && head->task != BRAMBLE_TASK_REGRESSION) || head->has_weights > 1)
        return damaged(reader, "a task or weights that there are not");
    if (classify ? !head->n_classes || head->n_classes > CLASS_MAX : head->n_classes > 0)
        return damaged(reader, "a number of classes that cannot be");
    if (!head->n_rows || !head->n_features || !rows_layout_init(&reader->layout, head) ||
        reader->layout.bytes != reader->file->n_bytes)
        return damaged(reader, "its size is not what its head says");
    return BRAMBLE_OK;
}

static bramble_status read_types(struct reader *reader)
{
    struct rows *rows = &reader->file->rows;
    const uint8_t *categories = at(reader, reader->layout.categories);
    rows->n_features = reader->head->n_features;
    rows->types =
        (uint8_t *)at(reader, reader->layout.types); /* rows own their types; these are not written */
    uint64_t row_bytes = 0;
    for (uint32_t f = 0; f < rows->n_features; f++) {
        uint8_t type = rows->types[f];
        if (type > BRAMBLE_FEATURE_CATEGORY || (type != BRAMBLE_FEATURE_CATEGORY && categories[f]))
            return damaged(reader, "a feature's type or categories");
        row_bytes += feature_type_size(type);
    }
    if (row_bytes != reader->head->row_bytes)
        return damaged(reader, "rows that are not as long as their types");
    return BRAMBLE_OK;
}

/* What an encoder has to fit: no names, but all that decides sizes. */
static bramble_status schema_init(struct bramble_schema *schema, const struct reader *reader)
{
    const struct rows_head *head = reader->head;
    const uint8_t *categories = at(reader, reader->layout.categories);
    *schema = (struct bramble_schema){.n_features = head->n_features,
                                      .shape = {head->shape[0], head->shape[1]},
                                      .task = head->task,
                                      .n_classes = head->n_classes};
    schema->features = mem_zalloc(head->n_features, sizeof *schema->features);
    if (!schema->features) return error_memory(reader->error, "how rows become a network's input");
    for (uint32_t f = 0; f < head->n_features; f++) {
        schema->features[f].type = reader->file->rows.types[f];
        schema->features[f].n_categories = categories[f];
    }
    return BRAMBLE_OK;
}

static bramble_status read_encoder(struct reader *reader)
{
    const struct rows_head *head = reader->head;
    struct encoder *encoder = &reader->file->encoder;
    const char *json = at(reader, reader->layout.encoder);
    size_t length = (size_t)head->encoder_bytes;
    struct bramble_schema schema;
    if (!length || strnlen(json, length) != length - 1) return damaged(reader, "its encoder is no text");
    bramble_status status = schema_init(&schema, reader);
    if (status) return status;
    status = encoder_from_json(encoder, json, reader->path, &schema, NULL);
    mem_free(schema.features);
    if (status == BRAMBLE_ERR_MEMORY) return error_memory(reader->error, "how rows become a network's input");
    if (status || encoder->shape[0] != head->shape[0] || encoder->shape[1] != head->shape[1])
        return damaged(reader, "an encoder that does not fit its rows");
    return BRAMBLE_OK;
}

static bramble_status read_rows(struct reader *reader)
{
    const struct rows_head *head = reader->head;
    struct rows *rows = &reader->file->rows;
    rows->n_rows = (size_t)head->n_rows;
    rows->row_bytes = (size_t)head->row_bytes;
    rows->bytes = at(reader, reader->layout.rows);
    rows->targets = at(reader, reader->layout.targets);
    if (head->has_weights) rows->weights = at(reader, reader->layout.weights);
    reader->file->n_validation = (size_t)head->n_validation;
    const char *fault = rows_fault(rows, reader->file->n_validation, &reader->file->encoder);
    return fault ? damaged(reader, fault) : BRAMBLE_OK;
}

/* A file that takes more than half of the memory that is left, as a spill would, is read here and there; of
 * others the kernel may read ahead. */
static void advise(struct rows_file *file)
{
    file->rows.mapped = file->n_bytes > process_memory_left() / 2;
    if (file->rows.mapped) madvise(file->bytes, file->n_bytes, MADV_RANDOM);
}

bramble_status rows_file_open(struct rows_file **out, const char *path, bramble_error *error)
{
    struct reader reader = {.path = path, .error = error, .file = mem_zalloc(1, sizeof *reader.file)};
    if (!reader.file) return error_memory(error, "the training rows");
    bramble_status status = open_and_map(&reader);
    if (!status) status = read_head(&reader);
    if (!status) status = read_types(&reader);
    if (!status) status = read_encoder(&reader);
    if (!status) status = read_rows(&reader);
    if (status) {
        rows_file_free(reader.file);
        return status;
    }
    advise(reader.file);
    *out = reader.file;
    return BRAMBLE_OK;
}

void rows_file_free(struct rows_file *file)
{
    if (!file) return;
    encoder_fini(&file->encoder);
    if (file->bytes) munmap(file->bytes, file->n_bytes);
    mem_free(file);
}
