/* The bytes of a journal (journal.h): its head, and a walk over its records. Every length is checked against
 * the file before memory is taken for it. */
#ifndef CLUSTER_JOURNAL_FORMAT_H
#define CLUSTER_JOURNAL_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

enum {
    JOURNAL_KEY_MAX = 4096,
    JOURNAL_HEAD_FIXED = 12, /* magic and length, before the key */
    JOURNAL_HEAD_MAX = JOURNAL_HEAD_FIXED + JOURNAL_KEY_MAX + 8,
    JOURNAL_RECORD_HEAD = 16, /* task, length, checksum */
};

struct journal_head {
    size_t length;
    unsigned char bytes[JOURNAL_HEAD_MAX];
};

/* BRAMBLE_ERR_USAGE when the key is too long. */
bramble_status journal_head_make(struct journal_head *head, const char *key, bramble_error *error);

enum journal_head_state {
    JOURNAL_HEAD_WHOLE,
    JOURNAL_HEAD_TORN, /* empty, or the file ends in its head: nothing was ever added to it */
};

/* Holds the file to the head it should have; another one is an error that says whose it is. */
bramble_status journal_head_check(const struct journal_head *head, int fd, const char *path,
                                  enum journal_head_state *state, bramble_error *error);

void journal_record_head(unsigned char head[JOURNAL_RECORD_HEAD], uint32_t task, const void *bytes,
                         uint32_t length);

struct journal_walk {
    int fd;
    const char *path;
    uint64_t size;   /* of the file when the walk began */
    uint64_t offset; /* behind the record last found */
    bool whole;      /* that record is what was written; one that is damaged is passed over */
    uint32_t task, length;
    const unsigned char *bytes; /* borrowed until the next step */
    unsigned char *buffer;
    size_t capacity;
};

/* From `offset` on; journal_walk_end it also when this fails. */
bramble_status journal_walk_begin(struct journal_walk *walk, int fd, const char *path, uint64_t offset,
                                  bramble_error *error);
/* False at the end: no room is left for a record, or for the bytes it promises; or *status says why. */
bool journal_walk_next(struct journal_walk *walk, bramble_status *status, bramble_error *error);
void journal_walk_end(struct journal_walk *walk);

#endif
