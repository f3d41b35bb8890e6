/* Arrays in files that are used as they lie: little-endian, each from a 64-byte boundary on. */
#ifndef DATA_SECTIONS_H
#define DATA_SECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/outfile.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "files of arrays are used as they are: little-endian processors only"
#endif

/* Room for n items behind *end, which moves behind them. False: more than a size_t holds. */
static inline bool section_place(size_t *end, uint64_t n, size_t size, size_t *begin)
{
    size_t bytes;
    if (__builtin_add_overflow(*end, 63, begin)) return false;
    *begin &= ~(size_t)63;
    return !__builtin_mul_overflow(n, size, &bytes) && !__builtin_add_overflow(*begin, bytes, end);
}

/* A file while it is written from its beginning on. */
struct section_writer {
    struct outfile *file;
    size_t at;
};

void section_put(struct section_writer *writer, const void *bytes, size_t length);
void section_pad(struct section_writer *writer, size_t at); /* with zeros, to where a section begins */

#endif
