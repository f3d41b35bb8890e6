#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "predictions.h"

enum { PREAMBLE_BYTES = 10, ALIGNMENT = 64 };

/* "12" and "-3", but not "012": what an int64 gives back. */
static bool parse_label(const char *text, int64_t *value)
{
    char *end, again[24];
    errno = 0;
    *value = strtoll(text, &end, 10);
    if (errno || end == text || *end) return false;
    snprintf(again, sizeof again, "%" PRId64, *value);
    return strcmp(again, text) == 0;
}

static bool labels_are_whole(const struct predictions *p)
{
    int64_t value;
    for (uint32_t c = 0; c < p->n_classes; c++)
        if (!parse_label(bramble_schema_class_name(p->schema, c), &value)) return false;
    return true;
}

static size_t count_characters(const char *text)
{
    size_t n = 0, length = strlen(text);
    for (uint32_t code; length; n++) {
        size_t taken = utf8_decode(text, length, &code);
        text += taken;
        length -= taken;
    }
    return n;
}

/* Characters of the longest class name, at least 1. */
static size_t label_width(const struct predictions *p)
{
    size_t width = 1;
    for (uint32_t c = 0; c < p->n_classes; c++) {
        size_t n = count_characters(bramble_schema_class_name(p->schema, c));
        if (n > width) width = n;
    }
    return width;
}

static void put_u32(struct str *out, uint32_t value)
{
    char bytes[4] = {(char)value, (char)(value >> 8), (char)(value >> 16), (char)(value >> 24)};
    str_append(out, bytes, sizeof bytes);
}

static void put_float(struct str *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_u32(out, bits);
}

static void put_whole(struct str *out, int64_t value)
{
    put_u32(out, (uint32_t)value);
    put_u32(out, (uint32_t)((uint64_t)value >> 32));
}

/* UTF-32, padded with zeros. */
static void put_label(struct str *out, const char *text, size_t width)
{
    size_t length = strlen(text);
    for (; width; width--) {
        uint32_t code = 0;
        size_t taken = length ? utf8_decode(text, length, &code) : 0;
        text += taken;
        length -= taken;
        put_u32(out, code);
    }
}

static void describe(const struct predictions *p, char *header, size_t size)
{
    char type[32] = "<f4", shape[64];
    snprintf(shape, sizeof shape, "(%zu,)", p->n_rows);
    if (p->shares)
        snprintf(shape, sizeof shape, "(%zu, %" PRIu32 ")", p->n_rows, p->n_classes);
    else if (p->n_classes && labels_are_whole(p))
        snprintf(type, sizeof type, "<i8");
    else if (p->n_classes)
        snprintf(type, sizeof type, "<U%zu", label_width(p));
    snprintf(header, size, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
}

static void npy_head(const struct predictions *p, struct str *out)
{
    char header[160];
    describe(p, header, sizeof header);
    size_t length = strlen(header) + 1; /* with its newline */
    size_t padded = (PREAMBLE_BYTES + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - PREAMBLE_BYTES;
    char preamble[PREAMBLE_BYTES] = {(char)0x93, 'N', 'U', 'M',          'P',
                                     'Y',        1,   0,   (char)padded, (char)(padded >> 8)};
    str_append(out, preamble, sizeof preamble);
    str_printf(out, "%s%*s\n", header, (int)(padded - length), "");
}

static void npy_rows(const struct predictions *p, size_t begin, size_t end, struct str *out)
{
    bool whole = p->n_classes && !p->shares && labels_are_whole(p);
    size_t width = p->n_classes && !p->shares && !whole ? label_width(p) : 0;
    for (size_t row = begin; row < end; row++) {
        for (uint32_t c = 0; p->shares && c < p->n_classes; c++)
            put_float(out, p->shares[row * p->n_classes + c]);
        if (p->shares) continue;
        const char *label =
            width || whole ? bramble_schema_class_name(p->schema, (uint32_t)p->values[row]) : NULL;
        int64_t value = 0;
        if (whole && parse_label(label, &value))
            put_whole(out, value);
        else if (label)
            put_label(out, label, width);
        else
            put_float(out, (float)p->values[row]);
    }
}

const struct prediction_format prediction_npy = {".npy", npy_head, npy_rows};
