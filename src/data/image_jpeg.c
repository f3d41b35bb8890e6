/* JPEG files (package libjpeg-turbo), whose errors are long jumps: none leaves this file. */
#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/image.h"

enum { SCANS_MAX = 100 }; /* a progressive file has about 10; each costs as much time as the whole image */

/* Everything that must outlive a long jump. */
struct jpeg_work {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr handler;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    const char *path;
    struct image image;
    bramble_status status; /* of a failure that has its own message already */
    char why[JMSG_LENGTH_MAX];
    bramble_error *error;
};

static void on_error(j_common_ptr jpeg)
{
    struct jpeg_work *work = jpeg->client_data;
    if (jpeg->err->msg_code == JERR_OUT_OF_MEMORY) work->status = error_memory(work->error, "an image");
    jpeg->err->format_message(jpeg, work->why);
    longjmp(work->failed, 1);
}

/* The decoder goes on with grey where data are missing; what other slips there are does no harm. */
static void on_message(j_common_ptr jpeg, int level)
{
    int code = jpeg->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) on_error(jpeg);
}

static void print_nothing(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void give_up(struct jpeg_work *work, bramble_status status)
{
    work->status = status;
    longjmp(work->failed, 1);
}

static void on_progress(j_common_ptr jpeg)
{
    struct jpeg_work *work = jpeg->client_data;
    if (work->jpeg.input_scan_number > SCANS_MAX)
        give_up(work, error_set(work->error, BRAMBLE_ERR_DATA,
                                "%s: a JPEG image in more than %d scans; save it again as a usual one",
                                work->path, SCANS_MAX));
}

static void read_head(struct jpeg_work *work)
{
    struct image *image = &work->image;
    jpeg_read_header(&work->jpeg, TRUE);
    image->height = work->jpeg.image_height;
    image->width = work->jpeg.image_width;
    image->channels = work->jpeg.num_components == 1 ? 1 : 3;
    bramble_status status = image_check_size(image->height, image->width, work->path, work->error);
    if (status) give_up(work, status);
    if (work->jpeg.num_components != 1 && work->jpeg.num_components != 3)
        give_up(work, error_set(work->error, BRAMBLE_ERR_UNSUPPORTED,
                                "%s: a JPEG image of %d colours, as for printing; save it as RGB or grey",
                                work->path, work->jpeg.num_components));
}

static void read_pixels(struct jpeg_work *work)
{
    struct image *image = &work->image;
    work->jpeg.out_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    work->jpeg.dct_method = JDCT_ISLOW; /* the same pixels on every processor */
    size_t line = (size_t)image->width * image->channels;
    image->pixels = mem_alloc(image->height, line);
    if (!image->pixels) give_up(work, error_memory(work->error, "an image"));
    jpeg_start_decompress(&work->jpeg);
    while (work->jpeg.output_scanline < image->height) {
        JSAMPROW to = image->pixels + work->jpeg.output_scanline * line;
        jpeg_read_scanlines(&work->jpeg, &to, 1);
    }
    jpeg_finish_decompress(&work->jpeg);
}

/* False after a long jump. */
static bool decode(struct jpeg_work *work, const void *bytes, size_t n, bool head_only)
{
    work->jpeg.err = jpeg_std_error(&work->handler);
    work->jpeg.client_data = work;
    work->handler.error_exit = on_error;
    work->handler.emit_message = on_message;
    work->handler.output_message = print_nothing;
    if (setjmp(work->failed)) return false;
    jpeg_create_decompress(&work->jpeg);
    work->progress.progress_monitor = on_progress;
    work->jpeg.progress = &work->progress;
    jpeg_mem_src(&work->jpeg, bytes, n);
    read_head(work);
    if (!head_only) read_pixels(work);
    return true;
}

bramble_status image_decode_jpeg(struct image *out, const char *path, const void *bytes, size_t n,
                                 bool head_only, bramble_error *error)
{
    struct jpeg_work work = {.path = path, .error = error};
    bool done = decode(&work, bytes, n, head_only);
    jpeg_destroy_decompress(&work.jpeg);
    if (done) {
        *out = work.image;
        return BRAMBLE_OK;
    }
    image_fini(&work.image);
    if (work.status) return work.status;
    return error_set(error, BRAMBLE_ERR_DATA, "%s: damaged JPEG image (%s); replace or remove it", path,
                     work.why);
}
