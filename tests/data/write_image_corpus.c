/* Writes the seeds of fuzz_png and fuzz_jpeg: write_image_corpus fuzz/corpus/png fuzz/corpus/jpeg */
#include "pictures.h"

static void write_png(const char *folder, const char *name, int colour, int depth, int interlace)
{
    uint8_t bytes[5 * 7 * 8];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(11 * i);
    struct scratch s = {0};
    snprintf(s.folder, sizeof s.folder, "%s", folder);
    picture_write_png(&s, name, (struct picture){5, 7, colour, depth, interlace, bytes});
}

static void write_jpeg(const char *folder, const char *name, int components, bool progressive)
{
    uint8_t bytes[9 * 10 * 4];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(11 * i);
    struct scratch s = {0};
    snprintf(s.folder, sizeof s.folder, "%s", folder);
    picture_write_jpeg(&s, name, 9, 10, components, progressive, bytes);
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    write_png(argv[1], "grey", PNG_COLOR_TYPE_GRAY, 8, 0);
    write_png(argv[1], "bits", PNG_COLOR_TYPE_GRAY, 1, 1);
    write_png(argv[1], "colour", PNG_COLOR_TYPE_RGB, 8, 1);
    write_png(argv[1], "deep", PNG_COLOR_TYPE_RGB_ALPHA, 16, 0);
    write_png(argv[1], "palette", PNG_COLOR_TYPE_PALETTE, 8, 0);
    write_jpeg(argv[2], "grey", 1, false);
    write_jpeg(argv[2], "colour", 3, false);
    write_jpeg(argv[2], "progressive", 3, true);
    write_jpeg(argv[2], "print", 4, false);
    return 0;
}
