/* The object that --json prints. Failures stick and are reported by the end. */
#ifndef CLI_JSON_OUT_H
#define CLI_JSON_OUT_H

#include <bramble/error.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct json_out {
    json_t *root;
    bool failed; /* an allocation did */
};

void json_out_init(struct json_out *out);
void json_out_put(struct json_out *out, const char *key,
                  json_t *value); /* takes `value` over; NULL: failed */
void json_out_text(struct json_out *out, const char *key, const char *text);
void json_out_count(struct json_out *out, const char *key, uint64_t n);
void json_out_number(struct json_out *out, const char *key, double value); /* NaN and infinities: null */

/* Prints the object on one line of stdout, unless something failed; releases it either way. */
bramble_status json_out_end(struct json_out *out, bramble_error *error);

/* The object as a text of one line, for *text (mem_free it); releases it either way. */
bramble_status json_out_take(struct json_out *out, char **text, bramble_error *error);

/* Values for lists: bytes that are no UTF-8 become U+FFFD; NaN becomes null. NULL when out of memory. */
json_t *json_from_text(const char *text);
json_t *json_from_number(double value);

#endif
