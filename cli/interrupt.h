/*
 * Ctrl-C. A program that is only computing may be killed at any time; one that writes, or has work that
 * should end in good order, watches.
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

/* From now on the first SIGINT or SIGTERM is only noted; another one of it kills as usual. */
void interrupt_watch(void);

bool interrupt_seen(void);

/* Between these, signals wait: for the moments when a file is half written. */
void interrupt_hold(void);
void interrupt_release(void);

/* Ends the process by the signal that was noted, so that a shell's loop stops too (shells show 128 + signal:
 * 130 after Ctrl-C). Returns when none was. */
void interrupt_die(void);

#endif
