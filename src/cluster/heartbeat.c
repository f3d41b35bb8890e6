#include "cluster/heartbeat.h"

/* What is believed before anything arrived: a node that has just started may be slow to settle. */
#define FIRST_MEAN 0.25
#define FIRST_LONGEST 2.0

#define MEAN_SHARE 0.1     /* of a new gap in the mean */
#define LONGEST_KEPT 0.97  /* of the longest gap, a beat later */
#define MEANS_ALLOWED 6    /* silence of so many mean gaps ... */
#define LONGESTS_ALLOWED 3 /* ... and so many longest ones is too much */

void heartbeat_start(struct heartbeat *beat, double now)
{
    *beat = (struct heartbeat){now, FIRST_MEAN, FIRST_LONGEST};
}

void heartbeat_arrived(struct heartbeat *beat, double now)
{
    double gap = now - beat->last;
    beat->last = now;
    beat->mean += MEAN_SHARE * (gap - beat->mean);
    beat->longest *= LONGEST_KEPT;
    if (gap > beat->longest) beat->longest = gap;
}

double heartbeat_patience(const struct heartbeat *beat)
{
    return MEANS_ALLOWED * beat->mean + LONGESTS_ALLOWED * beat->longest;
}

bool heartbeat_missed(const struct heartbeat *beat, double now)
{
    return now - beat->last > heartbeat_patience(beat);
}
