/*
 * `bramble mpi-check`: whether MPI really connects every node with every other, and moves data that comes out
 * as they went in. The doctor starts one rank a node and reads what they say.
 */
#ifndef CLUSTER_MPI_CHECK_H
#define CLUSTER_MPI_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <bramble/error.h>

/* A rank's part. Says "met A B" on stdout for each rank B that rank A exchanged data with, within a few
 * seconds, and "open A" when it listens on more than the cluster's network. */
bramble_status mpi_check_run(bramble_error *error);

/* Reads what they all said: met[a * n + b] becomes true where a met b, met[a * n + a] where a is open; other
 * lines are passed over. */
void mpi_check_read(FILE *file, size_t n, uint8_t *met);

#endif
