#include "train/net_checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/outfile.h"

enum { VERSION = 1, HAS_BEST = 1, NUMBER_DIGITS = 8 };

/* As it lies in the file, little-endian; the arrays follow: weights, optimiser, best; then the checksum. */
struct header {
    char magic[8];
    uint32_t version, flags;
    uint64_t fingerprint[2];
    struct net_position position;
    uint64_t n_weights, n_optimiser;
};
_Static_assert(sizeof(struct header) == 8 + 8 + 16 + 80 + 16, "a file's layout");

static const char magic[8] = "BRMBNET";

/* XXH3-128 of what was written so far, in parts, to a file or, without one, to memory. */
struct sum {
    XXH3_state_t *state;
    struct outfile *file;
    char *at;
};

static void write_out(struct sum *sum, const void *bytes, size_t length)
{
    if (sum->file) {
        outfile_write(sum->file, bytes, length);
    } else {
        if (length) memcpy(sum->at, bytes, length);
        sum->at += length;
    }
}

static void put(struct sum *sum, const void *bytes, size_t length)
{
    XXH3_128bits_update(sum->state, bytes, length);
    write_out(sum, bytes, length);
}

static bool has_best_of(const struct net_checkpoint *c)
{
    return c->best && c->position.best_epoch;
}

static void put_all(struct sum *sum, const struct net_checkpoint *c)
{
    bool has_best = has_best_of(c);
    struct header header = {.version = VERSION,
                            .flags = has_best ? HAS_BEST : 0,
                            .fingerprint = {c->fingerprint[0], c->fingerprint[1]},
                            .position = c->position,
                            .n_weights = c->n_weights,
                            .n_optimiser = c->n_optimiser};
    memcpy(header.magic, magic, sizeof magic);
    put(sum, &header, sizeof header);
    put(sum, c->weights, c->n_weights * sizeof *c->weights);
    put(sum, c->optimiser, c->n_optimiser * sizeof *c->optimiser);
    if (has_best) put(sum, c->best, c->n_weights * sizeof *c->best);
    XXH128_hash_t hash = XXH3_128bits_digest(sum->state);
    write_out(sum, &hash, sizeof hash);
}

bramble_status net_checkpoint_write(const char *path, const struct net_checkpoint *checkpoint,
                                    bramble_error *error)
{
    struct sum sum = {.state = XXH3_createState()};
    if (!sum.state) return error_memory(error, "a checkpoint");
    bramble_status status = outfile_open(&sum.file, path, error);
    if (!status) {
        XXH3_128bits_reset(sum.state);
        put_all(&sum, checkpoint);
        status = outfile_commit(sum.file, error);
    }
    XXH3_freeState(sum.state);
    return status;
}

bramble_status net_checkpoint_encode(const struct net_checkpoint *checkpoint, void *out, bramble_error *error)
{
    struct sum sum = {.state = XXH3_createState(), .at = out};
    if (!sum.state) return error_memory(error, "a checkpoint");
    XXH3_128bits_reset(sum.state);
    put_all(&sum, checkpoint);
    XXH3_freeState(sum.state);
    return BRAMBLE_OK;
}

static bramble_status damaged(const char *path, const char *what, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: this checkpoint is damaged (%s); remove it to begin the training anew", path, what);
}

static size_t file_size(const struct net_checkpoint *c, bool has_best)
{
    return sizeof(struct header) + sizeof(XXH128_hash_t) +
           sizeof(float) * (c->n_weights * (has_best ? 2 : 1) + c->n_optimiser);
}

size_t net_checkpoint_size(const struct net_checkpoint *c)
{
    return file_size(c, has_best_of(c));
}

/* n floats, wherever they lie. */
static bool all_finite(const char *bytes, size_t n)
{
    float x;
    bool finite = true;
    for (size_t i = 0; i < n; i++) {
        memcpy(&x, bytes + i * sizeof x, sizeof x);
        finite &= isfinite(x) != 0;
    }
    return finite;
}

static bramble_status check_header(const struct header *h, const struct net_checkpoint *c, size_t size,
                                   const char *path, bramble_error *error)
{
    if (memcmp(h->magic, magic, sizeof magic) != 0 || h->version != VERSION)
        return error_set(
            error, BRAMBLE_ERR_DATA,
            "%s: this is no checkpoint that this version of bramble can read; remove it to begin "
            "the training anew",
            path);
    if (h->fingerprint[0] != c->fingerprint[0] || h->fingerprint[1] != c->fingerprint[1] ||
        h->n_weights != c->n_weights || h->n_optimiser != c->n_optimiser)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: this checkpoint is of another training: the data, the network's file, the "
                         "options or the version of bramble have changed; put them back, or begin anew",
                         path);
    bool has_best = h->flags & HAS_BEST;
    if (h->flags & ~(uint32_t)HAS_BEST || has_best != (c->best && h->position.best_epoch) ||
        size != file_size(c, has_best))
        return damaged(path, "its length is wrong", error);
    return BRAMBLE_OK;
}

/* Everything is checked before anything is copied. */
bramble_status net_checkpoint_decode(const void *all, size_t size, struct net_checkpoint *c, const char *path,
                                     bramble_error *error)
{
    const char *bytes = all;
    struct header header;
    XXH128_hash_t stored, hash;
    if (size < file_size(&(const struct net_checkpoint){0}, false))
        return damaged(path, "it is too short", error);
    memcpy(&header, bytes, sizeof header);
    bramble_status status = check_header(&header, c, size, path, error);
    if (status) return status;
    memcpy(&stored, bytes + size - sizeof stored, sizeof stored);
    hash = XXH3_128bits(bytes, size - sizeof stored);
    if (!XXH128_isEqual(hash, stored)) return damaged(path, "its checksum is wrong", error);
    const char *numbers = bytes + sizeof header;
    size_t n = (size - sizeof header - sizeof stored) / sizeof(float), width = c->n_weights * sizeof(float);
    if (!all_finite(numbers, n) || !isfinite(header.position.loss))
        return damaged(path, "it has numbers that are not finite", error);
    memcpy(c->weights, numbers, width);
    if (c->n_optimiser) memcpy(c->optimiser, numbers + width, c->n_optimiser * sizeof(float));
    if (header.flags & HAS_BEST) memcpy(c->best, numbers + width + c->n_optimiser * sizeof(float), width);
    c->position = header.position;
    return BRAMBLE_OK;
}

bool net_checkpoint_peek(const void *bytes, size_t size, struct net_position *position,
                         uint64_t fingerprint[2])
{
    struct header header;
    if (size < sizeof header) return false;
    memcpy(&header, bytes, sizeof header);
    if (memcmp(header.magic, magic, sizeof magic) != 0 || header.version != VERSION) return false;
    *position = header.position;
    memcpy(fingerprint, header.fingerprint, sizeof header.fingerprint);
    return true;
}

static bramble_status cannot_read(const char *path, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_IO, "%s: cannot read this checkpoint: %s", path, strerror(errno));
}

static bramble_status fill(char *bytes, size_t length, int fd, const char *path, bramble_error *error)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = read(fd, bytes + done, length - done);
        if (n > 0)
            done += (size_t)n;
        else if (n == 0)
            return damaged(path, "it became shorter while it was read", error);
        else if (errno != EINTR)
            return cannot_read(path, error);
    }
    return BRAMBLE_OK;
}

/* The whole file, which is no longer than this training's can be. */
static bramble_status read_file(int fd, const char *path, size_t most, char **bytes, size_t *size,
                                bramble_error *error)
{
    struct stat info;
    if (fstat(fd, &info) != 0) return cannot_read(path, error);
    if (!S_ISREG(info.st_mode) || info.st_size < 0 || (size_t)info.st_size > most)
        return damaged(path, "its length is wrong", error);
    size_t length = (size_t)info.st_size;
    char *room = mem_alloc_aligned(length, 1);
    if (!room) return error_memory(error, "a checkpoint");
    bramble_status status = fill(room, length, fd, path, error);
    if (status) {
        mem_free(room);
        return status;
    }
    *bytes = room;
    *size = length;
    return BRAMBLE_OK;
}

bramble_status net_checkpoint_read(const char *path, struct net_checkpoint *checkpoint, bool *found,
                                   bramble_error *error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        *found = false;
        return BRAMBLE_OK;
    }
    if (fd < 0) return cannot_read(path, error);
    char *bytes = NULL;
    size_t size = 0;
    bramble_status status = read_file(fd, path, file_size(checkpoint, true), &bytes, &size, error);
    close(fd);
    if (!status) status = net_checkpoint_decode(bytes, size, checkpoint, path, error);
    mem_free(bytes);
    if (!status) *found = true;
    return status;
}

/* Whether `name` is what base/outfile.h calls a temporary file of `of`. */
static bool is_leftover(const char *name, const char *of)
{
    size_t length = strlen(of);
    return strncmp(name, of, length) == 0 && name[length] == '.' &&
           strspn(name + length + 1, "0123456789abcdef") == NUMBER_DIGITS &&
           name[length + 1 + NUMBER_DIGITS] == 0;
}

void net_checkpoint_sweep(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *folder = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
    DIR *entries = folder ? opendir(folder) : NULL;
    mem_free(folder);
    if (!entries) return;
    for (struct dirent *e; (e = readdir(entries));)
        if (is_leftover(e->d_name, name)) unlinkat(dirfd(entries), e->d_name, 0);
    closedir(entries);
}
