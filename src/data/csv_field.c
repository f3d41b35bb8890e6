#include <endian.h>
#include <string.h>

#include "base/utf8.h"
#include "data/csv.h"
#include "data/number.h"

const char *csv_newline_skip(const char *p)
{
    return p + (p[0] == '\r' && p[1] == '\n' ? 2 : 1);
}

static inline bool ends_field(char c, char delimiter)
{
    return c == delimiter || c == '\n' || c == '\r' || c == 0;
}

static const char *skip_blanks(const char *p)
{
    while (*p == ' ') p++;
    return p;
}

/* p: where a delimiter, newline or 0 stands. */
static enum csv_result close_field(const char *p, const char *limit, struct csv_field *field)
{
    field->end = p;
    if (*p) return CSV_FIELD;
    return p == limit ? CSV_MORE : CSV_NUL;
}

static enum csv_result scan_quoted(const char *p, const char *limit, char delimiter, struct csv_field *field)
{
    field->text = ++p;
    for (;;) {
        p = memchr(p, '"', (size_t)(limit - p));
        if (!p) return CSV_MORE;
        if (p[1] != '"') break;
        field->doubled = true;
        p += 2;
    }
    field->length = (size_t)(p - field->text);
    p = skip_blanks(p + 1);
    if (!ends_field(*p, delimiter)) return CSV_QUOTE;
    enum csv_result result = close_field(p, limit, field);
    if (result == CSV_FIELD && memchr(field->text, 0, field->length)) return CSV_NUL;
    return result;
}

enum csv_result csv_field_scan(const char *p, const char *limit, char delimiter, struct csv_field *field)
{
    p = skip_blanks(p);
    field->doubled = false;
    field->quoted = *p == '"';
    if (field->quoted) return scan_quoted(p, limit, delimiter, field);
    field->text = p;
    while (!ends_field(*p, delimiter)) p++;
    const char *last = p;
    while (last > field->text && last[-1] == ' ') last--;
    field->length = (size_t)(last - field->text);
    return close_field(p, limit, field);
}

enum csv_value csv_field_value(const struct csv_field *field, double *number)
{
    if (text_is_missing(field->text, field->length)) return CSV_MISSING;
    double value;
    if (number_scan(field->text, &value) != field->text + field->length) return CSV_TEXT;
    *number = value;
    return CSV_NUMBER;
}

/* May look at 7 bytes behind the text, which CSV_PADDING allows. */
static bool is_ascii(const char *text, size_t length)
{
    uint64_t all = 0, word;
    for (size_t i = 0; i < length; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        word = le64toh(word);
        if (length - i < sizeof word) word <<= (sizeof word - (length - i)) * 8;
        all |= word;
    }
    return (all & 0x8080808080808080u) == 0;
}

static bool is_utf8(const char *text, size_t length)
{
    for (size_t i = 0, n; i < length; i += n) {
        uint32_t code;
        n = utf8_decode(text + i, length - i, &code);
        if (code == UTF8_REPLACEMENT && n == 1) return false;
    }
    return true;
}

bool csv_field_text(const struct csv_field *field, struct str *scratch, const char **text, size_t *length)
{
    bool latin = !is_ascii(field->text, field->length) && !is_utf8(field->text, field->length);
    *text = field->text;
    *length = field->length;
    if (!latin && !field->doubled) return true;
    scratch->length = 0;
    for (size_t i = 0; i < field->length; i++) {
        char c = field->text[i], character[4];
        size_t n = latin ? utf8_encode((unsigned char)c, character) : 1;
        str_append(scratch, latin ? character : &c, n);
        if (c == '"' && field->doubled) i++;
    }
    *text = scratch->data;
    *length = scratch->length;
    return !scratch->failed;
}
