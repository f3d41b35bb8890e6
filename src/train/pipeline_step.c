#include <math.h>
#include <string.h>

#include "net/fold.h"
#include "net/operator.h"
#include "net/update.h"
#include "train/pipeline_internal.h"

/* A step on its way. */
struct walk {
    struct pipeline *p;
    const struct net_batch *batch;
    uint32_t groups, stages;
    struct stage_target target;
    uint32_t bad;
};

static bramble_status take(const struct walk *w, uint32_t group, const struct exchanged *came)
{
    struct pipeline *p = w->p;
    uint64_t first, samples = stage_group(p->stage, group, &first);
    if (pipeline_is_first(p)) {
        stage_take(p->stage, group, w->batch->x + first * pipeline_in(p));
        return BRAMBLE_OK;
    }
    if (came->length != samples * pipeline_in(p) * sizeof(float)) return pipeline_wrong(p->before, &p->error);
    stage_take(p->stage, group, came->bytes);
    return BRAMBLE_OK;
}

/* The group that is forward in this tick has come in, and goes on; the last stage keeps it. */
static bramble_status go_forward(const struct walk *w, uint32_t tick, const struct exchanged *came)
{
    struct pipeline *p = w->p;
    uint32_t group = tick - p->own;
    const float *output = NULL;
    uint64_t first, samples = 0;
    if (p->own != NET_NONE && tick >= p->own && group < w->groups) {
        bramble_status status = take(w, group, came);
        if (status) return status;
        samples = stage_group(p->stage, group, &first);
        output = stage_forward(p->stage, group);
    }
    mover_post(p->there, output ? p->behind : MOVER_NOBODY, output,
               output ? samples * pipeline_out(p) * sizeof(float) : 0);
    return BRAMBLE_OK;
}

static bramble_status go_backward(const struct walk *w, uint32_t tick, const struct exchanged *came)
{
    struct pipeline *p = w->p;
    uint32_t late = 2 * (w->stages - 1) - p->own, group = tick - late;
    const float *gradient = NULL;
    uint64_t first, samples = 0;
    if (p->own != NET_NONE && tick >= late && group < w->groups) {
        samples = stage_group(p->stage, group, &first);
        if (pipeline_is_last(p)) {
            gradient = stage_turn(p->stage, group, &w->target);
        } else {
            if (came->length != samples * pipeline_out(p) * sizeof(float))
                return pipeline_wrong(p->behind, &p->error);
            gradient = stage_backward(p->stage, group, came->bytes);
        }
    }
    bool sends = gradient && p->before != MOVER_NOBODY;
    mover_post(p->back, sends ? p->before : MOVER_NOBODY, gradient,
               sends ? samples * pipeline_in(p) * sizeof(float) : 0);
    if (samples) stage_settle(p->stage, group);
    return BRAMBLE_OK;
}

/* All groups through all stages and back. */
static bramble_status walk(const struct walk *w)
{
    struct pipeline *p = w->p;
    struct exchanged there = {0}, back = {0};
    bramble_status status = BRAMBLE_OK;
    for (uint32_t tick = 0; !status && tick < w->groups + 2 * (w->stages - 1); tick++) {
        if (tick) status = mover_wait(p->there, p->before, &there, &p->error);
        if (!status) status = go_forward(w, tick, &there);
        if (!status && tick) status = mover_wait(p->back, p->behind, &back, &p->error);
        if (!status) status = go_backward(w, tick, &back);
    }
    if (!status) status = mover_wait(p->there, MOVER_NOBODY, &there, &p->error);
    if (!status) status = mover_wait(p->back, MOVER_NOBODY, &back, &p->error);
    return status;
}

/* All groups forward once more, to find where numbers ran away. */
static bramble_status look(struct walk *w)
{
    struct pipeline *p = w->p;
    struct exchanged came = {0};
    bramble_status status = BRAMBLE_OK;
    for (uint32_t tick = 0; !status && tick < w->groups + w->stages - 1; tick++) {
        uint32_t group = tick - p->own;
        const float *output = NULL;
        uint64_t first, samples = 0;
        if (p->own != NET_NONE && tick >= p->own && group < w->groups) {
            if ((status = take(w, group, &came))) return status;
            samples = stage_group(p->stage, group, &first);
            output = stage_look(p->stage, group, &w->bad);
        }
        bool sends = output && p->behind != MOVER_NOBODY;
        mover_post(p->there, sends ? p->behind : MOVER_NOBODY, output,
                   sends ? samples * pipeline_out(p) * sizeof(float) : 0);
        status = mover_wait(p->there, p->before, &came, &p->error);
    }
    return status;
}

/* Node `bad`, told by whoever has it. */
static bramble_status find_bad_node(struct walk *w, uint32_t *bad)
{
    struct pipeline *p = w->p;
    uint32_t mine[2] = {NET_NONE, p->stage ? stage_bad_gradient(p->stage) : NET_NONE}, last = NET_NONE;
    w->bad = NET_NONE;
    if (p->stage) stage_undo(p->stage);
    bramble_status status = look(w);
    if (p->stage) stage_undo(p->stage);
    mine[0] = w->bad;
    if (!status) status = pipeline_all_gather(p, mine, sizeof mine, &p->error);
    *bad = NET_NONE;
    for (uint32_t m = 0; !status && m < p->exchanges->n_members; m++) {
        uint32_t theirs[2];
        if (p->theirs[m].length != sizeof theirs) return pipeline_wrong(m, &p->error);
        memcpy(theirs, p->theirs[m].bytes, sizeof theirs);
        if (theirs[0] < *bad) *bad = theirs[0];
        if (theirs[1] != NET_NONE && (last == NET_NONE || theirs[1] > last)) last = theirs[1];
    }
    if (*bad == NET_NONE) *bad = last;
    if (*bad == NET_NONE) *bad = p->graph->values[p->graph->output].producer;
    return status;
}

/* Puts the squares of all members' ranges in the order of one machine. */
static bramble_status order_squares(struct pipeline *p)
{
    const struct stages *stages = &p->layout.stages;
    size_t at[STAGES_MOST], n = 0;
    for (uint32_t s = 0; s < stages->n; s++) at[s] = PIPELINE_SUMMARY;
    for (uint32_t v = 0; v < p->graph->n_values; v++) {
        const struct net_value *value = &p->graph->values[v];
        if (value->kind != NET_PARAMETER) continue;
        uint32_t s = p->stage_of[v];
        size_t ranges = (value->size + UPDATE_RANGE - 1) / UPDATE_RANGE;
        const struct exchanged *sent = &p->theirs[stages->members[s]];
        if (sent->length / sizeof(double) < at[s] + ranges)
            return pipeline_wrong(stages->members[s], &p->error);
        memcpy(p->squares + n, (const char *)sent->bytes + at[s] * sizeof(double), ranges * sizeof(double));
        at[s] += ranges;
        n += ranges;
    }
    for (uint32_t s = 0; s < stages->n; s++)
        if (p->theirs[stages->members[s]].length != at[s] * sizeof(double))
            return pipeline_wrong(stages->members[s], &p->error);
    return BRAMBLE_OK;
}

/* What all stages came to: loss, the length of the gradient, and what the first member wants all to know. */
static bramble_status sum_up(struct pipeline *p, struct step_result *result, bool *agreed)
{
    struct loss_sum sum = {0};
    uint32_t n = 0;
    if (p->stage) {
        const double *squares = stage_squares(p->stage, &n);
        memcpy(p->summary + PIPELINE_SUMMARY, squares, n * sizeof *squares);
        if (pipeline_is_last(p)) sum = stage_loss(p->stage);
    }
    const double head[PIPELINE_SUMMARY] = {sum.loss, sum.weight, (double)sum.correct, *agreed};
    memcpy(p->summary, head, sizeof head);
    bramble_status status =
        pipeline_all_gather(p, p->summary, (PIPELINE_SUMMARY + n) * sizeof *p->summary, &p->error);
    if (!status) status = order_squares(p);
    if (status) return status;
    double last[PIPELINE_SUMMARY], first[PIPELINE_SUMMARY];
    if (p->theirs[0].length < sizeof first) return pipeline_wrong(0, &p->error);
    memcpy(last, p->theirs[p->layout.stages.members[p->layout.stages.n - 1]].bytes, sizeof last);
    memcpy(first, p->theirs[0].bytes, sizeof first);
    if (!(last[2] >= 0 && last[2] <= UINT32_MAX))
        return pipeline_wrong(p->layout.stages.members[p->layout.stages.n - 1], &p->error);
    fold_doubles(p->squares, p->n_ranges, 1, 1);
    *result = (struct step_result){.loss = last[1] == 0 ? 0 : last[0] / last[1],
                                   .gradient_norm = p->n_ranges ? sqrt(p->squares[0]) : 0,
                                   .correct = (uint64_t)last[2],
                                   .bad_node = NET_NONE};
    *agreed = first[3] != 0;
    return BRAMBLE_OK;
}

struct step_result pipeline_step(struct pipeline *p, const struct net_batch *batch, uint64_t step,
                                 double learning_rate, bool *agreed)
{
    struct walk w = {.p = p, .batch = batch, .stages = p->layout.stages.n};
    uint32_t microbatches = (batch->samples + MICROBATCH - 1) / MICROBATCH;
    w.groups = (microbatches + p->layout.group - 1) / p->layout.group;
    w.target = (struct stage_target){.target = batch->target, .weight = batch->sample_weight};
    w.target.total_weight = loss_weight(&p->options.loss, NULL, batch->all_weights, batch->samples,
                                        (uint32_t)p->graph->values[p->graph->output].size);
    struct step_result result = {.bad_node = NET_NONE};
    if (p->stage) stage_begin(p->stage, batch->samples, step);
    result.broken = walk(&w) || sum_up(p, &result, agreed);
    if (result.broken) return result;
    if (!isfinite(result.loss) || !isfinite(result.gradient_norm))
        result.broken = find_bad_node(&w, &result.bad_node) != BRAMBLE_OK;
    else if (p->stage)
        stage_update(p->stage, result.gradient_norm, learning_rate);
    return result;
}
