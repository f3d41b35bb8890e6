/* Texts and lists of texts to JSON and back; one that is not UTF-8 becomes {"hex": "..."}. */
#ifndef MODEL_TEXT_JSON_H
#define MODEL_TEXT_JSON_H

#include <stdint.h>

#include <jansson.h>

#include <bramble/error.h>

/* NULL when out of memory. */
json_t *text_to_json(const char *text);
json_t *texts_to_json(char *const *texts, uint32_t n);

/* The caller frees what comes out with mem_free, of texts_from_json also after a failure. `name` is the
 * file's, for messages. */
bramble_status text_from_json(char **out, const json_t *json, const char *name, bramble_error *error);
/* At most `max` texts; *out stays NULL when there are none. */
bramble_status texts_from_json(char ***out, uint32_t *n, uint32_t max, const json_t *json, const char *name,
                               bramble_error *error);

#endif
