/* One reader at work in a test: a file becomes a table, or is refused for the right reason. */
#ifndef TESTS_DATA_READING_H
#define TESTS_DATA_READING_H

#include <sys/resource.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "data/reader.h"
#include "scratch.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEASURES_MEMORY 0 /* a sanitizer's own memory would be measured */
#else
#define MEASURES_MEMORY 1
#endif

typedef bramble_status reader_function(struct raw_table *, const char *, const bramble_read_options *,
                                       bramble_error *);

static inline bramble_status read_table(reader_function *reader, bramble_table **out, const char *path,
                                        const bramble_read_options *options, bramble_error *error)
{
    static const bramble_read_options usual = BRAMBLE_READ_OPTIONS_INIT;
    struct raw_table raw = {0};
    if (!options) options = &usual;
    bramble_status status = reader(&raw, path, options, error);
    if (!status) status = table_finish(out, &raw, options, error);
    raw_table_fini(&raw);
    return status;
}

static inline bramble_table *assert_read(reader_function *reader, const char *path,
                                         const bramble_read_options *options)
{
    bramble_table *table = NULL;
    bramble_error error = {0};
    if (read_table(reader, &table, path, options, &error)) fail_msg("%s", error.message);
    assert_non_null(table);
    return table;
}

/* The message must be one line that begins with the file's name, or that of a file in the folder. */
static inline void assert_refused(reader_function *reader, const char *path,
                                  const bramble_read_options *options, bramble_status expected,
                                  const char *why)
{
    bramble_table *table = NULL;
    bramble_error error = {0};
    bramble_status status = read_table(reader, &table, path, options, &error);
    if (status != expected || !strstr(error.message, why))
        fail_msg("%s: not \"%s\" but status %d: %s", path, why, status, error.message);
    assert_int_equal(error.status, expected);
    assert_null(table);
    const char *slash = strrchr(path, '/');
    assert_int_equal(strncmp(error.message, path, (size_t)(slash - path)), 0);
    assert_null(strchr(error.message, '\n'));
    assert_int_equal(read_table(reader, &table, path, options, NULL), expected); /* also without an error */
}

/* Column f of the table is `expected`, N numbers. */
static inline void assert_column(const bramble_table *table, uint32_t f, const double *expected)
{
    for (size_t r = 0; r < table->n_rows; r++) {
        float value = column_value(&table->columns[f], table->schema.features[f].type, r);
        if (value != (float)expected[r] && !(value != value && expected[r] != expected[r]))
            fail_msg("row %zu, column %u: %g is not %g", r, f, value, expected[r]);
    }
}

/* Every allocation in turn fails; all end in BRAMBLE_ERR_MEMORY until there is none left to fail. */
static inline void assert_survives_no_memory(reader_function *reader, const char *path,
                                             const bramble_read_options *options)
{
    for (int persist = 0; persist <= 1; persist++)
        for (size_t n = 1;; n++) {
            bramble_table *table = NULL;
            bramble_error error = {0};
            mem_fail_at(n, persist);
            bramble_status status = read_table(reader, &table, path, options, &error);
            size_t count = mem_fail_count();
            mem_fail_at(0, 0);
            bramble_table_free(table);
            if (status == BRAMBLE_OK && count < n) break;
            if (status != BRAMBLE_OK) assert_int_equal(status, BRAMBLE_ERR_MEMORY);
            assert_int_equal(error.status, status);
            if (status != BRAMBLE_OK) assert_null(table);
        }
}

static inline size_t resident_bytes(void)
{
    size_t total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%zu %zu", &total, &resident) != 2) resident = 0;
    if (f) fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* Most memory that reading takes, in a process of its own; the status comes back in *status. */
static inline size_t reading_peak_bytes(reader_function *reader, const char *path, bramble_status *status)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bramble_table *table = NULL;
        size_t before = resident_bytes(), report[2];
        struct rusage usage;
        report[0] = read_table(reader, &table, path, NULL, NULL);
        getrusage(RUSAGE_SELF, &usage);
        report[1] = (size_t)usage.ru_maxrss * 1024 - before;
        _exit(write(ends[1], report, sizeof report) != sizeof report);
    }
    size_t report[2] = {0};
    assert_int_equal(read(ends[0], report, sizeof report), sizeof report);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    *status = (bramble_status)report[0];
    return report[1];
}

/* A header that lies is found out in a process that may not have more than `room` bytes beyond what it has.
 */
static inline void assert_lie_is_cheap(reader_function *reader, const char *path, size_t room)
{
    if (!MEASURES_MEMORY) return;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        size_t pages = 0;
        FILE *f = fopen("/proc/self/statm", "r");
        if (!f || fscanf(f, "%zu", &pages) != 1) _exit(9);
        fclose(f);
        struct rlimit limit = {pages * (size_t)sysconf(_SC_PAGESIZE) + room, RLIM_INFINITY};
        if (setrlimit(RLIMIT_AS, &limit)) _exit(9);
        bramble_table *table = NULL;
        _exit(read_table(reader, &table, path, NULL, NULL));
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), BRAMBLE_ERR_DATA);
}

#endif
