#include "cluster/heartbeat.h"

#include <math.h>

/* What is believed before anything arrived: a node that has just started may be slow to settle. */
#define FIRST_MEAN 0.25
#define FIRST_CREDIT 2.0

#define MEAN_SHARE 0.1     /* of a new gap in the mean */
#define LONGEST_KEPT 0.97  /* of the longest gap, a beat later */
#define CREDIT_KEPT 0.9    /* a guess weighs less than what was seen */
#define MEANS_ALLOWED 6    /* silence of so many mean gaps ... */
#define LONGESTS_ALLOWED 3 /* ... and so many longest ones is too much */

void heartbeat_start(struct heartbeat *beat, double now)
{
    *beat = (struct heartbeat){now, FIRST_MEAN, 0, FIRST_CREDIT};
}

void heartbeat_arrived(struct heartbeat *beat, double now)
{
    double gap = now - beat->last;
    beat->last = now;
    beat->mean += MEAN_SHARE * (gap - beat->mean);
    beat->longest = fmax(gap, LONGEST_KEPT * beat->longest);
    beat->credit *= CREDIT_KEPT;
}

void heartbeat_excuse(struct heartbeat *beat, double seconds)
{
    beat->last += seconds;
}

double heartbeat_patience(const struct heartbeat *beat)
{
    return MEANS_ALLOWED * beat->mean + LONGESTS_ALLOWED * fmax(beat->longest, beat->credit);
}

bool heartbeat_missed(const struct heartbeat *beat, double now)
{
    return now - beat->last > heartbeat_patience(beat);
}
