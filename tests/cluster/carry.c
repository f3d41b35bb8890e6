/*
 * A file on its way to two ranks at once, one of which looks at the network only now and then. Starts itself
 * with mpiexec; exit code 0: it came to both, whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cluster/carrier.h"
#include "cluster/wire.h"

enum { LENGTH = 20 << 20, JOB = 4 };

/* MPI never frees all it has. AddressSanitizer asks this before it looks for leaks. */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

struct receiver {
    struct blob_intake *intake;
    bool failed;
};

static void fill(uint8_t *bytes)
{
    uint64_t x = 1;
    for (size_t i = 0; i < LENGTH; i++) {
        if (i % 3 == 0) x = x * 6364136223846793005u + 1442695040888963407u; /* packs, but not to nothing */
        bytes[i] = (uint8_t)(x >> 56);
    }
}

static void take(void *context, struct wire_message *message)
{
    struct receiver *receiver = context;
    bramble_error error = {0};
    if (message->tag != WIRE_DATA) return;
    if (carrier_receive(receiver->intake, message, JOB, &error)) {
        fprintf(stderr, "%s\n", error.message);
        receiver->failed = true;
    }
}

/* A piece of another job and one that is cut short do no harm. */
static void send_nonsense(struct wire *wire, uint32_t to)
{
    struct wire_chunk stale = {0, 10, JOB - 1};
    wire_send_copy(wire, to, WIRE_DATA, &stale, sizeof stale);
}

static int send_all(struct wire *wire, const char *path)
{
    struct carrier *carrier;
    bramble_error error;
    if (carrier_new(&carrier, wire, path, JOB, &error)) return 1;
    for (uint32_t to = 1; to <= 2; to++) {
        send_nonsense(wire, to);
        if (!carrier_add(carrier, to)) return 2;
    }
    unsigned most = 0;
    for (bool busy = true; busy;) {
        busy = carrier_poll(carrier);
        for (uint32_t to = 1; to <= 2; to++) {
            if (wire_unsent(wire, to) > most) most = wire_unsent(wire, to);
            busy |= wire_unsent(wire, to) > 0;
        }
        wire_poll(wire, take, NULL);
    }
    bool failed = carrier_failed(carrier);
    carrier_free(carrier);
    return failed || most > 4 ? 3 : 0; /* the rest waits on the disk, not in memory */
}

static int receive_all(struct wire *wire, uint32_t rank, const char *hash)
{
    struct receiver receiver = {0};
    bramble_error error;
    char *path = NULL, short_piece[4] = "x";
    bool kept;
    if (blob_intake_new(&receiver.intake, hash, LENGTH, &error)) return 4;
    struct wire_message cut = {0, WIRE_DATA, (uint8_t *)short_piece, sizeof short_piece};
    if (!carrier_receive(receiver.intake, &cut, JOB, &error)) return 5;
    while (!receiver.failed && blob_intake_missing(receiver.intake)) {
        wire_poll(wire, take, &receiver);
        if (rank == 2) nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    int status = receiver.failed || blob_intake_finish(receiver.intake, &path, &kept, &error) ? 6 : 0;
    if (path) unlink(path);
    mem_free(path);
    blob_intake_free(receiver.intake);
    return status;
}

static int be_rank(const char *folder)
{
    struct wire *wire;
    uint32_t rank, size;
    bramble_error error;
    char path[256], hash[BLOB_HASH_LENGTH + 1];
    uint64_t length;
    setenv("BRAMBLE_CACHE", folder, 1);
    snprintf(path, sizeof path, "%s/data", folder);
    if (blob_hash_file(path, hash, &length, &error) || wire_open(&wire, &rank, &size, &error)) return 7;
    int status = rank == 0 ? send_all(wire, path) : receive_all(wire, rank, hash);
    wire_close(wire, 30);
    return status;
}

static int launch(const char *self, const char *folder)
{
    char command[1024];
    snprintf(command, sizeof command,
             "mpiexec.openmpi %s --bind-to none --map-by :OVERSUBSCRIBE --mca pml ob1 --mca btl tcp,self "
             "--mca btl_tcp_if_include 127.0.0.0/8 --mca mpi_yield_when_idle 1 -n 3 %s %s",
             geteuid() == 0 ? "--allow-run-as-root" : "", self, folder);
    return system(command);
}

int main(int n, char **words)
{
    char folder[] = "/tmp/bramble-test-XXXXXX", path[64];
    if (n > 1) return be_rank(words[1]);
    uint8_t *bytes = malloc(LENGTH);
    if (!bytes || !mkdtemp(folder)) return 8;
    snprintf(path, sizeof path, "%s/data", folder);
    fill(bytes);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, LENGTH, file) != LENGTH || fclose(file) != 0) return 9;
    free(bytes);
    int status = launch(words[0], folder);
    unlink(path);
    rmdir(folder);
    return status != 0;
}
