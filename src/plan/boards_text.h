/* boards.json as it was when the library was built. */
#ifndef PLAN_BOARDS_TEXT_H
#define PLAN_BOARDS_TEXT_H

#include <stddef.h>

extern const char boards_text[]; /* without a terminator */
extern const size_t boards_text_length;

#endif
