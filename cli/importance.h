/* Which features matter, most important first. */
#ifndef CLI_IMPORTANCE_H
#define CLI_IMPORTANCE_H

#include <bramble/bramble.h>

/* Up to `most` lines under a heading, and one for what was left out. O(most * F). */
void importance_print(const bramble_model *model, uint32_t most, const char *heading);

#endif
