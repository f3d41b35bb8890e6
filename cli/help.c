#include "help.h"

#include <bramble/bramble.h>
#include <string.h>

#include "base/error.h"
#include "base/str.h"
#include "describe.h"
#include "options.h"

enum { LABEL_COLUMNS = 26, COLUMNS_MIN = 50, COLUMNS_MAX = 100 };

struct page {
    struct str text;
    unsigned columns;
};

/* Words of `text` from column `at` on, further lines indented by `indent`; ends the line. */
static void wrap(struct page *page, const char *text, unsigned at, unsigned indent)
{
    unsigned column = at;
    while (*text) {
        size_t length = strcspn(text, " ");
        bool first = column == indent || column == at;
        if (!first && column + 1 + length > page->columns) {
            str_printf(&page->text, "\n%*s", (int)indent, "");
            column = indent;
            at = indent;
        } else if (!first) {
            str_puts(&page->text, " ");
            column++;
        }
        str_append(&page->text, text, length);
        column += (unsigned)length;
        text += length + strspn(text + length, " ");
    }
    str_puts(&page->text, "\n");
}

/* "  LABEL      what it means", the meaning on a line of its own when the label is long. */
static void put_entry(struct page *page, const char *label, const char *meaning)
{
    size_t length = strlen(label) + 2;
    str_printf(&page->text, "  %s", label);
    if (length + 2 > LABEL_COLUMNS) {
        str_puts(&page->text, "\n");
        length = 0;
    }
    str_printf(&page->text, "%*s", (int)(LABEL_COLUMNS - length), "");
    wrap(page, meaning, LABEL_COLUMNS, LABEL_COLUMNS);
}

static void put_option(const struct option *option, void *context)
{
    struct page *page = context;
    struct str names = {0}, meaning = {0};
    describe_names(option, &names);
    describe_option(option, &meaning);
    if (names.failed || meaning.failed)
        page->text.failed = true;
    else
        put_entry(page, names.data, meaning.data);
    str_fini(&names);
    str_fini(&meaning);
}

/* Arguments stand beside the name, and what it means below them. */
static void put_listed(struct page *page, const struct listed *listed)
{
    bool alone = !*listed->arguments;
    put_entry(page, listed->name, alone ? listed->what : listed->arguments);
    if (alone) return;
    str_printf(&page->text, "%*s", LABEL_COLUMNS, "");
    wrap(page, listed->what, LABEL_COLUMNS, LABEL_COLUMNS);
}

static void put_listings(struct page *page, const struct listing *listing)
{
    struct listed listed;
    for (; listing && listing->title; listing++) {
        str_printf(&page->text, "\n%s:\n", listing->title);
        for (uint32_t i = 0; listing->entry(i, &listed); i++) put_listed(page, &listed);
    }
}

static void put_examples(struct page *page, const struct example *examples)
{
    if (!examples) return;
    str_puts(&page->text, "\nexamples:\n");
    for (const struct example *e = examples; e->line; e++)
        str_printf(&page->text, "  %s\n      %s\n", e->line, e->help);
}

static void put_command(struct page *page, const struct command *command)
{
    char usage[128];
    options_usage(command, usage, sizeof usage);
    str_printf(&page->text, "bramble %s: %s\n\nusage: %s\n\n", command->name, command->summary, usage);
    for (const struct argument *a = command->arguments; a && a->name; a++) put_entry(page, a->name, a->help);
    str_puts(&page->text, "\noptions:\n");
    describe_each(command, put_option, page);
    put_listings(page, command->listings);
    put_examples(page, command->examples);
}

/* The commands of a group, or of the program when it is NULL. */
static void put_list(struct page *page, const struct command *group)
{
    for (const struct command *const *c = commands; *c; c++)
        if (command_listed(*c) && (!group || command_in_group(*c, group)))
            put_entry(page, (*c)->name, (*c)->summary);
}

static void put_group(struct page *page, const struct command *group)
{
    str_printf(&page->text, "bramble %s: %s\n\nusage: bramble %s COMMAND ...\n\n", group->name,
               group->summary, group->name);
    put_list(page, group);
    put_entry(page, "--help", common_options[0].help);
}

static void put_program(struct page *page)
{
    str_printf(&page->text,
               "bramble %s: random forests, the same model bit for bit on any machine\n\n"
               "usage: bramble COMMAND ...\n\n",
               bramble_version());
    put_list(page, NULL);
    str_puts(&page->text, "\n");
    put_entry(page, "--help", common_options[0].help);
    put_entry(page, "--version", "print the version and stop");
    str_puts(&page->text, "\n'bramble COMMAND --help' explains a command; 'man bramble' is the manual.\n"
                          "Exit status: 0 done, 1 failed, 2 wrong usage.\n");
}

bramble_status help_print(FILE *out, const struct command *command, unsigned columns, bramble_error *error)
{
    struct page page = {.columns = columns};
    if (columns < COLUMNS_MIN) page.columns = COLUMNS_MIN;
    if (columns > COLUMNS_MAX) page.columns = COLUMNS_MAX;
    if (!command)
        put_program(&page);
    else if (!command->run)
        put_group(&page, command);
    else
        put_command(&page, command);
    bool failed = page.text.failed;
    if (!failed) fputs(page.text.data, out);
    str_fini(&page.text);
    return failed ? error_memory(error, "the help") : BRAMBLE_OK;
}
