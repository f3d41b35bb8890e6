#include "net/schedule.h"

#include "net/powers.h"

/* From `begin` to `end` along half a cosine; share: how much of the way, 0 to 1. */
static double anneal(double begin, double end, double share)
{
    return end + (begin - end) * (1.0 + cosine_of_pi(share)) / 2.0;
}

/* Step of `steps`, both behind the warm-up. The last step of the rise has learning_rate, the last of all the
 * least. */
static double one_cycle(const struct schedule *s, uint64_t step, uint64_t steps)
{
    double first = s->learning_rate / s->first_divisor, last = first / s->last_divisor;
    double rise = s->rise * (double)steps - 1.0, top = rise > 0 ? rise : 0, end = (double)steps - 1.0,
           at = (double)step;
    if (at <= top && top > 0) return anneal(first, s->learning_rate, at / top);
    if (end <= top) return s->learning_rate;
    return anneal(s->learning_rate, last, (at - top) / (end - top));
}

static double behind_warmup(const struct schedule *s, uint64_t step, uint64_t steps)
{
    switch (s->kind) {
    case SCHEDULE_STEP: return s->learning_rate * power_whole(s->gamma, step / s->period);
    case SCHEDULE_COSINE:
        if (!steps) return s->learning_rate;
        step = step < steps ? step : steps - 1;
        return anneal(s->learning_rate, s->last_learning_rate, (double)step / (double)steps);
    case SCHEDULE_ONE_CYCLE:
        if (!steps) return s->learning_rate;
        return one_cycle(s, step < steps ? step : steps - 1, steps);
    case SCHEDULE_CONSTANT: break;
    }
    return s->learning_rate;
}

double schedule_learning_rate(const struct schedule *schedule, uint64_t step)
{
    uint64_t warmup = schedule->warmup;
    uint64_t steps = schedule->steps > warmup ? schedule->steps - warmup : 0;
    if (step >= warmup) return behind_warmup(schedule, step - warmup, steps);
    return behind_warmup(schedule, 0, steps) * ((double)(step + 1) / (double)warmup);
}
