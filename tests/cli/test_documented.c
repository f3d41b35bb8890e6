/* What the help and the manual say is what the program parses, and the other way round. */
#include <ctype.h>

#include <bramble/net.h>

#include "command.h"
#include "options.h"
#include "base/mem.h"
#include "program.h"

/* The words of a command's name, NULL at the end. */
struct words {
    char text[64];
    const char *word[8];
};

/* before..., name split at spaces, after */
static void make_words(struct words *w, const char *const *before, const char *name, const char *after)
{
    unsigned n = 0;
    for (; *before; before++) w->word[n++] = *before;
    snprintf(w->text, sizeof w->text, "%s", name);
    char *rest = w->text;
    for (char *word; (word = strsep(&rest, " "));) w->word[n++] = word;
    w->word[n++] = after;
    w->word[n] = NULL;
}

static struct said help_of(const struct scratch *s, const struct command *command)
{
    struct words w;
    make_words(&w, (const char *const[]){NULL}, command->name, "--help");
    return said_done(program_run(s, w.word));
}

static struct said manual_of(const struct scratch *s, const struct command *command)
{
    struct words w;
    make_words(&w, (const char *const[]){"help", "--man", NULL}, command->name, NULL);
    return said_done(program_run(s, w.word));
}

/* roff's \- is a hyphen, its \(aq an apostrophe. */
static void plain_marks(char *text)
{
    char *to = text;
    for (const char *c = text; *c; c++) {
        bool apostrophe = strncmp(c, "\\(aq", 4) == 0;
        if (apostrophe) c += 3;
        if (c[0] != '\\' || c[1] != '-') *to++ = apostrophe ? '\'' : *c;
    }
    *to = 0;
}

/* True when `text` has the word "--name" and not just a longer one. */
static bool mentions(const char *text, const char *prefix, const char *name)
{
    char word[64];
    snprintf(word, sizeof word, "--%s%s", prefix, name);
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at++)
        if (!isalnum((unsigned char)at[length]) && at[length] != '-') return true;
    return false;
}

static void check_mentioned(const struct command *command, const char *text, const char *where)
{
    for (const struct option *o = command->options; o && o->name; o++) {
        bool complete = mentions(text, "", o->name) && (!o->alias || mentions(text, "", o->alias)) &&
                        (o->kind != OPTION_TOGGLE || mentions(text, "no-", o->name));
        if (!complete) fail_msg("%s: --%s is not in the %s", command->name, o->name, where);
    }
    assert_true(mentions(text, "", "help"));
}

/* True when the parser knows --name, whatever else it may want. */
static bool is_parsed(const struct command *command, const char *name)
{
    char word[80];
    bramble_error error = {0};
    bool help;
    void *values = mem_alloc(command->values_size, 1);
    snprintf(word, sizeof word, "--%s", name);
    bramble_status status = options_parse(command, (char *const[]){word, NULL}, values, &help, &error);
    mem_free(values);
    return !status || !strstr(error.message, "unknown option");
}

/* Every --word in the text is an option of the command. */
static void check_parsed(const struct command *command, const char *text, const char *where)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, "--"));) {
        at += 2;
        char name[64];
        size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz-");
        if (!length || at[-3] == '-') continue;
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        bool of_help = strcmp(command->name, "help") == 0; /* it quotes others */
        if (!of_help && !is_parsed(command, name))
            fail_msg("%s: the %s has --%s, which nobody parses", command->name, where, name);
        n++;
    }
    assert_true(n >= 1);
}

static void test_help_and_parser_agree(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    for (const struct command *const *c = commands; *c; c++) {
        struct said said = help_of(&s, *c);
        check_mentioned(*c, said.out, "help");
        if ((*c)->run) check_parsed(*c, said.out, "help");
        said_fini(&said);
    }
    scratch_remove(&s);
}

static void test_manual_and_parser_agree(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    for (const struct command *const *c = commands; *c; c++) {
        if (!(*c)->run) continue;
        struct said said = manual_of(&s, *c);
        plain_marks(said.out);
        check_mentioned(*c, said.out, "manual");
        check_parsed(*c, said.out, "manual");
        said_fini(&said);
    }
    scratch_remove(&s);
}

static void test_the_program_lists_its_commands(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct said said = DONE(&s, "--help");
    for (const struct command *const *c = commands; *c; c++)
        if ((*c)->run && !(*c)->hidden != !!strstr(said.out, (*c)->name))
            fail_msg("--help: %s is %s", (*c)->name, (*c)->hidden ? "listed" : "not listed");
    struct said same = DONE(&s, "help");
    assert_string_equal(said.out, same.out);
    said_fini(&said);
    said_fini(&same);
    scratch_remove(&s);
}

static void test_narrow_and_wide_terminals(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    for (unsigned columns = 20; columns <= 200; columns += 30) {
        char text[16];
        snprintf(text, sizeof text, "%u", columns);
        setenv("COLUMNS", text, 1);
        struct said said = DONE(&s, "train", "net", "--help");
        unsigned limit = columns < 50 ? 50 : columns > 100 ? 100 : columns;
        for (const char *line = strstr(said.out, "options:"); line && !strstr(line, "examples:"); line++) {
            size_t length = strcspn(line, "\n");
            if (length > limit) fail_msg("%zu columns of %u: %.*s", length, limit, (int)length, line);
            line += length;
        }
        said_fini(&said);
    }
    unsetenv("COLUMNS");
    scratch_remove(&s);
}

/* Presets and layers, of which the library says what there is. */
static void test_networks_are_listed(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct said help = DONE(&s, "train", "net", "--help"), manual = DONE(&s, "help", "--man", "train", "net");
    plain_marks(manual.out);
    const char *name;
    for (uint32_t i = 0; (name = bramble_net_preset(i)); i++) {
        assert_non_null(strstr(strstr(help.out, "\npresets:\n"), name));
        assert_non_null(strstr(strstr(manual.out, "\n.SH PRESETS\n"), name));
        assert_non_null(strstr(manual.out, bramble_net_preset_summary(i)));
    }
    bramble_net_layer layer;
    for (uint32_t i = 0; bramble_net_layer_kind(i, &layer); i++) {
        char tag[160];
        snprintf(tag, sizeof tag, "\\fB%s%s%s\\fR\n", layer.name, *layer.arguments ? " " : "",
                 layer.arguments);
        assert_non_null(strstr(manual.out, tag));
        assert_non_null(strstr(manual.out, layer.what));
        snprintf(tag, sizeof tag, "\n  %s ", layer.name);
        assert_non_null(strstr(strstr(help.out, "\nlayers:\n"), tag));
    }
    said_fini(&help);
    said_fini(&manual);
    scratch_remove(&s);
}

/* The pages that the build made: one a command, with nothing for groff to warn about. */
static void check_page(const struct scratch *s, const char *name)
{
    char path[4096], command[8400];
    snprintf(path, sizeof path, "%s/man/bramble%s%s.1", getenv("BRAMBLE_BUILD"), *name ? "-" : "", name);
    for (char *c = strstr(path, "/man/"); *c; c++)
        if (*c == ' ') *c = '-';
    if (access(path, R_OK) != 0) fail_msg("%s is not there", path);
    snprintf(command, sizeof command, "groff -man -Tutf8 -ww -b '%s' 2>&1 >%s/page", path, s->folder);
    FILE *groff = popen(command, "r");
    char line[512] = "";
    if (groff && fgets(line, sizeof line, groff)) fail_msg("%s", line);
    if (groff && pclose(groff) != 0) fail_msg("groff cannot read %s", path);
}

static void test_manual_pages_are_well_formed(void **state)
{
    (void)state;
    if (system("groff --version >/dev/null 2>&1") != 0) {
        print_message("groff is not installed\n");
        skip();
    }
    struct scratch s = scratch_new();
    check_page(&s, "");
    for (const struct command *const *c = commands; *c; c++)
        if (!(*c)->hidden) check_page(&s, (*c)->name);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_and_parser_agree),
        cmocka_unit_test(test_manual_and_parser_agree),
        cmocka_unit_test(test_the_program_lists_its_commands),
        cmocka_unit_test(test_networks_are_listed),
        cmocka_unit_test(test_narrow_and_wide_terminals),
        cmocka_unit_test(test_manual_pages_are_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
