/* Two files: one byte with the length of the labels file, the labels file, the images file. */
#include "fuzz_reader.h"

#include <fcntl.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);

static char folder[] = "/tmp/fuzz-idx-XXXXXX", images[64], labels[64];

static void remove_files(void)
{
    unlink(images);
    unlink(labels);
    rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (!mkdtemp(folder)) abort();
    snprintf(images, sizeof images, "%s/a-images-idx3-ubyte", folder);
    snprintf(labels, sizeof labels, "%s/a-labels-idx1-ubyte", folder);
    atexit(remove_files);
    return 0;
}

static void file_write(const char *path, const uint8_t *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) abort();
    write_all(fd, bytes, n);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0 || bytes[0] > n - 1) return -1;
    file_write(labels, bytes + 1, bytes[0]);
    file_write(images, bytes + 1 + bytes[0], n - 1 - bytes[0]);
    fuzz_path(reader_idx, images);
    return 0;
}
