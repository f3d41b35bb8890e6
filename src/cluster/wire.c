#include "cluster/wire.h"

#include <mpi.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

#define REST_LEAST_NS 200000

enum { LONGEST_MESSAGE = 1 << 30, ARRIVALS_MOST = 256 /* begun in one poll */ };

/* A message on its way, in or out. */
struct parcel {
    MPI_Request request;
    struct wire_message message; /* `from` is the other side */
};

struct parcels {
    struct parcel *list;
    size_t n, capacity;
};

struct wire {
    MPI_Comm comm;
    struct parcels out, in;
    long rest_ns; /* the last */
};

bramble_status wire_open(struct wire **out, uint32_t *rank, uint32_t *size, bramble_error *error)
{
    int provided, r = 0, n = 0;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED, "MPI could not be started");
    struct wire *wire = mem_zalloc(1, sizeof *wire);
    if (!wire) return error_memory(error, "the connection to the other nodes");
    MPI_Comm_dup(MPI_COMM_WORLD, &wire->comm);
    MPI_Comm_set_errhandler(wire->comm, MPI_ERRORS_RETURN);
    MPI_Comm_rank(wire->comm, &r);
    MPI_Comm_size(wire->comm, &n);
    wire->rest_ns = REST_LEAST_NS;
    *rank = (uint32_t)r;
    *size = (uint32_t)n;
    *out = wire;
    return BRAMBLE_OK;
}

static struct parcel *parcel_add(struct parcels *parcels)
{
    if (parcels->n == parcels->capacity) {
        size_t capacity = parcels->capacity ? 2 * parcels->capacity : 16;
        struct parcel *list = mem_resize(parcels->list, capacity, sizeof *list);
        if (!list) return NULL;
        parcels->list = list;
        parcels->capacity = capacity;
    }
    return &parcels->list[parcels->n++];
}

bool wire_send(struct wire *wire, uint32_t to, enum wire_tag tag, void *bytes, size_t length)
{
    struct parcel *parcel = length <= LONGEST_MESSAGE ? parcel_add(&wire->out) : NULL;
    if (!parcel) {
        mem_free(bytes);
        return false;
    }
    parcel->message = (struct wire_message){to, tag, bytes, length};
    if (MPI_Isend(bytes, (int)length, MPI_BYTE, (int)to, (int)tag, wire->comm, &parcel->request) !=
        MPI_SUCCESS)
        parcel->request = MPI_REQUEST_NULL; /* the other side is gone; the supervisor hears of it */
    return true;
}

bool wire_send_copy(struct wire *wire, uint32_t to, enum wire_tag tag, const void *bytes, size_t length)
{
    void *copy = mem_alloc(length, 1);
    if (!copy) return false;
    if (length) memcpy(copy, bytes, length);
    return wire_send(wire, to, tag, copy, length);
}

unsigned wire_unsent(const struct wire *wire, uint32_t to)
{
    unsigned n = 0;
    for (size_t i = 0; i < wire->out.n; i++) n += wire->out.list[i].message.from == to;
    return n;
}

/* Begins to receive whatever has arrived. */
static bool accept_arrivals(struct wire *wire)
{
    bool any = false;
    for (unsigned i = 0; i < ARRIVALS_MOST; i++) {
        int there = 0, length = 0;
        MPI_Message handle;
        MPI_Status status;
        MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, wire->comm, &there, &handle, &status);
        if (!there) return any;
        MPI_Get_count(&status, MPI_BYTE, &length);
        uint8_t *bytes = length > 0 ? mem_alloc((size_t)length, 1) : NULL;
        struct parcel *parcel = length == 0 || bytes ? parcel_add(&wire->in) : NULL;
        if (!parcel) wire_abort(BRAMBLE_ERR_MEMORY); /* a message can be neither kept nor left */
        parcel->message = (struct wire_message){(uint32_t)status.MPI_SOURCE, (enum wire_tag)status.MPI_TAG,
                                                bytes, (size_t)length};
        if (MPI_Imrecv(bytes, length, MPI_BYTE, &handle, &parcel->request) != MPI_SUCCESS)
            wire_abort(BRAMBLE_ERR_IO);
        any = true;
    }
    return any;
}

/* Takes finished parcels out, oldest first; the order of those that stay is kept. */
static bool finish(struct parcels *parcels, void (*handle)(void *context, struct wire_message *message),
                   void *context)
{
    size_t kept = 0, n = parcels->n;
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        int done = 0;
        MPI_Test(&parcels->list[i].request, &done, MPI_STATUS_IGNORE);
        if (!done) {
            parcels->list[kept++] = parcels->list[i];
            continue;
        }
        struct wire_message message = parcels->list[i].message;
        if (handle) handle(context, &message);
        mem_free(message.bytes);
        any = true;
    }
    parcels->n = kept;
    return any;
}

bool wire_poll(struct wire *wire, void (*handle)(void *context, struct wire_message *message), void *context)
{
    bool any = accept_arrivals(wire);
    any |= finish(&wire->in, handle, context);
    any |= finish(&wire->out, NULL, NULL);
    return any;
}

long wire_pause_ns(struct wire *wire, bool any, long most_ns)
{
    bool soon = any || wire->out.n || wire->in.n;
    wire->rest_ns = soon ? REST_LEAST_NS : 2 * wire->rest_ns;
    if (wire->rest_ns > most_ns) wire->rest_ns = most_ns;
    return any ? 0 : wire->rest_ns;
}

void wire_rest(struct wire *wire, bool any, long most_ns)
{
    long ns = wire_pause_ns(wire, any, most_ns);
    if (ns) nanosleep(&(struct timespec){0, ns}, NULL);
}

static void drop(void *context, struct wire_message *message)
{
    (void)context;
    (void)message;
}

void wire_close(struct wire *wire, double seconds)
{
    double end = clock_seconds() + seconds;
    while (wire->out.n && clock_seconds() < end) wire_rest(wire, wire_poll(wire, drop, NULL), REST_LEAST_NS);
    MPI_Finalize();
    mem_free(wire->out.list);
    mem_free(wire->in.list);
    mem_free(wire);
}

void wire_abort(int exit_code)
{
    MPI_Abort(MPI_COMM_WORLD, exit_code);
    _exit(exit_code);
}
