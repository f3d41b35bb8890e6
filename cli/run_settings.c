#include "run_settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "options.h"

bramble_status run_settings_read(struct run_settings *out, const bramble_run_info *run, bramble_error *error)
{
    *out = (struct run_settings){0};
    int n_words = 0;
    char *const *words = (char *const *)run->words;
    const struct command *command = run->n_words ? command_find(words, &n_words) : NULL;
    if (!command || !command->run) return BRAMBLE_OK;
    void *values = mem_zalloc(1, command->values_size);
    if (!values) return error_memory(error, "a run's settings");
    bool help;
    if (options_parse(command, words + n_words, values, &help, NULL) || help) {
        mem_free(values);
        return BRAMBLE_OK;
    }
    *out = (struct run_settings){command, values};
    return BRAMBLE_OK;
}

void run_settings_fini(struct run_settings *settings)
{
    mem_free(settings->values);
    *settings = (struct run_settings){0};
}

static const char *choice_word(const struct choice *choices, int value)
{
    for (const struct choice *c = choices; c && c->word; c++)
        if (c->value == value) return c->word;
    return "-";
}

static void put_list(const struct word_list *list, char *buffer, size_t size)
{
    size_t used = (size_t)snprintf(buffer, size, "%s", list->n ? "" : "-");
    for (uint32_t i = 0; i < list->n && used < size; i++)
        used += (size_t)snprintf(buffer + used, size - used, "%s%s", i ? " " : "", list->words[i]);
}

static void put_size(const uint32_t size[2], char *buffer, size_t room)
{
    if (size[0])
        snprintf(buffer, room, "%" PRIu32 "x%" PRIu32, size[0], size[1]);
    else
        snprintf(buffer, room, "-");
}

static void put_text(const char *text, char *buffer, size_t size)
{
    snprintf(buffer, size, "%s", text ? text : "-");
}

void run_settings_option(const struct run_settings *settings, const struct option *option, char *buffer,
                         size_t size)
{
    const char *at = (const char *)settings->values + option->offset;
    switch (option->kind) {
    case OPTION_FLAG: put_text(*(const bool *)at ? "yes" : "no", buffer, size); break;
    case OPTION_TOGGLE:
        put_text(*(const int *)at < 0 ? "-" : *(const int *)at ? "yes" : "no", buffer, size);
        break;
    case OPTION_TEXT: put_text(*(const char *const *)at, buffer, size); break;
    case OPTION_CHOICE: put_text(choice_word(option->choices, *(const int *)at), buffer, size); break;
    case OPTION_COUNT: snprintf(buffer, size, "%" PRIu32, *(const uint32_t *)at); break;
    case OPTION_SEED: snprintf(buffer, size, "%" PRIu64, *(const uint64_t *)at); break;
    case OPTION_NUMBER: snprintf(buffer, size, "%.9g", *(const double *)at); break;
    case OPTION_SIZE: put_size((const uint32_t *)at, buffer, size); break;
    case OPTION_LIST: put_list((const struct word_list *)at, buffer, size); break;
    }
}

void run_settings_argument(const struct run_settings *settings, const struct argument *argument, char *buffer,
                           size_t size)
{
    const char *at = (const char *)settings->values + argument->offset;
    if (argument->many)
        put_list((const struct word_list *)at, buffer, size);
    else
        put_text(*(const char *const *)at, buffer, size);
}
