/*
 * Numbers as text: decimal, with a point whatever the locale says, rounded correctly.
 *
 * A number is [+-] digits [. digits] [e [+-] digits] with at least one digit before the exponent, or "inf" or
 * "infinity" in any case. Hexadecimal, thousands separators and "nan" are not numbers.
 */
#ifndef DATA_NUMBER_H
#define DATA_NUMBER_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { NUMBER_PADDING = 8 };

/*
 * Reads the number that starts at p and returns its end, or NULL when there is none. A byte that cannot be
 * part of a number and NUMBER_PADDING more, all readable, must follow it. What is too large becomes an
 * infinity.
 *
 * Up to 19 digits and a power of ten within 10^-19..10^22 are converted with exact integer or floating-point
 * arithmetic (Clinger, "How to read floating point numbers accurately", PLDI 1990); the rest by strtod.
 */
const char *number_scan(const char *p, double *value);

/* The same for one to three digits, which is what pixels and small counts are; NULL for anything else. */
static inline const char *number_scan_short(const char *p, uint32_t *value)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    x = le32toh(x) ^ 0x30303030u; /* digits are now 0..9 */
    uint32_t others = ((x + 0x76767676u) | x) & 0x80808080u;
    unsigned shift = others ? (unsigned)__builtin_ctz(others) - 7 : 0; /* 8 bits a digit */
    if (shift == 0) return NULL;
    x <<= 32 - shift;
    *value = (x >> 24) + (x >> 16 & 0xff) * 10 + (x >> 8 & 0xff) * 100;
    return p + shift / 8;
}

/* The same for a text of known length, at most 400 bytes, all of which must be the number. */
bool number_parse(const char *text, size_t length, double *value);

/* True for the spellings of a missing value: nothing at all, "NA", "N/A", "NaN", "null", "None", "?" ... */
bool text_is_missing(const char *text, size_t length);

/* Writes the shortest text that reads back as `value` ("3", "-0.5", "1e+30"); value is finite. */
void number_print(double value, char out[32]);

#endif
