/* A folder for a test's files, gone when the test is: scratch_new, scratch_write..., scratch_remove. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <dirent.h>
#include <ftw.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

struct scratch {
    char folder[64];
    char path[384]; /* of the file named last */
};

static inline struct scratch scratch_new(void)
{
    struct scratch s = {.folder = "/tmp/bramble-test-XXXXXX"};
    assert_non_null(mkdtemp(s.folder));
    return s;
}

/* Valid until the next call with the same scratch. */
static inline const char *scratch_path(struct scratch *s, const char *name)
{
    snprintf(s->path, sizeof s->path, "%s/%s", s->folder, name);
    return s->path;
}

static inline const char *scratch_write(struct scratch *s, const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(scratch_path(s, name), "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return s->path;
}

static inline const char *scratch_write_gz(struct scratch *s, const char *name, const void *bytes, size_t n)
{
    gzFile f = gzopen(scratch_path(s, name), "wb1");
    assert_non_null(f);
    if (n) assert_int_equal(gzwrite(f, bytes, (unsigned)n), n);
    assert_int_equal(gzclose(f), Z_OK);
    return s->path;
}

/* Files and folders in it whose names do not begin with a dot. */
static inline unsigned scratch_count(const struct scratch *s)
{
    unsigned n = 0;
    DIR *dir = opendir(s->folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

/* The bytes of a file, mem of malloc; *n says how many. */
static inline uint8_t *scratch_slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("%s is not there", path);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    uint8_t *bytes = malloc(*n + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *n, f), *n);
    fclose(f);
    return bytes;
}

static inline int scratch_remove_entry(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info;
    (void)at;
    return type == FTW_DP ? rmdir(path) : unlink(path);
}

/* With all that is in it. */
static inline void scratch_remove(struct scratch *s)
{
    assert_int_equal(nftw(s->folder, scratch_remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
