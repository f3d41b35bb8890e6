/* The parser, and the sanity of every command's table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"
#include "options.h"
#include "values.h"

struct sample_values {
    const char *first, *second, *text;
    bool flag;
    int toggle, choice;
    uint32_t count;
    uint64_t seed;
    double number;
    uint32_t size[2];
};

static const struct choice sample_choices[] = {{"one", 1}, {"two", 2}, {NULL, 0}};

static const struct argument sample_arguments[] = {
    {.name = "FIRST", .offset = offsetof(struct sample_values, first)},
    {.name = "SECOND", .offset = offsetof(struct sample_values, second), .optional = true},
    {.name = NULL},
};

static const struct option sample_options[] = {
    {.name = "text",
     .alias = "words",
     .value = "T",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct sample_values, text)},
    {.name = "flag", .kind = OPTION_FLAG, .offset = offsetof(struct sample_values, flag)},
    {.name = "toggle", .kind = OPTION_TOGGLE, .offset = offsetof(struct sample_values, toggle)},
    {.name = "choice",
     .value = "C",
     .kind = OPTION_CHOICE,
     .choices = sample_choices,
     .offset = offsetof(struct sample_values, choice)},
    {.name = "count",
     .value = "N",
     .kind = OPTION_COUNT,
     .min = 1,
     .max = 9,
     .offset = offsetof(struct sample_values, count)},
    {.name = "seed", .value = "N", .kind = OPTION_SEED, .offset = offsetof(struct sample_values, seed)},
    {.name = "number",
     .value = "X",
     .kind = OPTION_NUMBER,
     .above_min = true,
     .max = 1,
     .below_max = true,
     .offset = offsetof(struct sample_values, number)},
    {.name = "size", .value = "HxW", .kind = OPTION_SIZE, .offset = offsetof(struct sample_values, size)},
    {.name = NULL},
};

static const struct command sample = {
    .name = "sample",
    .arguments = sample_arguments,
    .options = sample_options,
    .defaults = &(const struct sample_values){.toggle = -1, .count = 5},
    .values_size = sizeof(struct sample_values),
};

#define PARSE(values, help, error, ...)                                                                      \
    options_parse(&sample, (char *const[]){__VA_ARGS__, NULL}, values, help, error)

static void test_both_spellings_of_a_value(void **state)
{
    (void)state;
    struct sample_values v;
    bool help;
    assert_int_equal(PARSE(&v, &help, NULL, "--text", "a", "x", "--count=7", "--seed=9223372036854775807",
                           "--number", "0.5", "--choice", "two", "--flag", "--no-toggle", "--size",
                           "28x4294967295"),
                     BRAMBLE_OK);
    assert_false(help);
    assert_string_equal(v.first, "x");
    assert_null(v.second);
    assert_string_equal(v.text, "a");
    assert_true(v.flag);
    assert_int_equal(v.toggle, 0);
    assert_int_equal(v.choice, 2);
    assert_int_equal(v.count, 7);
    assert_true(v.seed == INT64_MAX);
    assert_true(v.number == 0.5);
    assert_int_equal(v.size[0], 28);
    assert_int_equal(v.size[1], UINT32_MAX);
    assert_int_equal(PARSE(&v, &help, NULL, "--words=--b", "--text", "-1", "--toggle", "x", "y"), BRAMBLE_OK);
    assert_string_equal(v.text, "-1");
    assert_string_equal(v.second, "y");
    assert_int_equal(v.toggle, 1);
    assert_int_equal(v.count, 5);
}

static void test_words_after_two_dashes(void **state)
{
    (void)state;
    struct sample_values v;
    bool help;
    assert_int_equal(PARSE(&v, &help, NULL, "--flag", "--", "--flag", "-"), BRAMBLE_OK);
    assert_string_equal(v.first, "--flag");
    assert_string_equal(v.second, "-");
}

static void test_help_ends_parsing(void **state)
{
    (void)state;
    struct sample_values v;
    bool help;
    assert_int_equal(PARSE(&v, &help, NULL, "--help", "--nonsense"), BRAMBLE_OK);
    assert_true(help);
    assert_int_equal(PARSE(&v, &help, NULL, "-h"), BRAMBLE_OK);
    assert_true(help);
}

static void assert_refused(char *word, const char *message)
{
    struct sample_values v;
    bool help;
    bramble_error error = {0};
    assert_int_equal(PARSE(&v, &help, &error, word, "x"), BRAMBLE_ERR_USAGE);
    assert_string_equal(error.message, message);
}

static void test_what_is_wrong_is_named(void **state)
{
    (void)state;
    assert_refused("--fla", "unknown option --fla; did you mean --flag?");
    assert_refused("--sede=3", "unknown option --sede=3; did you mean --seed?");
    assert_refused("--hlep", "unknown option --hlep; did you mean --help?");
    assert_refused("--no-flag", "unknown option --no-flag; 'bramble sample --help' lists them");
    assert_refused("-v", "unknown option -v; 'bramble sample --help' lists them");
    assert_refused("--=3", "unknown option --=3; 'bramble sample --help' lists them");
    assert_refused("--flag=yes", "--flag takes no value");
    assert_refused("--count=", "--count: \"\" is not a whole number at least 1 and at most 9");
    assert_refused("--count=0", "--count: \"0\" is not a whole number at least 1 and at most 9");
    assert_refused("--count=10", "--count: \"10\" is not a whole number at least 1 and at most 9");
    assert_refused("--count=+3", "--count: \"+3\" is not a whole number at least 1 and at most 9");
    assert_refused("--count=3x", "--count: \"3x\" is not a whole number at least 1 and at most 9");
    assert_refused("--count=99999999999999999999",
                   "--count: \"99999999999999999999\" is not a whole number at least 1 and at most 9");
    assert_refused("--seed=9223372036854775808",
                   "--seed: \"9223372036854775808\" is not a whole number from 0 to 2^63 - 1");
    assert_refused("--number=0", "--number: \"0\" is not a number above 0 and below 1");
    assert_refused("--number=1", "--number: \"1\" is not a number above 0 and below 1");
    assert_refused("--number=nan", "--number: \"nan\" is not a number above 0 and below 1");
    assert_refused("--number=0x.8", "--number: \"0x.8\" is not a number above 0 and below 1");
    assert_refused("--number=0.5.", "--number: \"0.5.\" is not a number above 0 and below 1");
    assert_refused("--number= 0.5", "--number: \" 0.5\" is not a number above 0 and below 1");
    for (int i = 0; i < 8; i++) {
        const char *const sizes[] = {"", "28", "28x", "x28", "0x4", "4x4x", "4 x4", "4294967296x4"};
        char word[40], message[120];
        snprintf(word, sizeof word, "--size=%s", sizes[i]);
        snprintf(message, sizeof message, "--size: \"%s\" is not a height and a width in pixels, as in 28x32",
                 sizes[i]);
        assert_refused(word, message);
    }
    assert_refused("--choice=on", "--choice: \"on\" is not one or two; did you mean one?");
    assert_refused("--choice=three", "--choice: \"three\" is not one or two");
    assert_refused("--text=", "--text: the value is empty");
    assert_refused("", "FIRST is empty; usage: bramble sample FIRST [SECOND] [options]");
}

static void test_missing_and_surplus_words(void **state)
{
    (void)state;
    struct sample_values v;
    bool help;
    bramble_error error = {0};
    assert_int_equal(PARSE(&v, &help, &error, "--flag"), BRAMBLE_ERR_USAGE);
    assert_string_equal(error.message, "FIRST is missing; usage: bramble sample FIRST [SECOND] [options]");
    assert_int_equal(PARSE(&v, &help, &error, "a", "b", "c"), BRAMBLE_ERR_USAGE);
    assert_non_null(strstr(error.message, "\"c\" is one word too many"));
    assert_int_equal(PARSE(&v, &help, &error, "a", "--count"), BRAMBLE_ERR_USAGE);
    assert_string_equal(error.message, "--count needs a value: --count N");
    assert_int_equal(PARSE(&v, &help, &error, "a", "--text", "--flag"), BRAMBLE_ERR_USAGE);
    assert_string_equal(error.message, "--text needs a value: --text T");
}

/* Calls check for each option of each command. */
static void for_each_option(void (*check)(const struct command *command, const struct option *option))
{
    unsigned n = 0;
    for (const struct command *const *c = commands; *c; c++)
        for (const struct option *o = (*c)->options; o && o->name; o++, n++) check(*c, o);
    assert_true(n > 40);
}

static size_t field_size(const struct option *option)
{
    switch (option->kind) {
    case OPTION_FLAG: return sizeof(bool);
    case OPTION_TOGGLE:
    case OPTION_CHOICE: return sizeof(int);
    case OPTION_COUNT: return sizeof(uint32_t);
    case OPTION_SEED: return sizeof(uint64_t);
    case OPTION_NUMBER: return sizeof(double);
    case OPTION_SIZE: return 2 * sizeof(uint32_t);
    case OPTION_LIST: return sizeof(struct word_list);
    case OPTION_TEXT: break;
    }
    return sizeof(const char *);
}

static void check_table(const struct command *command, const struct option *option)
{
    bool takes_value = option->kind != OPTION_FLAG && option->kind != OPTION_TOGGLE;
    if (takes_value != (option->value != NULL)) fail_msg("%s --%s: value", command->name, option->name);
    if (option->kind == OPTION_CHOICE) assert_non_null(option->choices);
    assert_true(option->offset + field_size(option) <= command->values_size);
    assert_non_null(option->help);
    for (const struct option *o = command->options; o != option; o++) {
        assert_string_not_equal(o->name, option->name);
        bool apart =
            o->offset + field_size(o) <= option->offset || option->offset + field_size(option) <= o->offset;
        if (!apart) fail_msg("%s --%s and --%s share a field", command->name, o->name, option->name);
    }
}

static void test_tables(void **state)
{
    (void)state;
    for_each_option(check_table);
}

/* A value this option takes that is not its default. */
static const char *other_value(const struct option *option)
{
    if (option->choices) return option->choices[option->choices[1].word != NULL].word;
    if (option->kind == OPTION_SIZE) return "28x32";
    return option->kind == OPTION_NUMBER ? "0.375" : option->kind == OPTION_TEXT ? "anything" : "17";
}

static void check_sets_its_field(const struct command *command, const struct option *option)
{
    char *values = malloc(command->values_size);
    memcpy(values, command->defaults, command->values_size);
    bramble_status status = value_set(option, option->value ? other_value(option) : NULL, true, values, NULL);
    if (status) fail_msg("%s --%s does not take %s", command->name, option->name, other_value(option));
    const char *before = command->defaults;
    size_t size = field_size(option);
    if (memcmp(values + option->offset, before + option->offset, size) == 0)
        fail_msg("%s --%s changes nothing", command->name, option->name);
    memcpy(values + option->offset, before + option->offset, size);
    assert_memory_equal(values, before, command->values_size);
    free(values);
}

static void test_every_option_sets_its_field_and_no_other(void **state)
{
    (void)state;
    for_each_option(check_sets_its_field);
}

/* Where the documented default is a value, setting it must change nothing. */
static void check_fallback(const struct command *command, const struct option *option)
{
    if (!option->value || !option->fallback || option->kind == OPTION_TEXT) return;
    char *values = malloc(command->values_size);
    memcpy(values, command->defaults, command->values_size);
    if (value_set(option, option->fallback, true, values, NULL) == BRAMBLE_OK &&
        memcmp(values, command->defaults, command->values_size) != 0)
        fail_msg("%s --%s: the default is not %s", command->name, option->name, option->fallback);
    free(values);
}

static void test_documented_defaults_are_the_defaults(void **state)
{
    (void)state;
    for_each_option(check_fallback);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_spellings_of_a_value),
        cmocka_unit_test(test_words_after_two_dashes),
        cmocka_unit_test(test_help_ends_parsing),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_missing_and_surplus_words),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_every_option_sets_its_field_and_no_other),
        cmocka_unit_test(test_documented_defaults_are_the_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
