/* Two files: one byte with the length of the labels file, the labels file, the images file. */
#include "fuzz_reader.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static char folder[] = "/tmp/fuzz-idx-XXXXXX", images[64], labels[64];
static int images_fd, labels_fd;

static void remove_files(void)
{
    unlink(images);
    unlink(labels);
    rmdir(folder);
}

/* A file in memory under a name that the reader can find. */
static int file_new(char path[64], const char *name)
{
    char target[40];
    int fd = memfd_create(name, 0);
    snprintf(path, 64, "%s/%s", folder, name);
    snprintf(target, sizeof target, "/proc/self/fd/%d", fd);
    if (fd < 0 || symlink(target, path)) abort();
    return fd;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (!mkdtemp(folder)) abort();
    images_fd = file_new(images, "a-images-idx3-ubyte");
    labels_fd = file_new(labels, "a-labels-idx1-ubyte");
    atexit(remove_files);
    return 0;
}

static void file_write(int fd, const uint8_t *bytes, size_t n)
{
    if (ftruncate(fd, 0) || lseek(fd, 0, SEEK_SET)) abort();
    write_all(fd, bytes, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0 || bytes[0] > n - 1) return -1;
    file_write(labels_fd, bytes + 1, bytes[0]);
    file_write(images_fd, bytes + 1 + bytes[0], n - 1 - bytes[0]);
    fuzz_path(reader_idx, images);
    return 0;
}
