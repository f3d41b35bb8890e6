/* Which blob something became, so that it need not be made again to know its name. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cache_folder.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "cluster/blob_room.h"

static char *note_path(const char *key)
{
    char *folder = NULL;
    if (!blob_hash_valid(key) || cache_folder_make(&folder, NULL) != BRAMBLE_OK) return NULL;
    char *path = blob_path(folder, key, ".made");
    mem_free(folder);
    return path;
}

void blob_remember(const char *key, const char *hash, uint64_t length)
{
    char text[BLOB_HASH_LENGTH + 32], *path = note_path(key);
    struct outfile *file;
    if (path && outfile_open(&file, path, NULL) == BRAMBLE_OK) {
        int n = snprintf(text, sizeof text, "%s %" PRIu64 "\n", hash, length);
        outfile_write(file, text, (size_t)n);
        outfile_commit(file, NULL);
    }
    mem_free(path);
}

static bool read_note(const char *path, char hash[BLOB_HASH_LENGTH + 1], uint64_t *length)
{
    char text[BLOB_HASH_LENGTH + 32], end;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    if (n <= BLOB_HASH_LENGTH || text[BLOB_HASH_LENGTH] != ' ') return false;
    text[n] = text[BLOB_HASH_LENGTH] = 0;
    memcpy(hash, text, BLOB_HASH_LENGTH + 1);
    return sscanf(text + BLOB_HASH_LENGTH + 1, "%20" SCNu64 "%c", length, &end) == 2 && end == '\n';
}

bool blob_recall(const char *key, char hash[BLOB_HASH_LENGTH + 1], uint64_t *length, char **path)
{
    char *note = note_path(key);
    bool noted = note && read_note(note, hash, length), good = noted && blob_find(hash, *length, path);
    if (note && !good) unlink(note);
    mem_free(note);
    return good;
}
