#include "cluster/mpi_check.h"

#include <mpi.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "cluster/confine.h"

enum { BYTES = 300000 }; /* more than MPI sends at once: both of its ways are taken */

static const double MEETING_SECONDS = 10;

/* What rank a sends to rank b. */
static void fill(uint8_t *bytes, int a, int b)
{
    for (size_t i = 0; i < BYTES; i++) bytes[i] = (uint8_t)(i * 7 + (size_t)a * 31 + (size_t)b);
}

struct meeting {
    int rank, size;
    uint8_t *sent, *got, *expected; /* size x BYTES, the same, BYTES */
    MPI_Request *requests;          /* receives, then sends */
};

static void begin(struct meeting *m)
{
    for (int other = 0; other < m->size; other++) {
        size_t at = (size_t)other * BYTES;
        fill(m->sent + at, m->rank, other);
        m->requests[other] = m->requests[m->size + other] = MPI_REQUEST_NULL;
        if (other == m->rank) continue;
        MPI_Irecv(m->got + at, BYTES, MPI_BYTE, other, 0, MPI_COMM_WORLD, &m->requests[other]);
        MPI_Isend(m->sent + at, BYTES, MPI_BYTE, other, 0, MPI_COMM_WORLD, &m->requests[m->size + other]);
    }
}

/* Says of each peer when its bytes have come, right ones. */
static bool meet(struct meeting *m)
{
    int left = m->size - 1;
    const struct timespec pause = {.tv_nsec = 1000000};
    for (double until = clock_seconds() + MEETING_SECONDS; left > 0 && clock_seconds() < until;) {
        int other, done = 0;
        MPI_Testany(m->size, m->requests, &other, &done, MPI_STATUS_IGNORE);
        if (!done || other == MPI_UNDEFINED) {
            nanosleep(&pause, NULL);
            continue;
        }
        fill(m->expected, other, m->rank);
        if (memcmp(m->got + (size_t)other * BYTES, m->expected, BYTES) != 0) continue;
        printf("met %d %d\n", m->rank, other);
        fflush(stdout);
        left--;
    }
    return left == 0;
}

bramble_status mpi_check_run(bramble_error *error)
{
    if (!getenv("OMPI_COMM_WORLD_RANK"))
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "bramble mpi-check is started by 'bramble doctor', not by hand");
    struct meeting m = {0};
    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &m.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &m.size);
    m.sent = mem_alloc((size_t)m.size, BYTES);
    m.got = mem_zalloc((size_t)m.size, BYTES);
    m.expected = mem_alloc(1, BYTES);
    m.requests = mem_alloc((size_t)m.size * 2, sizeof *m.requests);
    if (!m.sent || !m.got || !m.expected || !m.requests) MPI_Abort(MPI_COMM_WORLD, 1);
    if (!confine_holds()) printf("open %d\n", m.rank);
    begin(&m);
    bool all = meet(&m);
    if (!all) { /* others may still wait for what cannot come */
        const struct timespec pause = {.tv_sec = 1};
        nanosleep(&pause, NULL);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    MPI_Waitall(m.size, m.requests + m.size, MPI_STATUSES_IGNORE);
    MPI_Finalize();
    mem_free(m.sent);
    mem_free(m.got);
    mem_free(m.expected);
    mem_free(m.requests);
    return BRAMBLE_OK;
}

void mpi_check_read(FILE *file, size_t n, uint8_t *met)
{
    char line[256];
    while (fgets(line, sizeof line, file)) {
        unsigned a, b;
        if (sscanf(line, "met %u %u", &a, &b) == 2 && a < n && b < n && a != b) met[a * n + b] = true;
        if (sscanf(line, "open %u", &a) == 1 && a < n) met[a * n + a] = true;
    }
}
