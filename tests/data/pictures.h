/* PNG and JPEG files of a test's own making. */
#ifndef TESTS_DATA_PICTURES_H
#define TESTS_DATA_PICTURES_H

#include <stdbool.h>
#include <stdio.h>

#include <jpeglib.h>
#include <png.h>

#include "scratch.h"

struct picture {
    uint32_t height, width;
    int colour, depth, interlace; /* PNG's numbers */
    const void *pixels;           /* lines without gaps, as PNG has them */
};

/* A palette has 256 colours: i, 255 - i, i / 2. */
static inline const char *picture_write_png(struct scratch *s, const char *name, struct picture p)
{
    FILE *file = fopen(scratch_path(s, name), "wb");
    assert_non_null(file);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    if (setjmp(png_jmpbuf(png))) fail_msg("%s: libpng cannot write it", name);
    png_init_io(png, file);
    png_set_IHDR(png, info, p.width, p.height, p.depth, p.colour, p.interlace, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    if (p.colour == PNG_COLOR_TYPE_PALETTE) {
        png_color palette[256];
        for (int i = 0; i < 256; i++)
            palette[i] = (png_color){(png_byte)i, (png_byte)(255 - i), (png_byte)(i / 2)};
        png_set_PLTE(png, info, palette, 256);
    }
    png_write_info(png, info);
    png_bytep lines[64];
    assert_true(p.height <= 64);
    size_t line = png_get_rowbytes(png, info);
    for (uint32_t y = 0; y < p.height; y++) lines[y] = (png_bytep)p.pixels + y * line;
    png_write_image(png, lines);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(file), 0);
    return s->path;
}

/* components: 1 grey, 3 RGB, 4 CMYK. */
static inline const char *picture_write_jpeg(struct scratch *s, const char *name, uint32_t height,
                                             uint32_t width, int components, bool progressive,
                                             const uint8_t *pixels)
{
    FILE *file = fopen(scratch_path(s, name), "wb");
    assert_non_null(file);
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr handler;
    jpeg.err = jpeg_std_error(&handler);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = components;
    jpeg.in_color_space = components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    if (progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < height) {
        JSAMPROW line = (JSAMPROW)pixels + (size_t)jpeg.next_scanline * width * (size_t)components;
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_int_equal(fclose(file), 0);
    return s->path;
}

#endif
