/* What MPI gives on a lab: rank 0 prints "started" once all have spoken, then, as one line of key=value
 * words, the ranks' hosts and machines, the time of a small message one way, and the rate of large ones
 * between neighbours of a ring. Ends with status 1 if the bytes that arrive are not the bytes that were sent.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum { BYTES = 4 << 20, ROUNDS = 8, PINGS = 200 };

/* Passes `size` bytes around the ring `rounds` times; seconds a round. */
static double ring_seconds(unsigned char *out, unsigned char *in, int size, int rounds, int rank, int ranks)
{
    MPI_Barrier(MPI_COMM_WORLD);
    double began = MPI_Wtime();
    for (int i = 0; i < rounds; i++)
        MPI_Sendrecv(out, size, MPI_BYTE, (rank + 1) % ranks, 0, in, size, MPI_BYTE,
                     (rank + ranks - 1) % ranks, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return (MPI_Wtime() - began) / rounds;
}

static int arrived_whole(const unsigned char *in, int from)
{
    for (int i = 0; i < BYTES; i++)
        if (in[i] != (unsigned char)(i * 31 + from)) return 0;
    return 1;
}

int main(int argc, char **argv)
{
    int rank, ranks;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    unsigned char *out = malloc(BYTES), *in = malloc(BYTES);
    if (!out || !in) MPI_Abort(MPI_COMM_WORLD, 1);
    for (int i = 0; i < BYTES; i++) out[i] = (unsigned char)(i * 31 + rank);
    ring_seconds(out, in, 8, 1, rank, ranks);
    if (rank == 0) {
        puts("started");
        fflush(stdout);
    }
    ring_seconds(out, in, BYTES, 1, rank, ranks);
    double small = ring_seconds(out, in, 8, PINGS, rank, ranks);
    double large = ring_seconds(out, in, BYTES, ROUNDS, rank, ranks);
    int whole = arrived_whole(in, (rank + ranks - 1) % ranks), all = 0;
    MPI_Allreduce(&whole, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);

    struct utsname name;
    uname(&name);
    char where[128] = "", *everyone = calloc((size_t)ranks, sizeof where);
    snprintf(where, sizeof where, "%.60s/%.60s", name.nodename, name.machine);
    if (!everyone) MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Gather(where, sizeof where, MPI_CHAR, everyone, sizeof where, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (rank == 0) {
        printf("ranks=%d small_ms=%.3f large_ms=%.1f mb_per_s=%.1f hosts=", ranks, small * 1e3, large * 1e3,
               BYTES / large / 1e6);
        for (int i = 0; i < ranks; i++) printf("%s%s", i ? "," : "", everyone + (size_t)i * sizeof where);
        printf(" intact=%s\n", all ? "yes" : "no");
    }
    free(everyone);
    free(in);
    free(out);
    MPI_Finalize();
    return all ? 0 : 1;
}
