/* Which MPI we are linked with; asks without starting MPI. */
#include <mpi.h>
#include <stdio.h>
#include <string.h>

#include "cluster/node_hardware.h"

void mpi_release(char *buffer, size_t size)
{
    char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    if (MPI_Get_library_version(text, &length) != MPI_SUCCESS) text[0] = 0;
    text[strcspn(text, ",\n")] = 0;
    char *v = strstr(text, " v"); /* "Open MPI v4.1.4" */
    if (v) memmove(v + 1, v + 2, strlen(v + 2) + 1);
    snprintf(buffer, size, "%s", text);
}
