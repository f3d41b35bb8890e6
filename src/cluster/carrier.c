#include "cluster/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/error.h"
#include "base/mem.h"

enum {
    PIECE = 1 << 18,      /* bytes before compression */
    PIECES_UNDER_WAY = 3, /* to one receiver */
    LEVEL = 1,            /* zstd's: a Pi compresses about as fast as its network card sends */
    RECEIVERS_MOST = 64,
};

struct receiver {
    uint32_t rank;
    uint64_t sent;
};

struct carrier {
    struct wire *wire;
    uint32_t job;
    int fd;
    uint64_t length;
    uint8_t *piece; /* PIECE bytes, read to be compressed */
    struct receiver receivers[RECEIVERS_MOST];
    unsigned n;
    ZSTD_CCtx *compressor;
    bool failed;
};

bramble_status carrier_new(struct carrier **out, struct wire *wire, const char *path, uint32_t job,
                           bramble_error *error)
{
    struct stat info;
    struct carrier *carrier = mem_zalloc(1, sizeof *carrier);
    if (!carrier) return error_memory(error, "sending data");
    carrier->wire = wire;
    carrier->job = job;
    carrier->compressor = ZSTD_createCCtx();
    carrier->piece = mem_alloc(PIECE, 1);
    carrier->fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    bramble_status status = BRAMBLE_OK;
    if (!carrier->compressor || !carrier->piece)
        status = error_memory(error, "sending data");
    else if (carrier->fd < 0 || fstat(carrier->fd, &info) != 0 || !S_ISREG(info.st_mode))
        status = error_set(error, BRAMBLE_ERR_IO, "%s: the data can no longer be read", path);
    if (status) {
        carrier_free(carrier);
        return status;
    }
    carrier->length = (uint64_t)info.st_size;
    *out = carrier;
    return BRAMBLE_OK;
}

void carrier_free(struct carrier *carrier)
{
    if (!carrier) return;
    if (carrier->fd >= 0) close(carrier->fd);
    ZSTD_freeCCtx(carrier->compressor);
    mem_free(carrier->piece);
    mem_free(carrier);
}

bool carrier_add(struct carrier *carrier, uint32_t to)
{
    if (carrier->n == RECEIVERS_MOST) return false;
    carrier->receivers[carrier->n++] = (struct receiver){to, 0};
    return true;
}

static bool read_piece(struct carrier *carrier, uint64_t offset, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = pread(carrier->fd, carrier->piece + done, length - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

/* One more piece for one receiver. */
static bool send_piece(struct carrier *carrier, struct receiver *receiver)
{
    uint64_t left = carrier->length - receiver->sent;
    struct wire_chunk chunk = {receiver->sent, (uint32_t)(left < PIECE ? left : PIECE), carrier->job};
    size_t room = ZSTD_compressBound(chunk.raw_length);
    if (!read_piece(carrier, receiver->sent, chunk.raw_length)) {
        carrier->failed = true;
        return false;
    }
    uint8_t *message = mem_alloc(sizeof chunk + room, 1);
    if (!message) return false;
    memcpy(message, &chunk, sizeof chunk);
    size_t packed = ZSTD_compressCCtx(carrier->compressor, message + sizeof chunk, room, carrier->piece,
                                      chunk.raw_length, LEVEL);
    if (ZSTD_isError(packed)) {
        mem_free(message);
        return false;
    }
    if (!wire_send(carrier->wire, receiver->rank, WIRE_DATA, message, sizeof chunk + packed)) return false;
    receiver->sent += chunk.raw_length;
    return true;
}

bool carrier_poll(struct carrier *carrier)
{
    bool any = false;
    for (unsigned i = carrier->n; i-- > 0;) {
        struct receiver *receiver = &carrier->receivers[i];
        if (wire_unsent(carrier->wire, receiver->rank) >= PIECES_UNDER_WAY) continue;
        any |= send_piece(carrier, receiver);
        if (receiver->sent == carrier->length) *receiver = carrier->receivers[--carrier->n];
    }
    return any;
}

bool carrier_failed(const struct carrier *carrier)
{
    return carrier->failed;
}

bramble_status carrier_receive(struct blob_intake *intake, const struct wire_message *message, uint32_t job,
                               bramble_error *error)
{
    struct wire_chunk chunk;
    if (message->length < sizeof chunk)
        return error_set(error, BRAMBLE_ERR_DATA, "a piece of data came in short");
    memcpy(&chunk, message->bytes, sizeof chunk);
    if (chunk.job != job) return BRAMBLE_OK; /* left over from the job before */
    if (chunk.raw_length > PIECE)
        return error_set(error, BRAMBLE_ERR_DATA, "a piece of data came in that is too large");
    uint8_t *raw = mem_alloc(chunk.raw_length, 1);
    if (!raw) return error_memory(error, "a piece of data");
    size_t n =
        ZSTD_decompress(raw, chunk.raw_length, message->bytes + sizeof chunk, message->length - sizeof chunk);
    bramble_status status = n == chunk.raw_length
                                ? blob_intake_write(intake, chunk.offset, raw, chunk.raw_length, error)
                                : error_set(error, BRAMBLE_ERR_DATA, "a piece of data came in damaged");
    mem_free(raw);
    return status;
}
