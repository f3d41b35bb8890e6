#include "report/plot_file.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "report/plot_png.h"

static bool ends_with(const char *path, const char *ending)
{
    size_t length = strlen(path), tail = strlen(ending);
    return length > tail && strcmp(path + length - tail, ending) == 0;
}

bramble_status plot_path_check(const char *path, bramble_error *error)
{
    if (ends_with(path, ".svg")) return BRAMBLE_OK;
    if (ends_with(path, ".png")) return plot_png_check(error);
    return error_set(error, BRAMBLE_ERR_USAGE, "%s: a plot's file ends with .svg or .png", path);
}

static bramble_status write_file(const char *path, const char *bytes, size_t length, bramble_error *error)
{
    struct outfile *file;
    bramble_status status = outfile_open(&file, path, error);
    if (status) return status;
    outfile_write(file, bytes, length);
    return outfile_commit(file, error);
}

bramble_status plot_svg_save(const char *path, const struct plot *panels, size_t n, bramble_error *error)
{
    struct str text = {0};
    plot_svg_write(&text, panels, n);
    bramble_status status =
        text.failed ? error_memory(error, "a plot") : write_file(path, text.data, text.length, error);
    str_fini(&text);
    return status;
}

static bramble_status save_png(const char *path, const struct plot *panels, size_t n, bramble_error *error)
{
    struct str text = {0};
    char *png = NULL;
    size_t size = 0;
    plot_svg_write(&text, panels, n);
    bramble_status status = text.failed ? error_memory(error, "a plot")
                                        : plot_png_draw(text.data, text.length, &png, &size, error);
    if (!status) status = write_file(path, png, size, error);
    mem_free(png);
    str_fini(&text);
    return status;
}

bramble_status plot_save(const char *path, const struct plot *panels, size_t n, bramble_error *error)
{
    bramble_status status = plot_path_check(path, error);
    if (status) return status;
    return ends_with(path, ".png") ? save_png(path, panels, n, error) : plot_svg_save(path, panels, n, error);
}
