#include "report/plot_png.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

/* What is used of librsvg 2, gdk-pixbuf 2 and GLib 2, as they declare it. */
struct drawing {
    void *(*handle_new_from_data)(const unsigned char *data, size_t length, void **error);
    void *(*handle_get_pixbuf)(void *handle);
    int (*pixbuf_save_to_buffer)(void *pixbuf, char **buffer, size_t *size, const char *type, void **error,
                                 ...);
    void (*object_unref)(void *object);
    void (*clear_error)(void **error);
    void (*free)(void *buffer);
};

/* They start threads and registers of types that stay: never unloaded. */
static void *open_library(const char *name)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library) dlclose(library);
    return library;
}

static bool load(struct drawing *d)
{
    void *rsvg = open_library("librsvg-2.so.2"), *pixbuf = open_library("libgdk_pixbuf-2.0.so.0");
    void *object = open_library("libgobject-2.0.so.0"), *glib = open_library("libglib-2.0.so.0");
    if (!rsvg || !pixbuf || !object || !glib) return false;
    *(void **)&d->handle_new_from_data = dlsym(rsvg, "rsvg_handle_new_from_data");
    *(void **)&d->handle_get_pixbuf = dlsym(rsvg, "rsvg_handle_get_pixbuf");
    *(void **)&d->pixbuf_save_to_buffer = dlsym(pixbuf, "gdk_pixbuf_save_to_buffer");
    *(void **)&d->object_unref = dlsym(object, "g_object_unref");
    *(void **)&d->clear_error = dlsym(glib, "g_clear_error");
    *(void **)&d->free = dlsym(glib, "g_free");
    return d->handle_new_from_data && d->handle_get_pixbuf && d->pixbuf_save_to_buffer && d->object_unref &&
           d->clear_error && d->free;
}

static bramble_status load_or_say(struct drawing *d, bramble_error *error)
{
    if (load(d)) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                     "PNG is drawn by librsvg, which is not installed here; install the package librsvg2-2, "
                     "or name a file that ends with .svg");
}

bramble_status plot_png_check(bramble_error *error)
{
    struct drawing d;
    return load_or_say(&d, error);
}

static bramble_status save_pixbuf(const struct drawing *d, void *pixbuf, char **png, size_t *size,
                                  bramble_error *error)
{
    char *bytes = NULL;
    size_t length = 0;
    if (!d->pixbuf_save_to_buffer(pixbuf, &bytes, &length, "png", NULL, NULL))
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                         "the installed gdk-pixbuf cannot write PNG; name a file that ends with .svg");
    char *copy = mem_alloc(length, 1);
    if (copy) memcpy(copy, bytes, length);
    d->free(bytes);
    if (!copy) return error_memory(error, "a plot");
    *png = copy;
    *size = length;
    return BRAMBLE_OK;
}

bramble_status plot_png_draw(const char *svg, size_t length, char **png, size_t *size, bramble_error *error)
{
    struct drawing d;
    bramble_status status = load_or_say(&d, error);
    if (status) return status;
    void *why = NULL, *handle = d.handle_new_from_data((const unsigned char *)svg, length, &why);
    void *pixbuf = handle ? d.handle_get_pixbuf(handle) : NULL;
    if (pixbuf)
        status = save_pixbuf(&d, pixbuf, png, size, error);
    else
        status = error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                           "the installed librsvg cannot draw the plot; name a file that ends with .svg");
    if (pixbuf) d.object_unref(pixbuf);
    if (handle) d.object_unref(handle);
    d.clear_error(&why);
    return status;
}
