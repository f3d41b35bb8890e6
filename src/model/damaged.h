/* What is said of a file that claims to be a bramble model and is not sound. */
#ifndef MODEL_DAMAGED_H
#define MODEL_DAMAGED_H

#include <bramble/error.h>

/* "NAME: damaged model: WHAT; take an undamaged copy or train it again", BRAMBLE_ERR_DATA. */
bramble_status model_damaged(bramble_error *error, const char *name, const char *what, ...)
    __attribute__((format(printf, 3, 4)));

#endif
