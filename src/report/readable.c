#include "report/readable.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/utf8.h"

struct readable readable_count(uint64_t n)
{
    struct readable r = {{0}};
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, n);
    char *out = r.text;
    for (int i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) *out++ = ',';
        *out++ = digits[i];
    }
    return r;
}

struct readable readable_items(uint64_t n, const char *one, const char *many)
{
    struct readable r;
    snprintf(r.text, sizeof r.text, "%.32s %.64s", readable_count(n).text, n == 1 ? one : many);
    return r;
}

struct readable readable_bytes(double bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB"};
    struct readable r;
    if (bytes < 1000) {
        snprintf(r.text, sizeof r.text, "%.0f byte%s", bytes, bytes == 1 ? "" : "s");
        return r;
    }
    unsigned unit = 0;
    for (bytes /= 1000; bytes >= 999.95 && unit < 4; unit++) bytes /= 1000;
    snprintf(r.text, sizeof r.text, "%.1f %s", bytes, units[unit]);
    return r;
}

struct readable readable_seconds(double seconds)
{
    struct readable r;
    if (!(seconds >= 0)) seconds = 0;
    if (seconds < 0.001)
        snprintf(r.text, sizeof r.text, "%.1f ms", seconds * 1e3);
    else if (seconds < 0.9995)
        snprintf(r.text, sizeof r.text, "%.0f ms", seconds * 1e3);
    else if (seconds < 59.95)
        snprintf(r.text, sizeof r.text, "%.1f s", seconds);
    else if (seconds < 3599.5)
        snprintf(r.text, sizeof r.text, "%d min %02d s", (int)(seconds + 0.5) / 60,
                 (int)(seconds + 0.5) % 60);
    else
        snprintf(r.text, sizeof r.text, "%.0f h %02d min", floor(seconds / 3600),
                 (int)(fmod(seconds, 3600) / 60));
    return r;
}

struct readable readable_percent(double share)
{
    struct readable r;
    if (isnan(share))
        snprintf(r.text, sizeof r.text, "-");
    else
        snprintf(r.text, sizeof r.text, "%.2f %%", share * 100);
    return r;
}

struct readable readable_number(double value)
{
    struct readable r;
    if (isnan(value))
        snprintf(r.text, sizeof r.text, "-");
    else
        snprintf(r.text, sizeof r.text, "%.6g", value);
    return r;
}

struct readable readable_rate(double per_second)
{
    if (per_second >= 99.95 && per_second < 1e15) return readable_count((uint64_t)(per_second + 0.5));
    struct readable r;
    snprintf(r.text, sizeof r.text, per_second >= 9.995 ? "%.1f" : "%.2f", per_second);
    return r;
}

unsigned readable_columns(const char *text)
{
    unsigned columns = 0;
    size_t length = strlen(text);
    for (uint32_t code; length; columns++) {
        size_t n = utf8_decode(text, length, &code);
        text += n;
        length -= n;
    }
    return columns;
}

/* Control characters could rewrite a terminal, and direction marks what stands beside them. */
static uint32_t printable(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return '?';
    if ((code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e)) return '?';
    return code >= 0x2066 && code <= 0x2069 ? '?' : code;
}

struct readable readable_name(const char *text, unsigned columns)
{
    struct readable r;
    if (columns > READABLE_COLUMNS_MAX) columns = READABLE_COLUMNS_MAX;
    bool cut = readable_columns(text) > columns;
    unsigned keep = !cut ? columns : columns > 2 ? columns - 2 : 0;
    size_t length = strlen(text), used = 0;
    for (uint32_t code; length && keep; keep--) {
        size_t n = utf8_decode(text, length, &code);
        text += n;
        length -= n;
        used += utf8_encode(printable(code), r.text + used);
    }
    for (unsigned i = 0; cut && i < 2 && i < columns; i++) r.text[used++] = '.';
    r.text[used] = 0;
    return r;
}

void readable_write(FILE *out, const char *text, bool lines)
{
    size_t length = strlen(text);
    for (uint32_t code; length;) {
        char bytes[4];
        size_t n = utf8_decode(text, length, &code);
        size_t safe = utf8_encode(lines && code == '\n' ? code : printable(code), bytes);
        fwrite(bytes, 1, safe, out);
        text += n;
        length -= n;
    }
}
