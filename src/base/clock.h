/* Time. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

double clock_seconds(void);      /* since some fixed point in the past; only goes forward */
double clock_unix_seconds(void); /* since 1970, of the wall clock: for people; may jump */

#endif
