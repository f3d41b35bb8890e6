#include "data/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIGITS_MAX = 19, DIVISOR_MAX = 19, EXACT_POWER_MAX = 22, EXPONENT_LIMIT = 100000, TEXT_MAX = 400 };

static const double powers[EXACT_POWER_MAX + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* clang-format off */
static const uint64_t divisors[DIVISOR_MAX + 1] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u,
    100000000000u, 1000000000000u, 10000000000000u, 100000000000000u, 1000000000000000u,
    10000000000000000u, 100000000000000000u, 1000000000000000000u, 10000000000000000000u,
};
/* clang-format on */

/* What the scan found: (-1)^negative * mantissa * 10^exponent, exact unless digits were dropped. */
struct decimal {
    uint64_t mantissa;
    int64_t exponent;
    bool negative;
    bool dropped;
};

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* 2^exponent, for a normal number's exponent. */
static inline double power_of_two(int exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* mantissa / divisor, rounded to nearest, ties to even: a quotient of at least 55 bits and a sticky one. */
static double divide_exactly(uint64_t mantissa, uint64_t divisor)
{
    int up = __builtin_clzll(mantissa), down = __builtin_clzll(divisor);
    unsigned __int128 numerator = (unsigned __int128)(mantissa << up) << 63;
    uint64_t scaled = divisor << down;
    uint64_t quotient = (uint64_t)(numerator / scaled);
    bool sticky = (uint64_t)numerator != quotient * scaled;
    int shift = 64 - __builtin_clzll(quotient) - 53;
    uint64_t kept = quotient >> shift, half = (uint64_t)1 << (shift - 1);
    uint64_t rest = quotient & (2 * half - 1);
    if (rest > half || (rest == half && (sticky || (kept & 1)))) kept++;
    return (double)kept * power_of_two(shift - 63 + down - up);
}

/* The slow road, for many digits and large exponents. */
static double convert_any(const char *text)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double value = c ? strtod_l(text, NULL, c) : strtod(text, NULL);
    if (c) freelocale(c);
    return value;
}

static double convert(const struct decimal *d, const char *text)
{
    if (d->mantissa == 0 && !d->dropped) return d->negative ? -0.0 : 0.0;
    if (d->dropped) return convert_any(text);
    double value;
    bool small = d->mantissa <= (uint64_t)1 << 53;
    if (small && d->exponent >= 0 && d->exponent <= EXACT_POWER_MAX)
        value = (double)d->mantissa * powers[d->exponent];
    else if (small && d->exponent < 0 && d->exponent >= -EXACT_POWER_MAX)
        value = (double)d->mantissa / powers[-d->exponent];
    else if (d->exponent <= 0 && d->exponent >= -DIVISOR_MAX)
        value = divide_exactly(d->mantissa, divisors[-d->exponent]);
    else
        return convert_any(text);
    return d->negative ? -value : value;
}

/*
 * Appends the digits at p, at most 8, to *mantissa and says how many. Eight bytes are looked at together: the
 * first that is no digit is found, and the digits before it are added up, without a branch a digit.
 */
static inline unsigned append_digits(const char *p, uint64_t *mantissa)
{
    static const uint64_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    uint64_t x;
    memcpy(&x, p, sizeof x);
    x = le64toh(x) ^ 0x3030303030303030u; /* digits are now 0..9 */
    uint64_t others = ((x + 0x7676767676767676u) | x) & 0x8080808080808080u;
    unsigned n = others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
    unsigned half_shift = (8 - n) * 4;
    x = x << half_shift << half_shift; /* leading zeros in place of what follows the digits */
    x = (x * 10 + (x >> 8)) & 0x00ff00ff00ff00ffu;
    x = (x * 100 + (x >> 16)) & 0x0000ffff0000ffffu;
    x = (x * 10000 + (x >> 32)) & 0xffffffffu;
    *mantissa = *mantissa * tens[n] + x;
    return n;
}

static inline const char *scan_digits(const char *p, uint64_t *mantissa)
{
    unsigned n;
    do {
        n = append_digits(p, mantissa);
        p += n;
    } while (n == 8);
    return p;
}

/* The digits before the exponent; NULL when there is not one. */
static inline const char *scan_mantissa(const char *p, struct decimal *d)
{
    uint64_t mantissa = 0;
    const char *start = p;
    p = scan_digits(p, &mantissa);
    ptrdiff_t digits = p - start;
    if (*p == '.') {
        const char *fraction = p + 1;
        p = scan_digits(fraction, &mantissa);
        d->exponent = fraction - p;
        digits += p - fraction;
    }
    if (digits == 0) return NULL;
    d->mantissa = mantissa;
    if (__builtin_expect(digits > DIGITS_MAX, 0)) {
        for (; start < p && (*start == '0' || *start == '.'); start++) digits -= *start == '0';
        d->dropped = digits > DIGITS_MAX;
    }
    return p;
}

static const char *scan_exponent(const char *p, struct decimal *d)
{
    const char *digits = p + 1;
    bool negative = *digits == '-';
    if (*digits == '-' || *digits == '+') digits++;
    if (!is_digit(*digits)) return NULL;
    int64_t exponent = 0;
    for (; is_digit(*digits); digits++)
        if (exponent < EXPONENT_LIMIT) exponent = exponent * 10 + (*digits - '0');
    d->exponent += negative ? -exponent : exponent;
    return digits;
}

static const char *scan_infinity(const char *p, bool negative, double *value)
{
    static const char word[] = "infinity";
    size_t length = 0;
    while (length < 8 && (p[length] | 0x20) == word[length]) length++;
    if (length < 3) return NULL;
    *value = negative ? -INFINITY : INFINITY;
    return p + (length == 8 ? 8 : 3);
}

const char *number_scan(const char *p, double *value)
{
    const char *text = p;
    struct decimal d = {.negative = *p == '-'};
    if (*p == '-' || *p == '+') p++;
    const char *end = scan_mantissa(p, &d);
    if (!end) return scan_infinity(p, d.negative, value);
    if (*end == 'e' || *end == 'E') end = scan_exponent(end, &d);
    if (!end) return NULL;
    *value = convert(&d, text);
    return end;
}

bool number_parse(const char *text, size_t length, double *value)
{
    char copy[TEXT_MAX + 1 + NUMBER_PADDING];
    if (length == 0 || length > TEXT_MAX) return false;
    memcpy(copy, text, length);
    memset(copy + length, 0, 1 + NUMBER_PADDING);
    double parsed;
    if (number_scan(copy, &parsed) != copy + length) return false;
    *value = parsed;
    return true;
}

bool text_is_missing(const char *text, size_t length)
{
    static const char spellings[][5] = {"?",   "NA",   "N/A",  "n/a",  "NaN",  "nan",
                                        "NAN", "<NA>", "#N/A", "null", "NULL", "None"};
    if (length == 0) return true;
    if (length > 4 || !memchr("?Nn<#", *text, 5)) return false;
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++)
        if (strlen(spellings[i]) == length && memcmp(text, spellings[i], length) == 0) return true;
    return false;
}

void number_print(double value, char out[32])
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = c ? uselocale(c) : (locale_t)0;
    value += 0.0; /* -0 is 0 */
    if (fabs(value) <= 0x1p53 && value == floor(value)) {
        snprintf(out, 32, "%.0f", value);
    } else {
        double again = NAN;
        for (int digits = 15; digits <= 17 && again != value; digits++) {
            snprintf(out, 32, "%.*g", digits, value);
            number_parse(out, strlen(out), &again);
        }
    }
    if (c) {
        uselocale(before);
        freelocale(c);
    }
}
