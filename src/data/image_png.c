/* PNG files (package libpng), whose errors are long jumps: none leaves this file. */
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/image.h"

/* Everything that must outlive a long jump. */
struct png_work {
    png_structp png;
    png_infop info;
    jmp_buf failed;
    const char *path;
    const uint8_t *bytes;
    size_t n, at;
    struct image image;
    png_bytep *lines;
    bramble_status status; /* of a failure that has its own message already */
    char why[100];         /* else */
    bramble_error *error;
};

static void on_error(png_structp png, png_const_charp message)
{
    struct png_work *work = png_get_error_ptr(png);
    snprintf(work->why, sizeof work->why, "%s", message);
    longjmp(work->failed, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    struct png_work *work = png_get_mem_ptr(png);
    void *p = mem_alloc(size, 1);
    if (!p) work->status = error_memory(work->error, "an image");
    return p;
}

static void release(png_structp png, png_voidp p)
{
    (void)png;
    mem_free(p);
}

static void take_bytes(png_structp png, png_bytep to, size_t length)
{
    struct png_work *work = png_get_io_ptr(png);
    if (length > work->n - work->at) png_error(png, "the file ends too early");
    memcpy(to, work->bytes + work->at, length);
    work->at += length;
}

static void give_up(struct png_work *work, bramble_status status)
{
    work->status = status;
    longjmp(work->failed, 1);
}

/* Asks for 8 bits of grey or of red, green and blue, whatever is there. */
static void settle_format(struct png_work *work)
{
    int colour = png_get_color_type(work->png, work->info);
    png_set_scale_16(work->png);
    if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(work->png);
    if (colour == PNG_COLOR_TYPE_GRAY) png_set_expand_gray_1_2_4_to_8(work->png);
    png_set_strip_alpha(work->png);
    png_set_interlace_handling(work->png);
    png_read_update_info(work->png, work->info);
}

static void read_head(struct png_work *work)
{
    png_read_info(work->png, work->info);
    struct image *image = &work->image;
    image->height = png_get_image_height(work->png, work->info);
    image->width = png_get_image_width(work->png, work->info);
    bool colour = png_get_color_type(work->png, work->info) & PNG_COLOR_MASK_COLOR;
    image->channels = colour ? 3 : 1;
    bramble_status status = image_check_size(image->height, image->width, work->path, work->error);
    if (status) give_up(work, status);
}

static void read_pixels(struct png_work *work)
{
    struct image *image = &work->image;
    settle_format(work);
    size_t line = (size_t)image->width * image->channels;
    if (png_get_rowbytes(work->png, work->info) != line) png_error(work->png, "an unknown kind of pixel");
    image->pixels = mem_alloc(image->height, line);
    work->lines = mem_alloc(image->height, sizeof *work->lines);
    if (!image->pixels || !work->lines) give_up(work, error_memory(work->error, "an image"));
    for (uint32_t y = 0; y < image->height; y++) work->lines[y] = image->pixels + y * line;
    png_read_image(work->png, work->lines);
    png_read_end(work->png, NULL);
}

/* False after a long jump. */
static bool decode(struct png_work *work, bool head_only)
{
    if (setjmp(work->failed)) return false;
    work->png =
        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, work, on_error, on_warning, work, allocate, release);
    if (work->png) work->info = png_create_info_struct(work->png);
    if (!work->info) give_up(work, error_memory(work->error, "an image"));
    png_set_read_fn(work->png, work, take_bytes);
    png_set_user_limits(work->png, IMAGE_SIDE_MAX, IMAGE_SIDE_MAX);
    /* Chunks that carry no pixels are skipped unread: some would be given whatever memory they claim to need.
     */
    png_set_keep_unknown_chunks(work->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    read_head(work);
    if (!head_only) read_pixels(work);
    return true;
}

bramble_status image_decode_png(struct image *out, const char *path, const void *bytes, size_t n,
                                bool head_only, bramble_error *error)
{
    struct png_work work = {.path = path, .bytes = bytes, .n = n, .error = error};
    bool done = decode(&work, head_only);
    png_destroy_read_struct(&work.png, &work.info, NULL);
    mem_free(work.lines);
    if (done) {
        *out = work.image;
        return BRAMBLE_OK;
    }
    image_fini(&work.image);
    if (work.status) return work.status;
    return error_set(error, BRAMBLE_ERR_DATA, "%s: damaged PNG image (%s); replace or remove it", path,
                     work.why);
}
