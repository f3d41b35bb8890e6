#include "cluster/carrier.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
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
    const uint8_t *bytes;
    uint64_t length;
    struct receiver receivers[RECEIVERS_MOST];
    unsigned n;
    ZSTD_CCtx *compressor;
};

bramble_status carrier_new(struct carrier **out, struct wire *wire, const char *path, uint32_t job,
                           bramble_error *error)
{
    struct carrier *carrier = mem_zalloc(1, sizeof *carrier);
    struct stat info;
    if (!carrier) return error_memory(error, "sending data");
    carrier->wire = wire;
    carrier->job = job;
    carrier->compressor = ZSTD_createCCtx();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *map = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0)
        map = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0) close(fd);
    if (map == MAP_FAILED || !carrier->compressor) {
        if (map != MAP_FAILED) munmap(map, (size_t)info.st_size);
        ZSTD_freeCCtx(carrier->compressor);
        mem_free(carrier);
        return error_set(error, BRAMBLE_ERR_IO, "%s: cannot be mapped for sending", path);
    }
    carrier->bytes = map;
    carrier->length = (uint64_t)info.st_size;
    *out = carrier;
    return BRAMBLE_OK;
}

void carrier_free(struct carrier *carrier)
{
    if (!carrier) return;
    munmap((void *)carrier->bytes, carrier->length);
    ZSTD_freeCCtx(carrier->compressor);
    mem_free(carrier);
}

bool carrier_add(struct carrier *carrier, uint32_t to)
{
    if (carrier->n == RECEIVERS_MOST) return false;
    carrier->receivers[carrier->n++] = (struct receiver){to, 0};
    return true;
}

void carrier_drop(struct carrier *carrier, uint32_t to)
{
    for (unsigned i = carrier->n; i-- > 0;)
        if (carrier->receivers[i].rank == to) carrier->receivers[i] = carrier->receivers[--carrier->n];
}

unsigned carrier_receivers(const struct carrier *carrier)
{
    return carrier->n;
}

/* One more piece for one receiver. */
static bool send_piece(struct carrier *carrier, struct receiver *receiver)
{
    uint64_t left = carrier->length - receiver->sent;
    struct wire_chunk chunk = {receiver->sent, (uint32_t)(left < PIECE ? left : PIECE), carrier->job};
    size_t room = ZSTD_compressBound(chunk.raw_length);
    uint8_t *message = mem_alloc(sizeof chunk + room, 1);
    if (!message) return false;
    memcpy(message, &chunk, sizeof chunk);
    size_t packed = ZSTD_compressCCtx(carrier->compressor, message + sizeof chunk, room,
                                      carrier->bytes + receiver->sent, chunk.raw_length, LEVEL);
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

bramble_status carrier_receive(struct blob_intake *intake, const struct wire_message *message, uint32_t job,
                               bramble_error *error)
{
    struct wire_chunk chunk;
    if (message->length < sizeof chunk)
        return error_set(error, BRAMBLE_ERR_DATA, "a piece of data came in short");
    memcpy(&chunk, message->bytes, sizeof chunk);
    if (chunk.job != job) return BRAMBLE_OK; /* left over from the job before */
    uint8_t *raw = chunk.raw_length <= PIECE ? mem_alloc(chunk.raw_length, 1) : NULL;
    if (!raw) return error_set(error, BRAMBLE_ERR_DATA, "a piece of data came in that is too large");
    size_t n =
        ZSTD_decompress(raw, chunk.raw_length, message->bytes + sizeof chunk, message->length - sizeof chunk);
    bramble_status status = n == chunk.raw_length
                                ? blob_intake_write(intake, chunk.offset, raw, chunk.raw_length, error)
                                : error_set(error, BRAMBLE_ERR_DATA, "a piece of data came in damaged");
    mem_free(raw);
    return status;
}
