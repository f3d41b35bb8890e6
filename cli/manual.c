#include "manual.h"

#include <bramble/bramble.h>
#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"
#include "describe.h"
#include "options.h"

/* Text as roff takes it literally: backslashes, hyphens that can be copied, no request at a line's start. */
static void put_text(struct str *page, const char *text)
{
    for (const char *c = text; *c; c++) {
        bool line_start = page->length == 0 || (page->data && page->data[page->length - 1] == '\n');
        if (line_start && (*c == '.' || *c == '\'')) str_puts(page, "\\&");
        if (*c == '\\')
            str_puts(page, "\\e");
        else if (*c == '-')
            str_puts(page, "\\-");
        else if (*c == '\'')
            str_puts(page, "\\(aq");
        else
            str_append(page, c, 1);
    }
}

static void put_line(struct str *page, const char *text)
{
    put_text(page, text);
    str_puts(page, "\n");
}

/* A tagged paragraph: the tag in bold. */
static void put_entry(struct str *page, const char *tag, const char *meaning)
{
    str_puts(page, ".TP\n\\fB");
    put_text(page, tag);
    str_puts(page, "\\fR\n");
    put_line(page, meaning);
}

/* "bramble-train-forest", spaces made hyphens. */
static void page_name(const struct command *command, char *name, size_t size)
{
    snprintf(name, size, "bramble%s%s", command ? "-" : "", command ? command->name : "");
    for (char *c = name; *c; c++)
        if (*c == ' ') *c = '-';
}

static void put_heading(struct str *page, const struct command *command, const char *summary)
{
    char name[64], upper[64];
    page_name(command, name, sizeof name);
    size_t i = 0;
    for (; name[i]; i++) upper[i] = (char)toupper((unsigned char)name[i]);
    upper[i] = 0;
    str_puts(page, ".TH ");
    put_text(page, upper);
    str_printf(page, " 1 \"\" \"bramble %s\" \"Bramble manual\"\n.SH NAME\n", bramble_version());
    put_text(page, name);
    str_puts(page, " \\- ");
    put_line(page, summary);
}

static void put_option(const struct option *option, void *context)
{
    struct str *page = context, names = {0}, meaning = {0};
    describe_names(option, &names);
    describe_option(option, &meaning);
    if (names.failed || meaning.failed)
        page->failed = true;
    else
        put_entry(page, names.data, meaning.data);
    str_fini(&names);
    str_fini(&meaning);
}

static void put_listed(struct str *page, const struct listed *listed)
{
    struct str tag = {0};
    str_printf(&tag, "%s%s%s", listed->name, *listed->arguments ? " " : "", listed->arguments);
    if (tag.failed)
        page->failed = true;
    else
        put_entry(page, tag.data, listed->what);
    str_fini(&tag);
}

static void put_listings(struct str *page, const struct listing *listing)
{
    struct listed listed;
    for (; listing && listing->title; listing++) {
        str_puts(page, ".SH ");
        for (const char *c = listing->title; *c; c++) str_printf(page, "%c", toupper((unsigned char)*c));
        str_puts(page, "\n");
        for (uint32_t i = 0; listing->entry(i, &listed); i++) put_listed(page, &listed);
    }
}

static void put_json(struct str *page, const struct json_field *fields)
{
    if (!fields) return;
    str_puts(page, ".SH JSON\n");
    put_line(page,
             "With --json one object on one line goes to standard output, with these keys where they apply:");
    for (const struct json_field *f = fields; f->key; f++) put_entry(page, f->key, f->help);
}

static void put_examples(struct str *page, const struct example *examples)
{
    if (!examples) return;
    str_puts(page, ".SH EXAMPLES\n");
    for (const struct example *e = examples; e->line; e++) put_entry(page, e->line, e->help);
}

static void put_exit_status(struct str *page)
{
    str_puts(page, ".SH EXIT STATUS\n");
    put_line(page,
             "0 when it is done, 1 when it failed, 2 for wrong usage. What went wrong is one line on "
             "standard error, and no file was changed (unless all that failed was to print the result). "
             "After Ctrl-C (SIGINT, or SIGTERM) the program "
             "stops in good order and ends by that signal, which shells report as 130 (143); a second "
             "Ctrl-C ends it at once.");
}

static void put_see_also(struct str *page, const struct command *command)
{
    str_puts(page, ".SH SEE ALSO\n");
    if (command) str_puts(page, "\\fBbramble\\fR(1)");
    bool first = !command;
    for (const struct command *const *c = commands; *c; c++) {
        if (*c == command || !command_listed(*c)) continue;
        char name[64];
        page_name(*c, name, sizeof name);
        str_puts(page, first ? "\\fB" : ", \\fB");
        put_text(page, name);
        str_puts(page, "\\fR(1)");
        first = false;
    }
    str_puts(page, "\n");
}

static void put_command(struct str *page, const struct command *command)
{
    char usage[128];
    options_usage(command, usage, sizeof usage);
    put_heading(page, command, command->summary);
    str_puts(page, ".SH SYNOPSIS\n\\fB");
    put_text(page, usage);
    str_puts(page, "\\fR\n.SH DESCRIPTION\n");
    for (const char *const *p = command->paragraphs; p && *p; p++) {
        str_puts(page, ".PP\n");
        put_line(page, *p);
    }
    for (const struct argument *a = command->arguments; a && a->name; a++) put_entry(page, a->name, a->help);
    str_puts(page, ".SH OPTIONS\n");
    describe_each(command, put_option, page);
    put_listings(page, command->listings);
    put_json(page, command->fields);
    put_examples(page, command->examples);
}

/* A page that lists commands: a group's, or all. */
static void put_list(struct str *page, const struct command *group)
{
    put_heading(page, group, group ? group->summary : "random forests, the same model bit for bit anywhere");
    str_puts(page, ".SH SYNOPSIS\n\\fBbramble");
    if (group) str_printf(page, " %s", group->name);
    str_puts(page, "\\fR \\fICOMMAND\\fR ...\n");
    if (!group) str_puts(page, ".br\n\\fBbramble \\-\\-help\\fR\n.br\n\\fBbramble \\-\\-version\\fR\n");
    str_puts(page, ".SH DESCRIPTION\n");
    put_line(page, "Bramble trains random forests on tables, images and arrays, and keeps them as ONNX files "
                   "that other programs can use. The seed decides the forest: neither the number of threads "
                   "nor the kind of processor changes a bit of it.");
    str_puts(page, ".SH COMMANDS\n");
    for (const struct command *const *c = commands; *c; c++)
        if (command_listed(*c) && (!group || command_in_group(*c, group)))
            put_entry(page, (*c)->name, (*c)->summary);
}

bramble_status manual_print(FILE *out, const struct command *command, bramble_error *error)
{
    struct str page = {0};
    if (command && command->run)
        put_command(&page, command);
    else
        put_list(&page, command);
    put_exit_status(&page);
    put_see_also(&page, command);
    bool failed = page.failed;
    if (!failed) fputs(page.data, out);
    str_fini(&page);
    return failed ? error_memory(error, "the manual page") : BRAMBLE_OK;
}
