/* Prediction: every microbatch goes through the whole network on its own. */
#include "base/error.h"
#include "base/threads.h"
#include "net/fuse.h"
#include "net/machine.h"
#include "net/step.h"

static bramble_status run_planned(const struct plan *plan, struct net_graph *graph, const float *x,
                                  uint64_t samples, uint32_t threads, float *out, bramble_error *error)
{
    uint64_t microbatches = (samples + MICROBATCH - 1) / MICROBATCH;
    if (!threads) threads = threads_available();
    if (threads > microbatches) threads = microbatches ? (uint32_t)microbatches : 1;
    struct team *team = team_new(threads);
    if (!team) return error_memory(error, "a network's prediction");
    struct machine machine;
    bramble_status status = machine_init(&machine, plan, graph, team, error);
    if (!status) {
        machine.input = x;
        machine.output = out;
        machine.samples = samples;
        machine_prepare(&machine);
        for (uint32_t phase = 0; phase < plan->n_phases; phase++) machine_phase(&machine, phase);
        machine_fini(&machine);
    }
    team_free(team);
    return status;
}

bramble_status net_run(const struct net_graph *graph, const float *x, uint64_t samples, uint32_t threads,
                       float *out, bramble_error *error)
{
    struct net_graph fused;
    struct plan plan;
    bramble_status status = fuse_init(&fused, graph, error);
    if (status) return status;
    status = plan_init(&plan, &fused, false, MICROBATCH, error);
    if (!status) {
        status = run_planned(&plan, &fused, x, samples, threads, out, error);
        plan_fini(&plan);
    }
    fuse_fini(&fused);
    return status;
}
