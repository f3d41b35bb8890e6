/* bramble rank: what the engine starts on every node. */
#include "common.h"

struct rank_values {
    const char *session, *orders, *reports;
    uint32_t threads, memory;
};

static bramble_status run(const void *values, bramble_error *error)
{
    const struct rank_values *v = values;
    return bramble_rank_run(v->threads, v->memory * UINT64_C(1000000), v->orders, v->reports, error);
}

static const char *const paragraphs[] = {
    "A process of a cluster's job. bramble starts it by mpiexec; it is of no use by hand.",
    NULL,
};

static const struct option options[] = {
    {.name = "session",
     .value = "NAME",
     .kind = OPTION_TEXT,
     .offset = FIELD(rank_values, session),
     .help = "whose process this is; by it leftovers are found"},
    {.name = "orders",
     .value = "PIPE",
     .kind = OPTION_TEXT,
     .offset = FIELD(rank_values, orders),
     .help = "rank 0: where orders come from"},
    {.name = "reports",
     .value = "PIPE",
     .kind = OPTION_TEXT,
     .offset = FIELD(rank_values, reports),
     .help = "rank 0: where reports go"},
    OPTION_THREADS_AT(FIELD(rank_values, threads)),
    {.name = "memory",
     .value = "MB",
     .kind = OPTION_COUNT,
     .offset = FIELD(rank_values, memory),
     .fallback = "0",
     .help = "the most data may take here; 0 is what is free"},
    {.name = NULL},
};

const struct command command_rank = {
    .name = "rank",
    .summary = "take part in a cluster's job",
    .hidden = true,
    .paragraphs = paragraphs,
    .options = options,
    .defaults = &(const struct rank_values){0},
    .values_size = sizeof(struct rank_values),
    .run = run,
};
