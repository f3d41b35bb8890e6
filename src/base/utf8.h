/* UTF-8, from bytes that may be anything. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xfffd };

/* The code point at `text` (length >= 1 bytes) into *code; returns the bytes it takes, 1 to 4. A byte that
 * starts no valid sequence (overlong forms and surrogates included) counts as one UTF8_REPLACEMENT. */
size_t utf8_decode(const char *text, size_t length, uint32_t *code);

/* Writes code point `code` and returns its bytes, 1 to 4; not terminated. */
size_t utf8_encode(uint32_t code, char out[4]);

#endif
