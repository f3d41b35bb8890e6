/* How many microbatches of a batch each member gets. */
#ifndef TRAIN_SHARES_H
#define TRAIN_SHARES_H

#include <stdint.h>

/* shares[n_members], n_microbatches in all, so that the one who takes longest is done as early as can be:
 * seconds[m] > 0 is what a microbatch takes member m. Each goes to who would be done with it first, the lower
 * one of equals. O(n_members n_microbatches). */
void shares_divide(uint32_t *shares, const double *seconds, uint32_t n_members, uint32_t n_microbatches);

#endif
