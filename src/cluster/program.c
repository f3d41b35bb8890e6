#include "cluster/program.h"

#include <string.h>

const struct program *program_find(const struct program *const *programs, const char *name)
{
    for (size_t i = 0; programs[i]; i++)
        if (strcmp(programs[i]->name, name) == 0) return programs[i];
    return NULL;
}
