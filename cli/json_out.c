#include "json_out.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"
#include "base/utf8.h"

void json_out_init(struct json_out *out)
{
    *out = (struct json_out){.root = json_object()};
    out->failed = out->root == NULL;
}

void json_out_put(struct json_out *out, const char *key, json_t *value)
{
    if (json_object_set_new(out->root, key, value) != 0) out->failed = true;
}

void json_out_text(struct json_out *out, const char *key, const char *text)
{
    json_out_put(out, key, json_from_text(text));
}

void json_out_count(struct json_out *out, const char *key, uint64_t n)
{
    json_out_put(out, key, json_integer((json_int_t)n));
}

void json_out_number(struct json_out *out, const char *key, double value)
{
    json_out_put(out, key, json_from_number(value));
}

bramble_status json_out_end(struct json_out *out, bramble_error *error)
{
    bool failed = out->failed || json_dumpf(out->root, stdout, JSON_REAL_PRECISION(15)) != 0;
    if (!failed) putchar('\n');
    json_decref(out->root);
    out->root = NULL;
    if (!failed) return BRAMBLE_OK;
    if (ferror(stdout)) return error_set(error, BRAMBLE_ERR_IO, "standard output: cannot write");
    return error_memory(error, "the JSON output");
}

static int append(const char *bytes, size_t length, void *text)
{
    str_append(text, bytes, length);
    return 0;
}

bramble_status json_out_take(struct json_out *out, char **text, bramble_error *error)
{
    struct str line = {0};
    if (out->failed || json_dump_callback(out->root, append, &line, JSON_REAL_PRECISION(15)) != 0)
        line.failed = true;
    json_decref(out->root);
    out->root = NULL;
    char *taken = str_take(&line);
    if (!taken) return error_memory(error, "the JSON output");
    *text = taken;
    return BRAMBLE_OK;
}

json_t *json_from_text(const char *text)
{
    json_t *value = json_string(text);
    if (value) return value;
    struct str repaired = {0};
    size_t left = strlen(text);
    while (left) {
        uint32_t code;
        char bytes[4];
        size_t n = utf8_decode(text, left, &code);
        str_append(&repaired, bytes, utf8_encode(code, bytes));
        text += n;
        left -= n;
    }
    if (!repaired.failed && repaired.data) value = json_stringn(repaired.data, repaired.length);
    str_fini(&repaired);
    return value;
}

json_t *json_from_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}
