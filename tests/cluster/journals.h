/* What the journal's tests share: records whose contents follow from their number, and reading them back. */
#ifndef TESTS_JOURNALS_H
#define TESTS_JOURNALS_H

#include "scratch.h"

#include "cluster/journal.h"

enum { RECORD_BYTES_MAX = 5000 };

/* Sizes from none to a few thousand bytes; those of the first tasks are small. */
static inline uint32_t record_length(uint32_t task)
{
    if (task < 7) return 3 * task;
    return task % 7 == 0 ? 0 : task * 2654435761u % RECORD_BYTES_MAX;
}

static inline void record_fill(uint32_t task, uint8_t bytes[RECORD_BYTES_MAX])
{
    for (uint32_t i = 0; i < record_length(task); i++) bytes[i] = (uint8_t)(task * 31 + i * i);
}

static inline bramble_status record_append(struct journal *journal, uint32_t task, bramble_error *error)
{
    uint8_t bytes[RECORD_BYTES_MAX];
    record_fill(task, bytes);
    return journal_append(journal, task, bytes, record_length(task), error);
}

/* How often each task came; a record that is not what record_append wrote fails the test. */
struct records {
    uint32_t n, last;
    uint32_t times[4096];
};

static inline bramble_status record_visit(void *context, uint32_t task, const void *bytes, uint32_t length,
                                          bramble_error *error)
{
    struct records *records = context;
    uint8_t expected[RECORD_BYTES_MAX];
    (void)error;
    assert_true(task < 4096);
    record_fill(task, expected);
    assert_int_equal(length, record_length(task));
    assert_memory_equal(bytes, expected, length);
    records->times[task]++;
    records->last = task;
    records->n++;
    return BRAMBLE_OK;
}

static inline uint32_t records_read(struct records *records, const char *path, const char *key)
{
    bramble_error error = {0};
    memset(records, 0, sizeof *records);
    if (journal_read(path, key, record_visit, records, &error)) fail_msg("%s", error.message);
    return records->n;
}

static inline uint32_t records_count(const char *path, const char *key)
{
    struct records *records = malloc(sizeof *records);
    assert_non_null(records);
    uint32_t n = records_read(records, path, key);
    free(records);
    return n;
}

static inline struct journal *journal_opened(const char *path, const char *key)
{
    bramble_error error = {0};
    struct journal *journal;
    if (journal_append_open(&journal, path, key, &error)) fail_msg("%s", error.message);
    return journal;
}

/* A journal of the tasks first..last. */
static inline void journal_made(const char *path, const char *key, uint32_t first, uint32_t last)
{
    struct journal *journal = journal_opened(path, key);
    for (uint32_t task = first; task <= last; task++)
        assert_int_equal(record_append(journal, task, NULL), BRAMBLE_OK);
    journal_close(journal);
}

#endif
