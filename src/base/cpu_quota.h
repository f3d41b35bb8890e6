/* How much of the processors' time this process may use. */
#ifndef BASE_CPU_QUOTA_H
#define BASE_CPU_QUOTA_H

/* In processors, fractions too: the least that its control groups (of either version) and those around them
 * allow; INFINITY when none sets a limit. `root` is put before every path: "" for this machine, a folder with
 * such files for a recorded one. */
double cpu_quota(const char *root);

#endif
