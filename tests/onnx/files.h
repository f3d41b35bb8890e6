/* Writing the files of a case, and the class that wins. */
#ifndef TESTS_ONNX_FILES_H
#define TESTS_ONNX_FILES_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static inline FILE *create(const char *folder, const char *name, const char *ending)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

static inline void write_floats(const char *folder, const char *name, const char *ending, const float *x,
                                size_t n)
{
    FILE *file = create(folder, name, ending);
    if (fwrite(x, sizeof *x, n, file) != n || fclose(file) != 0) exit(1);
}

/* The first of the most probable. */
static inline uint32_t winner(const float *shares, uint32_t n_classes)
{
    uint32_t best = 0;
    for (uint32_t c = 1; c < n_classes; c++)
        if (shares[c] > shares[best]) best = c;
    return best;
}

#endif
