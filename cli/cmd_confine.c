/* bramble confine: how MPI's daemon is started on every node. */
#include <string.h>

#include "common.h"

struct confine_values {
    const char *network;
    struct word_list command;
};

static bramble_status run(const void *values, bramble_error *error)
{
    const struct confine_values *v = values;
    const char *words[WORD_LIST_MAX + 1] = {NULL};
    memcpy(words, v->command.words, v->command.n * sizeof *words);
    return bramble_confine(v->network, words, error);
}

static const char *const paragraphs[] = {
    "Becomes another program, whose TCP sockets listen on one network alone. bramble starts MPI's daemons "
    "so; people never need to.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "NETWORK",
     .help = "ADDRESS/BITS, such as 192.168.1.0/24",
     .offset = FIELD(confine_values, network)},
    {.name = "COMMAND",
     .help = "the program and its words, after --",
     .offset = FIELD(confine_values, command),
     .many = true},
    {.name = NULL},
};

const struct command command_confine = {
    .name = "confine",
    .summary = "have a program listen on one network alone",
    .hidden = true,
    .paragraphs = paragraphs,
    .arguments = arguments,
    .defaults = &(const struct confine_values){0},
    .values_size = sizeof(struct confine_values),
    .run = run,
};
