/* bramble node-report: what 'bramble nodes' runs on every node. */
#include <stdio.h>

#include "common.h"

struct node_report_values {
    bool measure;
};

static bramble_status run(const void *values, bramble_error *error)
{
    const struct node_report_values *v = values;
    char *json;
    bramble_status status = bramble_node_report(&json, v->measure, error);
    if (status) return status;
    printf("%s\n", json);
    bramble_string_free(json);
    return BRAMBLE_OK;
}

static const char *const paragraphs[] = {
    "Prints what this machine is and how it feels as one JSON object. 'bramble nodes' runs it on every node; "
    "people "
    "rarely need it.",
    NULL,
};

static const struct option options[] = {
    {.name = "measure",
     .kind = OPTION_FLAG,
     .offset = FIELD(node_report_values, measure),
     .help = "also measure the speed of its kernels, on all cores: two seconds more"},
    {.name = NULL},
};

const struct command command_node_report = {
    .name = "node-report",
    .summary = "say what this machine is, as JSON",
    .hidden = true,
    .paragraphs = paragraphs,
    .options = options,
    .defaults = &(const struct node_report_values){0},
    .values_size = sizeof(struct node_report_values),
    .run = run,
};
