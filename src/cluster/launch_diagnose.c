#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/launch.h"

/* Words that stand in the lines worth showing, the best first. */
static const char *const telling[] = {"Host key verification failed",
                                      "REMOTE HOST IDENTIFICATION HAS CHANGED",
                                      "Permission denied",
                                      "Could not resolve",
                                      "Connection refused",
                                      "Connection timed out",
                                      "No route to host",
                                      "bramble: ",
                                      "command not found",
                                      "could not access",
                                      "No such file",
                                      "noticed that process rank",
                                      "MPI_ABORT was invoked",
                                      "error while loading",
                                      "unable to",
                                      "failed",
                                      "error",
                                      NULL};

/* mpiexec talks of its own affairs in similar words. */
static bool beside_the_point(const char *line)
{
    return strstr(line, "setpgid(") || strstr(line, "[warn] Epoll");
}

/* The rank a line blames, or 0. */
static uint32_t blamed(const char *line)
{
    static const char *const before[] = {"process rank ", "invoked on rank "};
    unsigned job, rank;
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        const char *at = strstr(line, before[i]);
        if (at) return (uint32_t)strtoul(at + strlen(before[i]), NULL, 10);
    }
    const char *name = strstr(line, "Process name: [[");
    return name && sscanf(name, "Process name: [[%u,1],%u]", &job, &rank) == 2 ? rank : 0;
}

void launch_diagnose(const char *log, char *buffer, size_t size, uint32_t *rank)
{
    FILE *file = fopen(log, "re");
    char line[512];
    size_t best = sizeof telling / sizeof *telling;
    *rank = 0;
    snprintf(buffer, size, "%s", "");
    while (file && fgets(line, sizeof line, file)) {
        if (beside_the_point(line)) continue;
        if (blamed(line)) *rank = blamed(line);
        for (size_t i = 0; telling[i] && i < best; i++) {
            if (!strstr(line, telling[i])) continue;
            best = i;
            line[strcspn(line, "\n")] = 0;
            snprintf(buffer, size, "%s", line);
        }
    }
    if (file) fclose(file);
}
