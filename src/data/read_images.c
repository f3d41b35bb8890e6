/*
 * Images as a table: one row an image, one column a byte of its pixels, the label its folder's name.
 *
 * Files are looked at twice, some at a time on all processors: for their colours and sizes, of which the most
 * common becomes that of all unless one was asked for, then for their pixels. With a model's schema the first
 * look is left out.
 */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "data/image.h"
#include "data/image_files.h"
#include "data/reader.h"

enum {
    TILE_IMAGES = 64,
    STAGE_BYTES = 32 << 20,   /* of images that columns in a file get at once: a page is met less often */
    PHOTO_PIXELS = 256 * 256, /* images of more pixels are made ... */
    PHOTO_SIDE = 224,         /* ... so high and wide, unless a schema says otherwise */
    SIZES_MAX = 4096          /* different sizes that are counted */
};

struct size {
    uint32_t height, width, channels;
};

/* Several images being read, each by a thread that may fail in its own way. */
struct tile {
    const struct image_files *files;
    size_t first;
    bool head_only;
    struct size size; /* to fit them to */
    size_t row_bytes;
    uint8_t *pixels; /* of TILE_IMAGES x row_bytes */
    struct size sizes[TILE_IMAGES];
    bramble_status status[TILE_IMAGES];
    bramble_error errors[TILE_IMAGES];
};

static void read_one(void *context, uint32_t thread, uint64_t i)
{
    (void)thread;
    struct tile *tile = context;
    struct image image = {0};
    bramble_error *error = &tile->errors[i];
    bramble_status status = image_read(&image, tile->files->paths[tile->first + i], tile->head_only, error);
    if (!status && !tile->head_only)
        status = image_fit(&image, tile->size.height, tile->size.width, tile->size.channels,
                           tile->pixels + i * tile->row_bytes, error);
    tile->sizes[i] = (struct size){image.height, image.width, image.channels};
    tile->status[i] = status;
    image_fini(&image);
}

/* Reads *n images from tile->first on; of several that fail, tells of the first. */
static bramble_status tile_read(struct tile *tile, size_t *n, bramble_error *error)
{
    *n = tile->files->n - tile->first < TILE_IMAGES ? tile->files->n - tile->first : TILE_IMAGES;
    threads_run(0, *n, read_one, tile);
    for (size_t i = 0; i < *n; i++)
        if (tile->status[i]) return error_set(error, tile->status[i], "%s", tile->errors[i].message);
    return BRAMBLE_OK;
}

struct size_counts {
    uint32_t n;
    bool colour; /* any image has */
    struct size sizes[SIZES_MAX];
    size_t counts[SIZES_MAX];
};

static void count_size(struct size_counts *counts, const struct size *size)
{
    counts->colour |= size->channels > 1;
    uint32_t i = 0;
    while (i < counts->n &&
           (counts->sizes[i].height != size->height || counts->sizes[i].width != size->width))
        i++;
    if (i == SIZES_MAX) return;
    if (i == counts->n) counts->sizes[counts->n++] = *size;
    counts->counts[i]++;
}

/* The most common; of those as common the one that came first. */
static struct size most_common(const struct size_counts *counts)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < counts->n; i++)
        if (counts->counts[i] > counts->counts[best]) best = i;
    struct size size = counts->sizes[best];
    if ((uint64_t)size.height * size.width > PHOTO_PIXELS) size.height = size.width = PHOTO_SIDE;
    size.channels = counts->colour ? 3 : 1;
    return size;
}

static bramble_status survey(struct tile *tile, struct size_counts *counts, bramble_error *error)
{
    tile->head_only = true;
    for (size_t n; tile->first < tile->files->n; tile->first += n) {
        bramble_status status = tile_read(tile, &n, error);
        if (status) return status;
        for (size_t i = 0; i < n; i++) count_size(counts, &tile->sizes[i]);
    }
    tile->size = most_common(counts);
    return BRAMBLE_OK;
}

/* The size that the model's images have; false: its data are no images. */
static bool size_from_schema(struct size *size, const struct bramble_schema *schema)
{
    uint64_t area = schema ? (uint64_t)schema->shape[0] * schema->shape[1] : 0;
    if (!area || (schema->n_features != area && schema->n_features != 3 * area)) return false;
    *size = (struct size){schema->shape[0], schema->shape[1], schema->n_features == area ? 1 : 3};
    return true;
}

static bool is_asked_for(const uint32_t image_size[2])
{
    return image_size[0] || image_size[1];
}

/* Colour takes three bytes a pixel, and the label a column too. */
static bramble_status check_asked(const uint32_t asked[2], uint32_t channels, bramble_error *error)
{
    bool sides = asked[0] && asked[1] && asked[0] <= IMAGE_SIDE_MAX && asked[1] <= IMAGE_SIDE_MAX;
    if (sides && (uint64_t)asked[0] * asked[1] * channels < RAW_COLUMNS_MAX) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_USAGE,
                     "image_size: %ux%u is out of range; images have at least one pixel and less than %d "
                     "bytes, of which a pixel takes one if all are grey and else three",
                     asked[0], asked[1], RAW_COLUMNS_MAX);
}

static bramble_status check_same(const struct size *size, const uint32_t asked[2], bramble_error *error)
{
    if (!is_asked_for(asked) || (asked[0] == size->height && asked[1] == size->width)) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_USAGE,
                     "image_size: the model's images are %ux%u and not %ux%u; leave it out", size->height,
                     size->width, asked[0], asked[1]);
}

static bramble_status settle_size(struct tile *tile, const bramble_read_options *options,
                                  bramble_error *error)
{
    const uint32_t *asked = options->image_size;
    if (size_from_schema(&tile->size, options->schema)) return check_same(&tile->size, asked, error);
    bramble_status status = is_asked_for(asked) ? check_asked(asked, 1, error) : BRAMBLE_OK;
    if (status) return status;
    struct size_counts *counts = mem_zalloc(1, sizeof *counts);
    if (!counts) return error_memory(error, "the sizes of the images");
    status = survey(tile, counts, error);
    mem_free(counts);
    if (status || !is_asked_for(asked)) return status;
    tile->size = (struct size){asked[0], asked[1], tile->size.channels};
    return check_asked(asked, tile->size.channels, error);
}

static bramble_status columns_name(struct raw_table *out, const char *path, const struct tile *tile,
                                   bramble_error *error)
{
    bool labelled = tile->files->class != NULL;
    bramble_status status = raw_table_init(out, path, "images", "pixel", tile->row_bytes + labelled, error);
    if (status) return status;
    out->shape[0] = tile->size.height;
    out->shape[1] = tile->size.width;
    out->n_rows = tile->files->n;
    out->labels_apart = true;
    if (!labelled) return BRAMBLE_OK;
    char *name = mem_strdup("label");
    if (!name) return error_memory(error, "the names of the columns");
    out->columns[tile->row_bytes].name = name;
    return BRAMBLE_OK;
}

/* The classes go from the list of files to the column. */
static bramble_status take_labels(struct raw_table *out, struct raw_column *column, struct image_files *files,
                                  bramble_error *error)
{
    if (!files->class || column->role == ROLE_IGNORED) return BRAMBLE_OK;
    bramble_status status = raw_column_resize(out, column, RAW_CODES16, files->n, error);
    if (status) return status;
    memcpy(column->codes, files->class, files->n * sizeof *column->codes);
    column->texts = files->classes;
    column->n_texts = files->n_classes;
    files->classes = NULL;
    files->n_classes = 0;
    return BRAMBLE_OK;
}

static bramble_status columns_allocate(struct raw_table *out, size_t n_pixels, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    raw_table_expect(out, out->n_rows, n_pixels);
    for (size_t c = 0; !status && c < n_pixels; c++)
        if (out->columns[c].role != ROLE_IGNORED)
            status = raw_column_resize(out, &out->columns[c], RAW_BYTES, out->n_rows, error);
    return status;
}

/* n rows of pixels become rows first..first + n - 1 of the columns. */
static void pour(struct raw_table *out, const uint8_t *pixels, size_t row_bytes, size_t first, size_t n)
{
    for (size_t c = 0; c < row_bytes; c++) {
        uint8_t *to = out->columns[c].bytes;
        for (size_t i = 0; to && i < n; i++) to[first + i] = pixels[i * row_bytes + c];
    }
}

/* `stage` has room for `room` rows, a multiple of TILE_IMAGES. */
static bramble_status read_all(struct raw_table *out, struct tile *tile, uint8_t *stage, size_t room,
                               bramble_error *error)
{
    tile->head_only = false;
    tile->first = 0;
    for (size_t n, staged = 0; tile->first < tile->files->n;) {
        tile->pixels = stage + staged * tile->row_bytes;
        bramble_status status = tile_read(tile, &n, error);
        if (status) return status;
        tile->first += n;
        staged += n;
        if (staged < room && tile->first < tile->files->n) continue;
        pour(out, stage, tile->row_bytes, tile->first - staged, staged);
        staged = 0;
    }
    return BRAMBLE_OK;
}

static bramble_status read_pixels(struct raw_table *out, struct tile *tile, bramble_error *error)
{
    size_t room = TILE_IMAGES, more = STAGE_BYTES / tile->row_bytes / TILE_IMAGES * TILE_IMAGES;
    if (more > room && spill_is_large(out->spill)) room = more;
    uint8_t *stage = mem_alloc(room, tile->row_bytes);
    if (!stage) return error_memory(error, "some images");
    bramble_status status = read_all(out, tile, stage, room, error);
    mem_free(stage);
    return status;
}

static bramble_status fill(struct raw_table *out, const char *path, struct tile *tile,
                           struct image_files *files, const bramble_read_options *options,
                           bramble_error *error)
{
    bramble_status status = settle_size(tile, options, error);
    if (status) return status;
    tile->row_bytes = (size_t)tile->size.height * tile->size.width * tile->size.channels;
    status = columns_name(out, path, tile, error);
    if (!status) status = raw_table_resolve(out, options, error);
    if (!status) status = columns_allocate(out, tile->row_bytes, error);
    if (!status) status = read_pixels(out, tile, error);
    if (!status && files->class) status = take_labels(out, &out->columns[tile->row_bytes], files, error);
    return status;
}

bramble_status reader_images(struct raw_table *out, const char *path, const bramble_read_options *options,
                             bramble_error *error)
{
    struct image_files files;
    bramble_status status = image_files_find(&files, path, options->split, error);
    if (status) return status;
    struct tile *tile = mem_zalloc(1, sizeof *tile);
    if (tile) {
        tile->files = &files;
        status = fill(out, path, tile, &files, options, error);
    } else {
        status = error_memory(error, "some images");
    }
    mem_free(tile);
    image_files_fini(&files);
    return status;
}

bool reader_images_has_test(const char *path)
{
    return image_files_has_test(path);
}
