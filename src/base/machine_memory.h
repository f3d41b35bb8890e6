/* How much memory there is, and how much of it is left. */
#ifndef BASE_MACHINE_MEMORY_H
#define BASE_MACHINE_MEMORY_H

#include <stdint.h>

struct machine_memory {
    uint64_t total, available; /* bytes that the machine has, or the process's cgroups allow; 0: not told */
};

/* `root` is put before every path: "" for this machine, a folder with such files for a recorded one. Pages of
 * files, which are given back when memory is wanted, count as available. */
void machine_memory_read(struct machine_memory *out, const char *root);

/* What this process may still take: as above, and what `ulimit -d` leaves of it. UINT64_MAX: not known. */
uint64_t process_memory_left(void);

#endif
