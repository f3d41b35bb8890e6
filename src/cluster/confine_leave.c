/* Of what is loaded into mpiexec and orted: takes itself from LD_PRELOAD, for the programs they start, and
 * tells them that it was there. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cluster/confine.h"

__attribute__((constructor)) static void leave(void)
{
    const char *preload = getenv("LD_PRELOAD");
    size_t length = strlen(CONFINE_PRELOAD);
    if (!preload || strncmp(preload, CONFINE_PRELOAD, length) != 0) return;
    close((int)strtol(preload + length, NULL, 10));
    setenv(CONFINE_LOADED, "1", 1);
    const char *others = strchr(preload, ':');
    if (others)
        setenv("LD_PRELOAD", others + 1, 1);
    else
        unsetenv("LD_PRELOAD");
}
