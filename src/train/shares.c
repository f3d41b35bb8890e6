#include "train/shares.h"

void shares_divide(uint32_t *shares, const double *seconds, uint32_t n_members, uint32_t n_microbatches)
{
    for (uint32_t m = 0; m < n_members; m++) shares[m] = 0;
    for (uint32_t i = 0; i < n_microbatches; i++) {
        uint32_t first = 0;
        for (uint32_t m = 1; m < n_members; m++)
            if ((shares[m] + 1) * seconds[m] < (shares[first] + 1) * seconds[first]) first = m;
        shares[first]++;
    }
}
