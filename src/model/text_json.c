#include "model/text_json.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/damaged.h"

static const char digits[] = "0123456789abcdef";

static bool is_utf8(const char *text)
{
    uint32_t code;
    for (size_t left = strlen(text), n; left; left -= n, text += n) {
        n = utf8_decode(text, left, &code);
        if (n == 1 && code == UTF8_REPLACEMENT) return false;
    }
    return true;
}

static json_t *hex_to_json(const char *text)
{
    size_t n = strlen(text);
    char *hex = mem_alloc(n, 2);
    if (!hex) return NULL;
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[(unsigned char)text[i] >> 4];
        hex[2 * i + 1] = digits[text[i] & 15];
    }
    json_t *json = json_pack("{s:s%}", "hex", hex, 2 * n);
    mem_free(hex);
    return json;
}

json_t *text_to_json(const char *text)
{
    return is_utf8(text) ? json_string(text) : hex_to_json(text);
}

json_t *texts_to_json(char *const *texts, uint32_t n)
{
    json_t *array = json_array();
    for (uint32_t i = 0; array && i < n; i++)
        if (json_array_append_new(array, text_to_json(texts[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

/* False when it is no pair of digits, or a zero, which no text holds. */
static bool hex_byte(const char *hex, char *byte)
{
    const char *high = memchr(digits, hex[0], 16), *low = memchr(digits, hex[1], 16);
    if (!high || !low) return false;
    *byte = (char)((high - digits) << 4 | (low - digits));
    return *byte;
}

static bramble_status text_from_hex(char **out, const json_t *json, const char *name, bramble_error *error)
{
    const char *hex = json_string_value(json);
    size_t n = json_string_length(json);
    if (!hex || n % 2) return model_damaged(error, name, "its schema lacks a text");
    char *text = mem_alloc(n / 2 + 1, 1);
    if (!text) return error_memory(error, "a model's schema");
    for (size_t i = 0; i < n / 2; i++)
        if (!hex_byte(hex + 2 * i, &text[i])) {
            mem_free(text);
            return model_damaged(error, name, "its schema has a text that is not hexadecimal");
        }
    text[n / 2] = 0;
    *out = text;
    return BRAMBLE_OK;
}

bramble_status text_from_json(char **out, const json_t *json, const char *name, bramble_error *error)
{
    if (!json_is_string(json)) return text_from_hex(out, json_object_get(json, "hex"), name, error);
    char *text = mem_strndup(json_string_value(json), json_string_length(json));
    if (!text) return error_memory(error, "a model's schema");
    *out = text;
    return BRAMBLE_OK;
}

bramble_status texts_from_json(char ***out, uint32_t *n, uint32_t max, const json_t *json, const char *name,
                               bramble_error *error)
{
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count > max)
        return model_damaged(error, name, "its schema has a list that is missing or of more than %u texts",
                             max);
    if (!count) return BRAMBLE_OK;
    char **texts = mem_zalloc(count, sizeof *texts);
    if (!texts) return error_memory(error, "a model's schema");
    *out = texts;
    *n = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        bramble_status status = text_from_json(&texts[i], json_array_get(json, i), name, error);
        if (status) return status;
    }
    return BRAMBLE_OK;
}
