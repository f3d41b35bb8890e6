/*
 * Which images a path means, and of which class each is: PATH/CLASS/NAME.png (.jpg, .jpeg), where PATH may
 * have such folders for training and for tests; PATH with images in it, which have no class; or one image.
 */
#ifndef DATA_IMAGE_FILES_H
#define DATA_IMAGE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/table.h>

struct image_files {
    size_t n;        /* at least 1 */
    char **paths;    /* class by class, by name in each */
    uint16_t *class; /* n places in classes, or NULL: they have none */
    uint32_t n_classes;
    char **classes; /* names of the folders that hold images, sorted */
};

/* *out is empty on failure, else the caller's to fini. */
bramble_status image_files_find(struct image_files *out, const char *path, bramble_split split,
                                bramble_error *error);
void image_files_fini(struct image_files *files);

/* Whether a folder, or its training part, has images in it or in a folder in it. */
bool image_files_are_there(const char *folder);
/* Whether a folder has a training part ("train") and a test part ("test", or else "val"). */
bool image_files_has_test(const char *folder);

#endif
