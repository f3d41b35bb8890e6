#include <string.h>

#include "predictions.h"

/* A field, in quotes where a comma, a quote, a line's end or a space at either end asks for them. */
static void put_field(struct str *out, const char *text)
{
    size_t length = strlen(text);
    bool plain = length && !strpbrk(text, ",\"\r\n") && text[0] != ' ' && text[length - 1] != ' ';
    if (plain) {
        str_append(out, text, length);
        return;
    }
    str_puts(out, "\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"') str_puts(out, "\"");
        str_append(out, c, 1);
    }
    str_puts(out, "\"");
}

static void csv_head(const struct predictions *p, struct str *out)
{
    if (!p->shares) str_puts(out, "prediction");
    for (uint32_t c = 0; p->shares && c < p->n_classes; c++) {
        if (c) str_puts(out, ",");
        put_field(out, bramble_schema_class_name(p->schema, c));
    }
    str_puts(out, "\n");
}

static void csv_rows(const struct predictions *p, size_t begin, size_t end, struct str *out)
{
    for (size_t row = begin; row < end; row++) {
        for (uint32_t c = 0; p->shares && c < p->n_classes; c++)
            str_printf(out, c ? ",%.9g" : "%.9g", p->shares[row * p->n_classes + c]);
        if (!p->shares && p->n_classes)
            put_field(out, bramble_schema_class_name(p->schema, (uint32_t)p->values[row]));
        else if (!p->shares)
            str_printf(out, "%.9g", p->values[row]);
        str_puts(out, "\n");
    }
}

const struct prediction_format prediction_csv = {".csv", csv_head, csv_rows};
