/*
 * Numbers as text: decimal, with a point whatever the locale says, rounded correctly.
 *
 * A number is [+-] digits [. digits] [e [+-] digits] with at least one digit before the exponent, or "inf" or
 * "infinity" in any case. Hexadecimal, thousands separators and "nan" are not numbers.
 */
#ifndef DATA_NUMBER_H
#define DATA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

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

/* The same for a text of known length, at most 400 bytes, all of which must be the number. */
bool number_parse(const char *text, size_t length, double *value);

/* True for the spellings of a missing value: nothing at all, "NA", "N/A", "NaN", "null", "None", "?" ... */
bool text_is_missing(const char *text, size_t length);

/* Writes the shortest text that reads back as `value` ("3", "-0.5", "1e+30"); value is finite. */
void number_print(double value, char out[32]);

#endif
