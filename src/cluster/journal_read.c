#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "cluster/journal.h"
#include "cluster/journal_format.h"

typedef bramble_status visit_record(void *context, uint32_t task, const void *bytes, uint32_t length,
                                    bramble_error *error);

static bramble_status visit_all(const struct journal_head *head, int fd, const char *path,
                                visit_record *visit, void *context, bramble_error *error)
{
    struct journal_walk walk;
    bramble_status status = journal_walk_begin(&walk, fd, path, head->length, error);
    while (!status && journal_walk_next(&walk, &status, error))
        if (walk.whole) status = visit(context, walk.task, walk.bytes, walk.length, error);
    journal_walk_end(&walk);
    return status;
}

bramble_status journal_read(const char *path, const char *key, visit_record *visit, void *context,
                            bramble_error *error)
{
    struct journal_head head;
    bramble_status status = journal_head_make(&head, key, error);
    if (status) return status;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return BRAMBLE_OK;
    if (fd < 0) return error_set(error, BRAMBLE_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
    enum journal_head_state state;
    status = journal_head_check(&head, fd, path, &state, error);
    if (!status && state == JOURNAL_HEAD_WHOLE) status = visit_all(&head, fd, path, visit, context, error);
    close(fd);
    return status;
}
