/* A line of a layer list into a struct layer. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/suggest.h"
#include "data/number.h"
#include "net/layer.h"

enum { WORD_MAX = 40, WINDOW_MAX = 255 };

/* What is still to be read of a line. */
struct words {
    const char *file;
    uint32_t line;
    const char *at, *end;
    char word[WORD_MAX + 1]; /* the one read last; "" at the end of the line */
};

bramble_status layer_refuse(const char *file, uint32_t line, bramble_error *error, const char *format, ...)
{
    char text[sizeof error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return error_set(error, BRAMBLE_ERR_DATA, "%.120s:%u: %s", file, line, text);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bramble_status next_word(struct words *w, bramble_error *error)
{
    while (w->at < w->end && is_blank(*w->at)) w->at++;
    const char *begin = w->at;
    while (w->at < w->end && !is_blank(*w->at)) w->at++;
    size_t length = (size_t)(w->at - begin);
    if (length > WORD_MAX)
        return layer_refuse(w->file, w->line, error, "\"%.*s...\" is too long for a word of a layer list",
                            WORD_MAX, begin);
    memcpy(w->word, begin, length);
    w->word[length] = 0;
    return BRAMBLE_OK;
}

/* The word read last is not what it should be. */
static bramble_status refuse_word(const struct words *w, const struct layer *layer, bramble_error *error,
                                  const char *wanted)
{
    const struct layer_kind *kind = layer->kind;
    char usage[160];
    snprintf(usage, sizeof usage, "%s%s%s", kind->name, *kind->arguments ? " " : "", kind->arguments);
    if (!*w->word)
        return layer_refuse(w->file, w->line, error, "%s ends where %s should stand; write: %s", kind->name,
                            wanted, usage);
    return layer_refuse(w->file, w->line, error, "\"%s\" stands where %s should; write: %s", w->word, wanted,
                        usage);
}

/* 1 to 7 digits at *text, within 0..most; *text goes behind them. */
static bool scan_count(const char **text, uint32_t most, uint32_t *count)
{
    uint32_t digits = 0, number = 0;
    for (; **text >= '0' && **text <= '9'; ++*text)
        if (++digits <= 7) number = number * 10 + (uint32_t)(**text - '0');
    *count = number;
    return digits >= 1 && digits <= 7 && number <= most;
}

static bramble_status parse_count(struct words *w, const struct layer *layer, uint32_t most, uint32_t *count,
                                  bramble_error *error)
{
    char wanted[64];
    bramble_status status = next_word(w, error);
    if (status) return status;
    const char *text = w->word;
    if (scan_count(&text, most, count) && !*text && *count) return BRAMBLE_OK;
    snprintf(wanted, sizeof wanted, "a whole number from 1 to %u", most);
    return refuse_word(w, layer, error, wanted);
}

static bramble_status parse_units(struct words *w, struct layer *layer, bramble_error *error)
{
    struct words ahead = *w;
    bramble_status status = next_word(&ahead, error);
    if (status || strcmp(ahead.word, "outputs") != 0)
        return status ? status : parse_count(w, layer, LAYER_LIST_NUMBER, &layer->units, error);
    *w = ahead;
    layer->units = LAYER_OUTPUTS;
    return BRAMBLE_OK;
}

/* 3, or 3x5. */
static bool scan_pair(const char *text, uint32_t least, uint32_t pair[2])
{
    if (!scan_count(&text, WINDOW_MAX, &pair[0])) return false;
    pair[1] = pair[0];
    if (*text == 'x' && (text++, !scan_count(&text, WINDOW_MAX, &pair[1]))) return false;
    return !*text && pair[0] >= least && pair[1] >= least;
}

static bramble_status parse_pair(struct words *w, const struct layer *layer, uint32_t least, uint32_t pair[2],
                                 bramble_error *error)
{
    char wanted[64];
    bramble_status status = next_word(w, error);
    if (status || scan_pair(w->word, least, pair)) return status;
    snprintf(wanted, sizeof wanted, "a size as 3 or 3x5, from %u to %d", least, WINDOW_MAX);
    return refuse_word(w, layer, error, wanted);
}

static bramble_status parse_shape(struct words *w, struct layer *layer, bramble_error *error)
{
    bramble_status status = next_word(w, error);
    if (status) return status;
    const char *text = w->word;
    struct net_shape *shape = &layer->shape;
    for (shape->rank = 0; shape->rank < NET_RANK_MAX; text++) {
        uint32_t *dim = &shape->dim[shape->rank];
        if (!scan_count(&text, LAYER_LIST_NUMBER, dim) || !*dim) break;
        shape->rank++;
        if (*text != 'x') break;
    }
    bool ends_well = *w->word && w->word[strlen(w->word) - 1] != 'x';
    if (!*text && shape->rank && ends_well) return BRAMBLE_OK;
    return refuse_word(w, layer, error, "a shape of 1 to 5 whole numbers, as 28x28,");
}

static bramble_status parse_number(struct words *w, const struct layer *layer, double least, double below,
                                   const char *wanted, double *number, bramble_error *error)
{
    bramble_status status = next_word(w, error);
    if (status) return status;
    double x = NAN;
    bool is_number = *w->word && number_parse(w->word, strlen(w->word), &x);
    if (!is_number || !(x >= least && x < below)) return refuse_word(w, layer, error, wanted);
    *number = x;
    return BRAMBLE_OK;
}

static bramble_status parse_slope(struct words *w, struct layer *layer, bramble_error *error)
{
    struct words ahead = *w;
    bramble_status status = next_word(&ahead, error);
    if (status || !*ahead.word) return status;
    return parse_number(w, layer, -1e6, 1e6, "a slope, as 0.1,", &layer->slope, error);
}

static bramble_status parse_argument(struct words *w, struct layer *layer, uint32_t place,
                                     bramble_error *error)
{
    switch (layer->kind->argument[place]) {
    case ARGUMENT_UNITS: return parse_units(w, layer, error);
    case ARGUMENT_COUNT:
        return parse_count(w, layer, LAYER_LIST_NUMBER, place ? &layer->more : &layer->units, error);
    case ARGUMENT_KERNEL: return parse_pair(w, layer, 1, layer->kernel, error);
    case ARGUMENT_SHAPE: return parse_shape(w, layer, error);
    case ARGUMENT_RATE: return parse_number(w, layer, 0, 1, "a share from 0 to below 1", &layer->rate, error);
    case ARGUMENT_SLOPE: return parse_slope(w, layer, error);
    case ARGUMENT_NONE: break;
    }
    return BRAMBLE_OK;
}

static bramble_status parse_pad(struct words *w, struct layer *layer, bramble_error *error)
{
    bramble_status status = next_word(w, error);
    if (status) return status;
    layer->pad_same = strcmp(w->word, "same") == 0;
    if (layer->pad_same || scan_pair(w->word, 0, layer->pad)) return BRAMBLE_OK;
    return refuse_word(w, layer, error, "same, or a size as 1 or 1x2 up to 255,");
}

static bramble_status parse_option(struct words *w, struct layer *layer, enum layer_option option,
                                   bramble_error *error)
{
    switch (option) {
    case OPTION_STRIDE: return parse_pair(w, layer, 1, layer->stride, error);
    case OPTION_DILATION: return parse_pair(w, layer, 1, layer->dilation, error);
    case OPTION_PAD: return parse_pad(w, layer, error);
    case OPTION_GROUPS: return parse_count(w, layer, LAYER_LIST_NUMBER, &layer->groups, error);
    case OPTION_MOMENTUM:
        return parse_number(w, layer, 0, 1, "the share of a new mean, from 0 to below 1,", &layer->momentum,
                            error);
    case OPTION_EPSILON:
        return parse_number(w, layer, 1e-30, 1, "a small number, as 1e-5,", &layer->epsilon, error);
    default: return BRAMBLE_OK;
    }
}

static const struct {
    const char *word;
    enum layer_option option;
} options[] = {
    {"stride", OPTION_STRIDE},   {"pad", OPTION_PAD},         {"dilation", OPTION_DILATION},
    {"groups", OPTION_GROUPS},   {"nobias", OPTION_NOBIAS},   {"momentum", OPTION_MOMENTUM},
    {"epsilon", OPTION_EPSILON}, {"reverse", OPTION_REVERSE}, {"bidirectional", OPTION_BIDIRECTIONAL},
    {"last", OPTION_LAST},
};
enum { N_OPTIONS = sizeof options / sizeof *options };

static const struct layer_kind *find_kind(const char *name)
{
    for (const struct layer_kind *kind = layer_kinds; kind->name; kind++)
        if (strcmp(kind->name, name) == 0) return kind;
    return NULL;
}

/* What the word read last means behind the arguments; 0 when it may not stand there. */
static enum layer_option option_of(const struct words *w, const struct layer_kind *kind,
                                   const struct layer_kind **activation)
{
    const struct layer_kind *named = find_kind(w->word);
    for (unsigned i = 0; i < N_OPTIONS; i++)
        if (strcmp(options[i].word, w->word) == 0) return options[i].option & kind->options;
    if (!named || !named->op) return 0;
    *activation = named;
    return OPTION_ACTIVATION & kind->options;
}

static bramble_status refuse_option(const struct words *w, const struct layer *layer, bramble_error *error)
{
    struct suggestion near = suggestion_begin(w->word);
    for (unsigned i = 0; i < N_OPTIONS; i++)
        if (layer->kind->options & options[i].option) suggestion_offer(&near, options[i].word);
    for (const struct layer_kind *k = layer_kinds; k->name; k++)
        if (k->op && layer->kind->options & OPTION_ACTIVATION) suggestion_offer(&near, k->name);
    if (near.word)
        return layer_refuse(w->file, w->line, error, "%s takes no \"%s\"; did you mean %s?",
                            layer->kind->name, w->word, near.word);
    return layer_refuse(w->file, w->line, error, "%s takes no \"%s\"; write: %s %s", layer->kind->name,
                        w->word, layer->kind->name, layer->kind->arguments);
}

static bramble_status parse_options(struct words *w, struct layer *layer, bramble_error *error)
{
    for (;;) {
        const struct layer_kind *activation = NULL;
        bramble_status status = next_word(w, error);
        if (status || !*w->word) return status;
        enum layer_option option = option_of(w, layer->kind, &activation);
        if (!option) return refuse_option(w, layer, error);
        if (layer->given & option)
            return layer_refuse(w->file, w->line, error, "\"%s\" says again what has been said; leave it out",
                                w->word);
        layer->given |= option;
        if (activation) layer->activation = activation;
        status = parse_option(w, layer, option, error);
        if (status) return status;
    }
}

static bramble_status refuse_kind(const struct words *w, bramble_error *error)
{
    struct suggestion near = suggestion_begin(w->word);
    for (const struct layer_kind *k = layer_kinds; k->name; k++) suggestion_offer(&near, k->name);
    if (near.word)
        return layer_refuse(w->file, w->line, error, "there is no layer \"%s\"; did you mean %s?", w->word,
                            near.word);
    char list[300];
    size_t length = 0;
    for (const struct layer_kind *k = layer_kinds; k->name; k++)
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", length ? ", " : "", k->name);
    return layer_refuse(w->file, w->line, error, "there is no layer \"%s\"; there are %s", w->word, list);
}

bramble_status layer_parse(struct layer *layer, const char *file, uint32_t line, const char *text,
                           size_t length, bramble_error *error)
{
    struct words w = {.file = file, .line = line, .at = text, .end = text + length};
    *layer = (struct layer){.line = line,
                            .stride = {1, 1},
                            .dilation = {1, 1},
                            .groups = 1,
                            .slope = 0.01,
                            .momentum = 0.1,
                            .epsilon = 1e-5};
    bramble_status status = next_word(&w, error);
    if (status || !*w.word) return status;
    layer->kind = find_kind(w.word);
    if (!layer->kind) return refuse_kind(&w, error);
    for (uint32_t i = 0; i < 2 && !status; i++) status = parse_argument(&w, layer, i, error);
    if (!status) status = parse_options(&w, layer, error);
    if (!status && (layer->given & OPTION_REVERSE) && (layer->given & OPTION_BIDIRECTIONAL))
        return layer_refuse(file, line, error, "bidirectional goes in reverse too; leave out reverse");
    return status;
}
