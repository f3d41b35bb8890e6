#include "cluster/rank.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/threads.h"
#include "cluster/confine.h"
#include "cluster/coordinator.h"
#include "cluster/worker.h"

#define LEAVE_SECONDS 1.0

bramble_status rank_run(const struct rank_options *options, const struct program *const *programs,
                        bramble_error *error)
{
    struct wire *wire;
    uint32_t rank, size;
    if (!getenv("OMPI_COMM_WORLD_RANK"))
        return error_set(error, BRAMBLE_ERR_USAGE, "bramble rank is started by mpiexec, not by hand");
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the daemon that started it is gone: so is the job */
    bramble_status status = wire_open(&wire, &rank, &size, error);
    if (status) return status;
    if (rank == 0) {
        status = options->orders && options->reports
                     ? coordinator_run(wire, size - 1, programs, options->orders, options->reports, error)
                     : error_set(error, BRAMBLE_ERR_USAGE, "rank 0 needs --orders and --reports");
    } else {
        if (!confine_holds()) wire_send_copy(wire, 0, WIRE_NOTE, CONFINE_PROBLEM, strlen(CONFINE_PROBLEM));
        worker_run(wire, rank, programs, options->threads ? options->threads : threads_available(),
                   options->memory);
    }
    wire_close(wire, LEAVE_SECONDS);
    return status;
}
