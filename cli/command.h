/*
 * What the program can do, as data. One table a command (in its cmd_*.c) feeds the parser (options.h), the
 * help (help.h), the manual pages (manual.h) and the tests that hold them to each other.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

enum option_kind {
    OPTION_FLAG,   /* --json                        bool: true */
    OPTION_TOGGLE, /* --bootstrap, --no-bootstrap   int: 1, 0 */
    OPTION_TEXT,   /* --out FILE                    const char *; one of `choices` where there are any */
    OPTION_CHOICE, /* --split test                  int: the value of one of `choices` */
    OPTION_COUNT,  /* --trees 100                   uint32_t in min..max */
    OPTION_SEED,   /* --seed 7                      uint64_t below 2^63 */
    OPTION_NUMBER, /* --holdout 0.2                 double in min..max */
    OPTION_SIZE,   /* --image-size 28x32            uint32_t[2]: height and width, at least 1 */
    OPTION_LIST,   /* --program A --program B       struct word_list: given once or more often */
};

enum { WORD_LIST_MAX = 256 };

struct word_list {
    const char *words[WORD_LIST_MAX];
    uint32_t n;
};

struct choice {
    const char *word;
    int value;
};

struct option {
    const char *name;  /* without its dashes; NULL ends a table */
    const char *alias; /* another name for it, or NULL */
    const char *value; /* what its value is called, "N"; NULL when it takes none */
    enum option_kind kind;
    size_t offset;                /* of its field in the command's values */
    double min, max;              /* COUNT, NUMBER; max 0: no limit */
    bool above_min, below_max;    /* min and max themselves are not allowed */
    const struct choice *choices; /* TEXT, CHOICE; ends with a NULL word */
    const char *fallback;         /* what happens without it, or NULL */
    const char *help;
};

/* Words that are not options, in order. */
struct argument {
    const char *name; /* "DATA"; NULL ends a table */
    const char *help;
    size_t offset; /* const char * */
    bool optional;
    bool many; /* the last one may stand for several words; then offset is of a struct word_list */
};

/* A key of the object --json prints. */
struct json_field {
    const char *key; /* NULL ends a table */
    const char *help;
};

struct example {
    const char *line, *help; /* line NULL ends a table */
};

/* Words that a value can have and that need explaining, asked of the library. */
struct listed {
    const char *name, *arguments, *what; /* arguments: "" for none */
};

struct listing {
    const char *title;                                /* "presets"; NULL ends a table */
    bool (*entry)(uint32_t i, struct listed *listed); /* false behind the last */
};

struct command {
    const char *name;              /* "train forest"; NULL ends the table */
    const char *summary;           /* one line, no full stop */
    bool hidden;                   /* for our own use on nodes: in no list, without a manual page */
    const char *const *paragraphs; /* the manual's description, NULL at the end */
    const struct argument *arguments;
    const struct option *options;
    const struct listing *listings;
    const struct json_field *fields; /* NULL: no --json */
    const struct example *examples;
    const void *defaults; /* values before any option */
    size_t values_size;
    /* Does it; results go to stdout. NULL: a word that other commands begin with ("train"). */
    bramble_status (*run)(const void *values, bramble_error *error);
    /* For commands whose runs are kept (docs/runs.md). */
    size_t words_offset; /* of a char *const * in the values that gets the command line's words; 0: none */
    /* Goes on with run `id`, which was begun with these values and is not running: takes it over with
     * bramble_run_resume when there is something to resume. NULL: there never is. */
    bramble_status (*resume)(const void *values, const char *id, bramble_error *error);
};

extern const struct command command_data, command_train, command_train_forest, command_train_net,
    command_predict, command_compare, command_evaluate, command_inspect, command_nodes, command_plan,
    command_cluster, command_cluster_init, command_cluster_install, command_cluster_add, command_confine,
    command_doctor, command_mpi_check, command_node_report, command_rank, command_runs, command_show,
    command_resume, command_bench, command_bench_scaling, command_help;

/* All of them, in the order of the help; a NULL at the end. */
extern const struct command *const commands[];

/* Adds a word; BRAMBLE_ERR_USAGE when there are too many. */
bramble_status word_list_add(struct word_list *list, const char *word, bramble_error *error);

/* Options every command has (--help). */
extern const struct option common_options[];

/* The command whose whole name the words begin with, and how many words that took; NULL: none. A name of two
 * words wins over one. */
const struct command *command_find(char *const *words, int *n_words);

/* True when lists of commands have it. */
bool command_listed(const struct command *command);

/* True when `command` is one of the group's ("train forest" of "train"). */
bool command_in_group(const struct command *command, const struct command *group);

/* Everything behind main: finds the command, parses, runs. `words` is argv without the program's name. */
bramble_status command_line_run(char *const *words, bramble_error *error);

/* Goes on with run `id`, whose command line had these words. */
bramble_status command_line_resume(char *const *words, const char *id, bramble_error *error);

#endif
