/*
 * Journals: whatever a file holds, reading it is safe, and so is continuing it: the records stay, and the one
 * that is added comes behind them.
 *
 * Half of the mutations are sealed again with the right checksums, which plain ones would never hit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cluster/journal.h"
#include "cluster/journal_format.h"

#define KEY "fuzz"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

struct digest {
    uint32_t n, last;
    uint64_t sum; /* over tasks, lengths and bytes, in order */
};

static void must(bool true_statement)
{
    if (!true_statement) abort();
}

static bramble_status take(void *context, uint32_t task, const void *bytes, uint32_t length,
                           bramble_error *error)
{
    struct digest *digest = context;
    const uint8_t *byte = bytes;
    (void)error;
    digest->sum = (digest->sum * 1099511628211u + task) * 1099511628211u + length;
    for (uint32_t i = 0; i < length; i++) digest->sum = digest->sum * 1099511628211u + byte[i];
    digest->last = task;
    digest->n++;
    return BRAMBLE_OK;
}

static void continue_journal(const char *path, const struct digest *before)
{
    struct journal *journal;
    struct digest same = {0}, more = {0};
    must(journal_append_open(&journal, path, KEY, NULL) == BRAMBLE_OK);
    must(journal_read(path, KEY, take, &same, NULL) == BRAMBLE_OK);
    must(same.n == before->n && same.sum == before->sum);
    must(journal_append(journal, 42, "new", 3, NULL) == BRAMBLE_OK);
    journal_close(journal);
    must(journal_read(path, KEY, take, &more, NULL) == BRAMBLE_OK);
    must(more.n == before->n + 1 && more.last == 42);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[40];
    int fd = memfd_create("fuzz", 0);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct digest digest = {0};
    bramble_error error = {0};
    bramble_status status = journal_read(path, KEY, take, &digest, &error);
    must(!status == !*error.message && !strchr(error.message, '\n'));
    if (!status) continue_journal(path, &digest);
    close(fd);
    return 0;
}

/* Puts the head there should be before the data, and the right checksum into every record. */
static size_t seal(uint8_t *data, size_t size)
{
    struct journal_head head;
    journal_head_make(&head, KEY, NULL);
    if (size < head.length) return size;
    memcpy(data, head.bytes, head.length);
    for (size_t at = head.length; size - at >= JOURNAL_RECORD_HEAD;) {
        uint32_t task, length;
        memcpy(&task, data + at, sizeof task);
        memcpy(&length, data + at + 4, sizeof length);
        if (length > size - at - JOURNAL_RECORD_HEAD) length &= 15;
        if (length > size - at - JOURNAL_RECORD_HEAD) break;
        journal_record_head(data + at, task, data + at + JOURNAL_RECORD_HEAD, length);
        at += JOURNAL_RECORD_HEAD + length;
    }
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    if (seed & 1) size = seal(data, size);
    size = LLVMFuzzerMutate(data, size, max_size);
    return seed & 2 ? seal(data, size) : size;
}
