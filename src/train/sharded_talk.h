/* The conversation of the members of a sharded forest: one exchange after the other, each of which may also
 * tell that a member gives up. */
#ifndef TRAIN_SHARDED_TALK_H
#define TRAIN_SHARDED_TALK_H

#include "train/sharded_forest.h"
#include "train/sharded_wire.h"

struct member {
    uint32_t held_begin, held_end; /* features whose codes it has */
    struct wire_reader reader;     /* of what it sent last */
};

struct talk {
    const struct exchange *exchange;
    struct member *members;   /* n_members */
    struct exchanged *theirs; /* n_members */
    struct str mine;          /* what is sent next, put there after talk_begin */
};

bool talk_init(struct talk *talk, const struct exchange *exchange); /* false: out of memory */
void talk_fini(struct talk *talk);

void talk_begin(struct talk *talk);

/* Sends `mine`, or, when `own` is an error (which *error describes already), that we give up; then returns
 * it. All readers stand at what their members sent; another member's giving up is an error too. */
bramble_status talk_exchange(struct talk *talk, bramble_status own, bramble_error *error);

/* Everything that was sent must have been read, and understood. */
bramble_status talk_check(const struct talk *talk, bramble_error *error);

/* Tells what we hold, and checks that everybody means the same forest and all features are there once. */
bramble_status talk_meet(struct talk *talk, const struct sharded_job *job, bramble_error *error);

#endif
