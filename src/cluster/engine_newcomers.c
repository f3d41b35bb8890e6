#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "cluster/engine_internal.h"

#define COMING_IN_COSTS 3.0 /* seconds of the others' work: MPI starts beside them, and they go over */

/* Until those at work have done the job; 0: not known, or there is none. */
static double seconds_left(struct engine *engine)
{
    double rate = 0;
    for (size_t i = 0; engine->now && i < engine->now->n_members; i++)
        rate += engine_member(engine, engine->now, i)->status.rate;
    pthread_mutex_lock(&engine->lock);
    bool open = engine->job && !engine->job_over;
    uint32_t left = open ? engine->n_tasks - engine->tasks_done : 0;
    if (engine->chained) rate = (engine->tasks_done - engine->since_done) / (clock_seconds() - engine->since);
    pthread_mutex_unlock(&engine->lock);
    return rate > 0 ? left / rate : 0;
}

static bool is_worth_it(struct engine *engine, size_t node)
{
    double adds = roster_adds(&engine->roster, node);
    if (isinf(adds) || (engine->now && engine->now->refusal.status)) return true;
    return seconds_left(engine) * adds / (1 + adds) > COMING_IN_COSTS;
}

bool engine_wants(struct engine *engine, size_t node)
{
    struct roster_entry *entry = engine->roster.entries[node];
    bool wanted = is_worth_it(engine, node);
    if (wanted == !entry->left_out) return wanted;
    entry->left_out = !wanted;
    snprintf(entry->status.problem, sizeof entry->status.problem, "%s",
             wanted ? "" : "so slow that the run would end later with it");
    if (!wanted) engine_tell(engine, "note", entry->node.name, "%s", entry->status.problem);
    return wanted;
}

bool engine_wants_somebody(struct engine *engine)
{
    bool any = false;
    for (size_t i = 0; i < engine->roster.n && engine->now->n_members < GENERATION_MEMBERS; i++)
        any |=
            engine->roster.entries[i]->present && !generation_has(engine->now, i) && engine_wants(engine, i);
    return any;
}
