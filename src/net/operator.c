#include "net/operator.h"

#include <string.h>

#include "net/operators.h"

#define ADDRESS(onnx, name) &op_##name,
#define TEXT(onnx, name) #onnx,
static const struct net_operator *const operators[] = {OPERATORS(ADDRESS)};
static const char *const names[] = {OPERATORS(TEXT) NULL};

const struct net_operator *operator_find(const char *name)
{
    for (size_t i = 0; names[i]; i++)
        if (strcmp(names[i], name) == 0) return operators[i];
    return NULL;
}

const char *const *operator_names(void)
{
    return names;
}
