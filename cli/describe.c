#include "describe.h"

static void put_name(struct str *out, const char *prefix, const char *name, const char *value)
{
    str_printf(out, "%s--%s%s%s", prefix, name, value ? " " : "", value ? value : "");
}

void describe_names(const struct option *option, struct str *out)
{
    put_name(out, "", option->name, option->value);
    if (option->alias) put_name(out, ", ", option->alias, option->value);
    if (option->kind == OPTION_TOGGLE) str_printf(out, ", --no-%s", option->name);
}

static void put_choices(struct str *out, const struct choice *choices)
{
    for (const struct choice *c = choices; c->word; c++)
        str_printf(out, "%s%s", c == choices ? ": " : c[1].word ? ", " : " or ", c->word);
}

void describe_option(const struct option *option, struct str *out)
{
    str_puts(out, option->help);
    if (option->choices) put_choices(out, option->choices);
    if (option->fallback) str_printf(out, " (default: %s)", option->fallback);
}

void describe_each(const struct command *command, void (*visit)(const struct option *option, void *context),
                   void *context)
{
    for (const struct option *o = command->options; o && o->name; o++) visit(o, context);
    for (const struct option *o = common_options; o->name; o++) visit(o, context);
}
