#include "options.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/suggest.h"
#include "values.h"

struct parser {
    const struct command *command;
    char *const *word; /* the next one */
    void *values;
    unsigned n_arguments; /* taken so far */
    bool many_given;      /* one that may stand for several has come */
    bool only_arguments;  /* after -- */
    bramble_error *error;
};

/* An option as it was typed. */
struct typed {
    char name[48];     /* without dashes and value */
    const char *value; /* after '=', or NULL */
    bool on;           /* false: --no-NAME */
};

const struct option common_options[] = {
    {.name = "help", .kind = OPTION_FLAG, .help = "print this help and stop"},
    {.name = NULL},
};

void options_usage(const struct command *command, char *buffer, size_t size)
{
    size_t used = (size_t)snprintf(buffer, size, "bramble %s", command->name);
    for (const struct argument *a = command->arguments; a && a->name && used < size; a++)
        used += (size_t)snprintf(buffer + used, size - used, a->optional ? " [%s%s]" : " %s%s", a->name,
                                 a->many ? " ..." : "");
    if (command->options && used < size) snprintf(buffer + used, size - used, " [options]");
}

static bool is_named(const struct option *option, const char *name)
{
    return strcmp(option->name, name) == 0 || (option->alias && strcmp(option->alias, name) == 0);
}

static const struct option *find_in(const struct option *table, struct typed *typed)
{
    for (const struct option *o = table; o && o->name; o++) {
        typed->on = true;
        if (is_named(o, typed->name)) return o;
        typed->on = false;
        if (o->kind == OPTION_TOGGLE && strncmp(typed->name, "no-", 3) == 0 && is_named(o, typed->name + 3))
            return o;
    }
    return NULL;
}

static void offer_all(struct suggestion *near, const struct option *table)
{
    for (const struct option *o = table; o && o->name; o++) {
        suggestion_offer(near, o->name);
        if (o->alias) suggestion_offer(near, o->alias);
    }
}

static bramble_status unknown_option(const struct parser *p, const char *word, const char *name)
{
    struct suggestion near = suggestion_begin(name);
    offer_all(&near, p->command->options);
    offer_all(&near, common_options);
    if (near.word)
        return error_set(p->error, BRAMBLE_ERR_USAGE, "unknown option %.60s; did you mean --%s?", word,
                         near.word);
    return error_set(p->error, BRAMBLE_ERR_USAGE, "unknown option %.60s; 'bramble %s --help' lists them",
                     word, p->command->name);
}

/* Splits "--name=value". False when the name is longer than any. */
static bool split_word(const char *word, struct typed *typed)
{
    size_t length = strcspn(word, "=");
    if (length < 2 || length - 2 >= sizeof typed->name) return false;
    memcpy(typed->name, word + 2, length - 2);
    typed->name[length - 2] = 0;
    typed->value = word[length] == '=' ? word + length + 1 : NULL;
    return true;
}

static bramble_status parse_option(struct parser *p, const char *word, bool *help)
{
    struct typed typed;
    if (strcmp(word, "-h") == 0) word = "--help";
    if (word[1] != '-') return unknown_option(p, word, word + 1);
    if (!split_word(word, &typed)) return unknown_option(p, word, "");
    *help = find_in(common_options, &typed) != NULL;
    if (*help) return BRAMBLE_OK;
    const struct option *option = find_in(p->command->options, &typed);
    if (!option) return unknown_option(p, word, typed.name);
    if (!option->value && typed.value)
        return error_set(p->error, BRAMBLE_ERR_USAGE, "--%s takes no value", typed.name);
    if (option->value && !typed.value) {
        const char *next = *p->word;
        if (!next || strncmp(next, "--", 2) == 0)
            return error_set(p->error, BRAMBLE_ERR_USAGE, "--%s needs a value: --%s %s", typed.name,
                             typed.name, option->value);
        typed.value = next;
        p->word++;
    }
    return value_set(option, typed.value, typed.on, p->values, p->error);
}

static bramble_status take_argument(struct parser *p, const char *word)
{
    const struct argument *argument = p->command->arguments;
    for (unsigned i = 0; argument && argument->name && i < p->n_arguments; i++) argument++;
    char usage[128];
    options_usage(p->command, usage, sizeof usage);
    if (!argument || !argument->name)
        return error_set(p->error, BRAMBLE_ERR_USAGE, "\"%.60s\" is one word too many; usage: %s", word,
                         usage);
    if (!*word)
        return error_set(p->error, BRAMBLE_ERR_USAGE, "%s is empty; usage: %s", argument->name, usage);
    void *field = (char *)p->values + argument->offset;
    if (argument->many) {
        p->many_given = true;
        return word_list_add(field, word, p->error);
    }
    *(const char **)field = word;
    p->n_arguments++;
    return BRAMBLE_OK;
}

static bramble_status check_arguments(const struct parser *p)
{
    const struct argument *argument = p->command->arguments;
    for (unsigned i = 0; argument && argument->name && i < p->n_arguments; i++) argument++;
    if (!argument || !argument->name || argument->optional || p->many_given) return BRAMBLE_OK;
    char usage[128];
    options_usage(p->command, usage, sizeof usage);
    return error_set(p->error, BRAMBLE_ERR_USAGE, "%s is missing; usage: %s", argument->name, usage);
}

bramble_status options_parse(const struct command *command, char *const *words, void *values, bool *help,
                             bramble_error *error)
{
    struct parser p = {.command = command, .word = words, .values = values, .error = error};
    memcpy(values, command->defaults, command->values_size);
    *help = false;
    while (*p.word) {
        const char *word = *p.word++;
        bramble_status status = BRAMBLE_OK;
        if (!p.only_arguments && strcmp(word, "--") == 0)
            p.only_arguments = true;
        else if (!p.only_arguments && word[0] == '-' && word[1])
            status = parse_option(&p, word, help);
        else
            status = take_argument(&p, word);
        if (status || *help) return status;
    }
    return check_arguments(&p);
}
