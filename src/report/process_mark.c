#include "report/process_mark.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { START_FIELD = 22, STATE_FIELD = 3 }; /* of /proc/PID/stat, as proc(5) counts them */

static void read_boot(char boot[40])
{
    boot[0] = 0;
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (!file) return;
    if (fgets(boot, 40, file)) boot[strcspn(boot, "\n")] = 0;
    fclose(file);
}

/* When process `pid` started; -1: there is none, or it has ended and waits for its parent to see. The first
 * thread is asked: user-mode emulation shows a process another start in /proc/PID/stat than it shows others.
 */
static int64_t read_start(int64_t pid)
{
    char path[64], text[1024] = "";
    snprintf(path, sizeof path, "/proc/%" PRId64 "/task/%" PRId64 "/stat", pid, pid);
    FILE *file = fopen(path, "re");
    if (!file) return -1;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    const char *at = strrchr(text, ')'); /* its name may hold anything */
    if (!at || !at[1] || strchr("ZXx", at[2])) return -1;
    at += 2;
    for (int field = STATE_FIELD; at && field < START_FIELD; field++)
        if ((at = strchr(at, ' '))) at++;
    return at ? strtoll(at, NULL, 10) : -1;
}

void process_mark_self(struct process_mark *mark)
{
    mark->pid = getpid();
    mark->start = read_start(mark->pid);
    read_boot(mark->boot);
}

bool process_mark_alive(const struct process_mark *mark)
{
    char boot[sizeof mark->boot];
    read_boot(boot);
    return mark->start >= 0 && strcmp(boot, mark->boot) == 0 && read_start(mark->pid) == mark->start;
}
