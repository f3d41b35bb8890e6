#include <bramble/bramble.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "command.h"
#include "help.h"
#include "options.h"
#include "report/progress.h"

const struct command *const commands[] = {
    &command_data,         &command_train,
    &command_train_forest, &command_train_net,
    &command_predict,      &command_evaluate,
    &command_inspect,      &command_runs,
    &command_show,         &command_compare,
    &command_resume,       &command_nodes,
    &command_plan,         &command_cluster,
    &command_cluster_init, &command_cluster_install,
    &command_cluster_add,  &command_doctor,
    &command_bench,        &command_bench_scaling,
    &command_node_report,  &command_mpi_check,
    &command_confine,      &command_rank,
    &command_help,         NULL,
};

/* Words of "train forest" when the words begin with them, else 0. */
static int words_matched(const char *name, char *const *words)
{
    for (int n = 0;; n++) {
        size_t length = strcspn(name, " ");
        if (!words[n] || strlen(words[n]) != length || strncmp(words[n], name, length) != 0) return 0;
        if (!name[length]) return n + 1;
        name += length + 1;
    }
}

const struct command *command_find(char *const *words, int *n_words)
{
    const struct command *found = NULL;
    *n_words = 0;
    for (const struct command *const *c = commands; *c; c++) {
        int n = words_matched((*c)->name, words);
        if (n <= *n_words) continue;
        found = *c;
        *n_words = n;
    }
    return found;
}

bool command_listed(const struct command *command)
{
    return command->run && !command->hidden;
}

bool command_in_group(const struct command *command, const struct command *group)
{
    size_t length = strlen(group->name);
    return strncmp(command->name, group->name, length) == 0 && command->name[length] == ' ';
}

static bramble_status unknown_command(const char *typed, bramble_error *error)
{
    struct suggestion near = suggestion_begin(typed);
    for (const struct command *const *c = commands; *c; c++)
        if (!(*c)->hidden) suggestion_offer(&near, (*c)->name);
    if (near.word)
        return error_set(error, BRAMBLE_ERR_USAGE, "unknown command \"%.60s\"; did you mean '%s'?", typed,
                         near.word);
    return error_set(error, BRAMBLE_ERR_USAGE, "unknown command \"%.60s\"; 'bramble --help' lists them",
                     typed);
}

static bool is_help(const char *word)
{
    return word && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
}

static bramble_status print_help(const struct command *command, bramble_error *error)
{
    return help_print(stdout, command, progress_columns(stdout), error);
}

/* "train" needs to know what. */
static bramble_status run_group(const struct command *group, const char *next, bramble_error *error)
{
    if (is_help(next)) return print_help(group, error);
    char typed[128];
    if (next) {
        snprintf(typed, sizeof typed, "%s %.60s", group->name, next);
        return unknown_command(typed, error);
    }
    return error_set(error, BRAMBLE_ERR_USAGE, "%s what? 'bramble %s --help' lists the kinds", group->name,
                     group->name);
}

static bramble_status no_resume(const char *id, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_USAGE,
                     "%s has nothing to resume; 'bramble show %s' has its command line, to begin again", id,
                     id);
}

/* `words` are the whole line's, n_words of them the command's name; resume (may be NULL): the run to go on
 * with. */
static bramble_status run_command(const struct command *command, char *const *words, int n_words,
                                  const char *resume, bramble_error *error)
{
    void *values = mem_alloc(command->values_size, 1);
    if (!values) return error_memory(error, "the command line");
    bool help;
    bramble_status status = options_parse(command, words + n_words, values, &help, error);
    if (!status && command->words_offset)
        memcpy((char *)values + command->words_offset, &words, sizeof words);
    if (!status && help)
        status = print_help(command, error);
    else if (!status)
        status = resume ? command->resume(values, resume, error) : command->run(values, error);
    mem_free(values);
    return status;
}

bramble_status command_line_resume(char *const *words, const char *id, bramble_error *error)
{
    int n_words;
    const struct command *command = words[0] ? command_find(words, &n_words) : NULL;
    if (!command || !command->resume) return no_resume(id, error);
    return run_command(command, words, n_words, id, error);
}

bramble_status command_line_run(char *const *words, bramble_error *error)
{
    if (!words[0])
        return error_set(error, BRAMBLE_ERR_USAGE, "no command given; 'bramble --help' lists them");
    if (is_help(words[0])) return print_help(NULL, error);
    if (strcmp(words[0], "--version") == 0) {
        printf("bramble %s\n", bramble_version());
        return BRAMBLE_OK;
    }
    if (words[0][0] == '-')
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "\"%.60s\": a command comes first; 'bramble --help' lists them", words[0]);
    int n_words;
    const struct command *command = command_find(words, &n_words);
    if (!command) return unknown_command(words[0], error);
    if (!command->run) return run_group(command, words[n_words], error);
    return run_command(command, words, n_words, NULL, error);
}
