#include <sys/stat.h>

#include "base/mem.h"
#include "data/infile.h"
#include "scratch.h"

enum { N = 300000 }; /* several buffers of input and output */

/* Bytes that compress to about half. */
static uint8_t *sample(void)
{
    uint8_t *bytes = malloc(N);
    uint32_t state = 1;
    for (size_t i = 0; i < N; i++) {
        state = state * 1664525u + 1013904223u;
        bytes[i] = (state >> 24) & 15;
    }
    return bytes;
}

/* All of the stream in steps of `step`; -1 when it ends in an error. */
static ptrdiff_t drain(struct infile *file, uint8_t *into, size_t step, bramble_error *error)
{
    size_t total = 0;
    for (;;) {
        ptrdiff_t got = infile_read(file, into + total, step, error);
        if (got <= 0) return got < 0 ? got : (ptrdiff_t)total;
        total += (size_t)got;
    }
}

static void assert_reads(const char *path, const uint8_t *expected, size_t n)
{
    static const size_t steps[] = {1, 7, 4096, 65536, 1 << 18};
    uint8_t *got = malloc(n + (1 << 18));
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct infile *file;
        assert_int_equal(infile_open(&file, path, NULL), BRAMBLE_OK);
        assert_int_equal(drain(file, got, steps[i], NULL), n);
        assert_memory_equal(got, expected, n);
        assert_int_equal(infile_read(file, got, 10, NULL), 0); /* the end stays the end */
        assert_int_equal(infile_rewind(file, NULL), BRAMBLE_OK);
        assert_int_equal(drain(file, got, steps[i], NULL), n);
        assert_memory_equal(got, expected, n);
        infile_close(file);
    }
    free(got);
}

static void test_plain_and_gzip_are_one(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    uint8_t *bytes = sample();
    assert_reads(scratch_write(&s, "plain.gz", bytes, N), bytes, N); /* names say nothing */
    assert_reads(scratch_write_gz(&s, "packed", bytes, N), bytes, N);
    assert_reads(scratch_write(&s, "short", bytes, 1), bytes, 1);
    assert_reads(scratch_write(&s, "none", bytes, 0), bytes, 0);
    assert_reads(scratch_write_gz(&s, "none.gz", bytes, 0), bytes, 0);
    free(bytes);
    scratch_remove(&s);
}

static void test_sizes_and_names(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct infile *file;
    assert_int_equal(infile_open(&file, scratch_write(&s, "a", "hello", 5), NULL), BRAMBLE_OK);
    assert_int_equal(infile_size(file), 5);
    assert_false(infile_is_gzip(file));
    assert_string_equal(infile_path(file), s.path);
    char word[9];
    size_t got = 0;
    assert_int_equal(infile_read_full(file, word, 3, &got, NULL), BRAMBLE_OK);
    assert_int_equal(got, 3);
    assert_int_equal(infile_read_full(file, word, sizeof word, &got, NULL), BRAMBLE_OK);
    assert_int_equal(got, 2);
    assert_memory_equal(word, "lo", 2);
    infile_close(file);
    assert_int_equal(infile_open(&file, scratch_write_gz(&s, "b", "hello", 5), NULL), BRAMBLE_OK);
    assert_true(infile_is_gzip(file));
    infile_close(file);
    infile_close(NULL);
    scratch_remove(&s);
}

static void test_members_and_padding(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    size_t n;
    uint8_t *one = scratch_slurp(scratch_write_gz(&s, "one.gz", "abc", 3), &n);
    uint8_t *two = calloc(1, 2 * n + 70000);
    memcpy(two, one, n);
    memcpy(two + n, one, n);
    assert_reads(scratch_write(&s, "two.gz", two, 2 * n), (const uint8_t *)"abcabc", 6);
    assert_reads(scratch_write(&s, "padded.gz", two, 2 * n + 70000), (const uint8_t *)"abcabc", 6);
    two[2 * n + 69999] = 'x';
    struct infile *file;
    bramble_error error = {0};
    uint8_t into[64];
    assert_int_equal(infile_open(&file, scratch_write(&s, "junk.gz", two, 2 * n + 70000), NULL), BRAMBLE_OK);
    assert_int_equal(drain(file, into, 16, &error), -1);
    assert_int_equal(error.status, BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "junk.gz: "));
    infile_close(file);
    free(one);
    free(two);
    scratch_remove(&s);
}

/* Every prefix of a gzip file is an error, and so is every flipped byte but a few of the header's. */
static void test_damage_is_noticed(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    size_t n;
    uint8_t *good = scratch_slurp(scratch_write_gz(&s, "good.gz", "a few words, a few words", 24), &n);
    for (size_t cut = 2; cut < n; cut++) {
        struct infile *file;
        bramble_error error = {0};
        uint8_t into[128];
        assert_int_equal(infile_open_memory(&file, "cut.gz", good, cut, NULL), BRAMBLE_OK);
        assert_int_equal(drain(file, into, 50, &error), -1);
        assert_int_equal(error.status, BRAMBLE_ERR_DATA);
        assert_non_null(strstr(error.message, "cut.gz: truncated"));
        assert_int_equal(infile_read(file, into, 50, NULL), -1);
        size_t got = 77;
        assert_int_equal(infile_read_full(file, into, 50, &got, NULL), BRAMBLE_ERR_DATA);
        assert_int_equal(got, 77);
        infile_close(file);
    }
    for (size_t at = 10; at < n; at++) { /* the header's time and system are nobody's business */
        struct infile *file;
        uint8_t into[4096];
        good[at] ^= 0x55;
        assert_int_equal(infile_open_memory(&file, "bad.gz", good, n, NULL), BRAMBLE_OK);
        assert_int_equal(drain(file, into, 50, NULL), -1);
        good[at] ^= 0x55;
        infile_close(file);
    }
    free(good);
    scratch_remove(&s);
}

static void assert_refused(const char *path, const char *why)
{
    struct infile *file = (struct infile *)&file;
    bramble_error error = {0};
    assert_int_equal(infile_open(&file, path, &error), BRAMBLE_ERR_IO);
    assert_ptr_equal(file, &file); /* untouched */
    assert_int_equal(strncmp(error.message, path, strlen(path)), 0);
    if (!strstr(error.message, why)) fail_msg("%s", error.message);
    assert_int_equal(infile_open(&file, path, NULL), BRAMBLE_ERR_IO);
}

static void test_unopenable(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    assert_refused(s.folder, "this is a folder");
    assert_refused(scratch_path(&s, "absent"), "No such file");
    scratch_write(&s, "secret", "x", 1);
    chmod(s.path, 0);
    uid_t user = geteuid();
    if (user != 0 || seteuid(65534) == 0) {
        assert_refused(s.path, "ermission denied");
        if (user == 0) assert_int_equal(seteuid(0), 0);
    }
    scratch_remove(&s);
}

static void test_pipe_reads_once(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    close(ends[1]);
    char path[32];
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    struct infile *file;
    assert_int_equal(infile_open(&file, path, NULL), BRAMBLE_OK);
    uint8_t into[64];
    assert_int_equal(infile_size(file), 0);
    assert_int_equal(drain(file, into, 32, NULL), 3);
    assert_int_equal(infile_rewind(file, NULL), BRAMBLE_ERR_UNSUPPORTED);
    infile_close(file);
    close(ends[0]);
}

/* The stream as a whole, for the sweep below. */
static bramble_status read_all(const char *path, bramble_error *error)
{
    struct infile *file;
    uint8_t into[64];
    bramble_status status = infile_open(&file, path, error);
    if (status) return status;
    if (drain(file, into, 5, error) < 0) status = error->status;
    infile_close(file);
    return status;
}

static void test_out_of_memory(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct scratch s = scratch_new();
    scratch_write_gz(&s, "a.gz", "abcabcabcabc", 12);
    size_t failures = 0;
    for (size_t n = 1;; n++, failures++) {
        bramble_error error = {0};
        mem_fail_at(n, 0);
        bramble_status status = read_all(s.path, &error);
        mem_fail_at(0, 0);
        if (status == BRAMBLE_OK) break;
        assert_int_equal(status, BRAMBLE_ERR_MEMORY);
        assert_int_equal(error.status, BRAMBLE_ERR_MEMORY);
    }
    assert_true(failures >= 4); /* file, path, zlib's state, zlib's window */
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_gzip_are_one),
        cmocka_unit_test(test_sizes_and_names),
        cmocka_unit_test(test_members_and_padding),
        cmocka_unit_test(test_damage_is_noticed),
        cmocka_unit_test(test_unopenable),
        cmocka_unit_test(test_pipe_reads_once),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
