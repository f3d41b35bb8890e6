/* What tells a process from all others, also later and from other processes: its number may be given again,
 * but not with the same start, and not before the machine is started anew. */
#ifndef REPORT_PROCESS_MARK_H
#define REPORT_PROCESS_MARK_H

#include <stdbool.h>
#include <stdint.h>

struct process_mark {
    int64_t pid;
    int64_t start; /* clock ticks after the machine's start; -1: unknown */
    char boot[40]; /* the kernel's boot_id; empty: unknown */
};

/* This process. */
void process_mark_self(struct process_mark *mark);

/* Whether that process is still there. */
bool process_mark_alive(const struct process_mark *mark);

#endif
