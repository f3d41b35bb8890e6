#include "values.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"
#include "base/suggest.h"

/* "at least 1", "above 0 and below 1", ... into words. */
static void describe_range(const struct option *option, char *words, size_t size)
{
    int n = snprintf(words, size, "%s %.10g", option->above_min ? "above" : "at least", option->min);
    if (option->max > 0)
        snprintf(words + n, size - (size_t)n, " and %s %.10g", option->below_max ? "below" : "at most",
                 option->max);
}

static bramble_status refuse(const struct option *option, const char *text, const char *kind,
                             bramble_error *error)
{
    char range[80];
    describe_range(option, range, sizeof range);
    return error_set(error, BRAMBLE_ERR_USAGE, "--%s: \"%.60s\" is not %s %s", option->name, text, kind,
                     range);
}

static bool in_range(const struct option *option, double value)
{
    if (option->above_min ? value <= option->min : value < option->min) return false;
    if (option->max <= 0) return true;
    return option->below_max ? value < option->max : value <= option->max;
}

/* Digits only; false when there are others, none, or too many. */
static bool parse_whole(const char *text, uint64_t *value)
{
    if (!*text || strspn(text, "0123456789") != strlen(text)) return false;
    errno = 0;
    *value = strtoull(text, NULL, 10);
    return errno == 0;
}

static bramble_status set_count(const struct option *option, const char *text, void *field,
                                bramble_error *error)
{
    uint64_t value;
    if (!parse_whole(text, &value) || value > UINT32_MAX || !in_range(option, (double)value))
        return refuse(option, text, "a whole number", error);
    *(uint32_t *)field = (uint32_t)value;
    return BRAMBLE_OK;
}

static bramble_status set_seed(const struct option *option, const char *text, void *field,
                               bramble_error *error)
{
    uint64_t value;
    if (!parse_whole(text, &value) || value > INT64_MAX)
        return error_set(error, BRAMBLE_ERR_USAGE, "--%s: \"%.60s\" is not a whole number from 0 to 2^63 - 1",
                         option->name, text);
    *(uint64_t *)field = value;
    return BRAMBLE_OK;
}

static bramble_status set_number(const struct option *option, const char *text, void *field,
                                 bramble_error *error)
{
    char *end;
    double value = strtod(text, &end);
    bool plain = *text && strspn(text, "0123456789.eE+-") == strlen(text);
    if (!plain || *end || !isfinite(value) || !in_range(option, value))
        return refuse(option, text, "a number", error);
    *(double *)field = value;
    return BRAMBLE_OK;
}

/* *end is what follows the digits; 0 when there are none, or too many. */
static uint32_t parse_side(const char *text, const char **end)
{
    uint64_t value = 0;
    for (*end = text; **end >= '0' && **end <= '9'; ++*end)
        if (value <= UINT32_MAX) value = 10 * value + (uint64_t)(**end - '0');
    return value <= UINT32_MAX ? (uint32_t)value : 0;
}

static bramble_status set_size(const struct option *option, const char *text, void *field,
                               bramble_error *error)
{
    const char *end;
    uint32_t height = parse_side(text, &end), width = *end == 'x' ? parse_side(end + 1, &end) : 0;
    if (!height || !width || *end)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "--%s: \"%.60s\" is not a height and a width in pixels, as in 28x32", option->name,
                         text);
    ((uint32_t *)field)[0] = height;
    ((uint32_t *)field)[1] = width;
    return BRAMBLE_OK;
}

static bramble_status refuse_choice(const struct option *option, const char *text, bramble_error *error)
{
    struct suggestion near = suggestion_begin(text);
    struct str words = {0};
    for (const struct choice *c = option->choices; c->word; c++) {
        suggestion_offer(&near, c->word);
        str_printf(&words, "%s%s", c == option->choices ? "" : c[1].word ? ", " : " or ", c->word);
    }
    error_set(error, BRAMBLE_ERR_USAGE, "--%s: \"%.60s\" is not %s%s%s%s", option->name, text,
              words.failed ? "a choice" : words.data, near.word ? "; did you mean " : "",
              near.word ? near.word : "", near.word ? "?" : "");
    str_fini(&words);
    return BRAMBLE_ERR_USAGE;
}

static bramble_status set_word(const struct option *option, const char *text, void *field,
                               bramble_error *error)
{
    const struct choice *choice = option->choices;
    while (choice && choice->word && strcmp(choice->word, text) != 0) choice++;
    if (choice && !choice->word) return refuse_choice(option, text, error);
    if (option->kind == OPTION_CHOICE)
        *(int *)field = choice->value;
    else if (!*text)
        return error_set(error, BRAMBLE_ERR_USAGE, "--%s: the value is empty", option->name);
    else
        *(const char **)field = text;
    return BRAMBLE_OK;
}

bramble_status word_list_add(struct word_list *list, const char *word, bramble_error *error)
{
    if (list->n == WORD_LIST_MAX)
        return error_set(error, BRAMBLE_ERR_USAGE, "\"%.60s\": more than %d of them", word, WORD_LIST_MAX);
    list->words[list->n++] = word;
    return BRAMBLE_OK;
}

bramble_status value_set(const struct option *option, const char *text, bool on, void *values,
                         bramble_error *error)
{
    void *field = (char *)values + option->offset;
    switch (option->kind) {
    case OPTION_FLAG: *(bool *)field = true; return BRAMBLE_OK;
    case OPTION_TOGGLE: *(int *)field = on; return BRAMBLE_OK;
    case OPTION_COUNT: return set_count(option, text, field, error);
    case OPTION_SEED: return set_seed(option, text, field, error);
    case OPTION_NUMBER: return set_number(option, text, field, error);
    case OPTION_SIZE: return set_size(option, text, field, error);
    case OPTION_LIST:
        if (*text) return word_list_add(field, text, error);
        break;
    case OPTION_TEXT:
    case OPTION_CHOICE: break;
    }
    return set_word(option, text, field, error);
}
