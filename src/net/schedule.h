/*
 * The learning rate of each step: torch.optim.lr_scheduler's formulas, a step at a time, with a linear
 * warm-up in front. The same bits on every machine.
 */
#ifndef NET_SCHEDULE_H
#define NET_SCHEDULE_H

#include <stdint.h>

enum schedule_kind {
    SCHEDULE_CONSTANT,
    SCHEDULE_STEP,      /* times gamma every `period` steps: StepLR */
    SCHEDULE_COSINE,    /* half a cosine from learning_rate down to last_learning_rate: CosineAnnealingLR */
    SCHEDULE_ONE_CYCLE, /* up and down again, half a cosine each: OneCycleLR */
};

struct schedule {
    enum schedule_kind kind;
    double learning_rate;      /* the greatest */
    double last_learning_rate; /* cosine: where it would be one step behind the last */
    uint64_t steps;            /* of the whole training, warm-up included */
    uint64_t warmup;           /* the first so many steps rise evenly to where the schedule then begins: the
                                  first has 1 / warmup of that, the last of them all of it; counted from there,
                                  the schedule goes on over the others */
    uint64_t period;           /* step; >= 1 */
    double gamma;              /* step */
    double rise;               /* one-cycle: share of the steps in which it rises, 0 < . < 1 */
    double first_divisor;      /* one-cycle: begins at learning_rate divided by this ... */
    double last_divisor;       /* ... and ends at what it began with divided by this */
};

#define SCHEDULE_INIT                                                                                        \
    {                                                                                                        \
        .kind = SCHEDULE_CONSTANT, .period = 1, .gamma = 0.1, .rise = 0.3, .first_divisor = 25,              \
        .last_divisor = 1e4                                                                                  \
    }

/* Of step 0, 1, ... `steps` - 1; beyond, that of the last (a constant or stepped rate goes on). O(log step).
 */
double schedule_learning_rate(const struct schedule *schedule, uint64_t step);

#endif
