/* bramble mpi-check: what 'bramble doctor' has mpiexec run on every node. */
#include "common.h"

static bramble_status run(const void *values, bramble_error *error)
{
    (void)values;
    return bramble_mpi_check(error);
}

static const char *const paragraphs[] = {
    "One rank of a small MPI job in which all meet each other. 'bramble doctor' starts it; people never need "
    "to.",
    NULL,
};

const struct command command_mpi_check = {
    .name = "mpi-check",
    .summary = "meet other ranks of an MPI job",
    .hidden = true,
    .paragraphs = paragraphs,
    .defaults = "",
    .values_size = 1,
    .run = run,
};
