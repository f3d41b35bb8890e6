#include "plan/platform.h"

uint64_t plan_nodes(const struct plan_platform *platform)
{
    uint64_t n = 0;
    for (uint32_t g = 0; g < platform->n_groups; g++) n += platform->groups[g].n;
    return n;
}
