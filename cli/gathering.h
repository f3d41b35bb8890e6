/* A cluster at work for a command: its engine, and what a person hears of it. */
#ifndef CLI_GATHERING_H
#define CLI_GATHERING_H

#include <bramble/bramble.h>

#include "json_out.h"
#include "report/progress.h"

struct gathering;

/* Begins to gather the nodes in `path`. What happens goes into the run's log of events, and results into its
 * folder; run NULL: it is not kept. `unit` is what nodes do, one and several of it: {"tree", "trees"}. */
bramble_status gathering_begin(struct gathering **out, const char *path, const char *const unit[2],
                               bramble_run *run, bramble_error *error);

bramble_engine *gathering_engine(const struct gathering *gathering);

/* A line about the whole, into the log and for who watches. */
void gathering_note(struct gathering *gathering, const char *text);

/* How far it is, in units. */
struct gathered {
    uint64_t done, total;
    double seconds;
    const bramble_member *members; /* n_members */
    size_t n_members;
};

/* Shows that, and what happened since it was shown last. */
void gathering_show(struct gathering *gathering, struct progress *progress, const struct gathered *now);

/* "members": what each node did, as it was when it was shown last. */
void gathering_put(const struct gathering *gathering, struct json_out *out);

/* "6 nodes: desktop 62 trees, laptop 60, ..." on a line of stdout. */
void gathering_print(const struct gathering *gathering);

/* Sends the nodes home. NULL is fine. */
void gathering_end(struct gathering *gathering);

#endif
