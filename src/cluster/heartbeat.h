/*
 * When silence means that somebody is gone. The deadline is learned from each one's own arrivals: a node that
 * has been irregular (a busy Pi, swapping) is given longer than one that never missed. After Chandra and
 * Toueg's eventually perfect failure detector, "Unreliable failure detectors for reliable distributed
 * systems" (1996), by way of the learned intervals of Hayashibara et al., "The phi accrual failure detector"
 * (2004).
 */
#ifndef CLUSTER_HEARTBEAT_H
#define CLUSTER_HEARTBEAT_H

#include <stdbool.h>

struct heartbeat {
    double last;    /* when it was heard last, clock_seconds() */
    double mean;    /* of the gaps, recent ones counting most */
    double longest; /* of the gaps, forgotten slowly */
    double credit;  /* a longest gap believed in before any was seen, forgotten fast */
};

void heartbeat_start(struct heartbeat *beat, double now);
void heartbeat_arrived(struct heartbeat *beat, double now);

/* We did not listen for so long: that is not its silence. */
void heartbeat_excuse(struct heartbeat *beat, double seconds);

/* Seconds of silence after which it counts as gone. */
double heartbeat_patience(const struct heartbeat *beat);

bool heartbeat_missed(const struct heartbeat *beat, double now);

#endif
