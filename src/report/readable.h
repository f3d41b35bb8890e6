/*
 * Numbers and names as people read them: "1,234", "47.0 MB", "3.2 s".
 *
 * Results come by value, so that `printf("%s", readable_count(n).text)` needs no buffer.
 */
#ifndef REPORT_READABLE_H
#define REPORT_READABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { READABLE_COLUMNS_MAX = 48 };

struct readable {
    char text[4 * READABLE_COLUMNS_MAX + 1]; /* UTF-8, printable, one line */
};

struct readable readable_count(uint64_t n);                                    /* "1,234,567" */
struct readable readable_items(uint64_t n, const char *one, const char *many); /* "1 row", "1,234 rows" */
struct readable readable_bytes(double bytes);     /* "999 bytes", "47.0 MB" (a MB is a million bytes) */
struct readable readable_seconds(double seconds); /* "45 ms", "3.2 s", "2 min 05 s", "1 h 02 min" */
struct readable readable_percent(double share);   /* 0.8771 is "87.71 %" */
struct readable readable_number(double value);    /* six significant digits, "-" for NaN */
struct readable readable_rate(double per_second); /* three significant digits at least: "0.25", "1,234" */
unsigned readable_columns(const char *text);      /* characters in `text`, a column each */

/* All of `text` made safe to print, as below but whatever its length; line ends stay when `lines` is true. */
void readable_write(FILE *out, const char *text, bool lines);

/* `text` made safe to print and cut to `columns` (at most READABLE_COLUMNS_MAX) with a final "..". */
struct readable readable_name(const char *text, unsigned columns);

#endif
