/* The memory of a machine. */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/kernels/products.h"
#include "net/machine.h"

enum { PAGE = 4096 };

bramble_status machine_init(struct machine *machine, const struct plan *plan, struct net_graph *graph,
                            struct team *team, bramble_error *error)
{
    *machine = (struct machine){.plan = plan, .graph = graph, .team = team};
    machine->kernels = net_kernels_or_best(NULL);
    atomic_init(&machine->bad_node, NET_NONE);
    machine->thread_stride = (plan->thread_bytes + plan->scratch_bytes + PAGE - 1) / PAGE * PAGE;
    machine->whole = mem_alloc_large(plan->whole_bytes, 1);
    machine->prepared = mem_alloc_large(plan->prepared_bytes, 1);
    machine->threads = mem_alloc_large(team_size(team), machine->thread_stride);
    machine->partials = mem_alloc_aligned(plan->n_partials, sizeof *machine->partials);
    machine->batch = mem_alloc_aligned(plan->n_batch, sizeof *machine->batch);
    machine->gradients =
        plan->training ? mem_alloc_large(plan->n_gradients, sizeof *machine->gradients) : NULL;
    machine->losses =
        mem_alloc_aligned((size_t)plan->microbatches * MACHINE_LOSS_NUMBERS, sizeof *machine->losses);
    if (!machine->whole || !machine->prepared || !machine->threads || !machine->partials || !machine->batch ||
        (plan->training && !machine->gradients) || !machine->losses) {
        machine_fini(machine);
        return error_memory(error, plan->training ? "training a network; try a smaller batch size"
                                                  : "a network's prediction");
    }
    if (plan->training) memset(machine->gradients, 0, plan->n_gradients * sizeof *machine->gradients);
    return BRAMBLE_OK;
}

void machine_fini(struct machine *machine)
{
    mem_free(machine->whole);
    mem_free(machine->prepared);
    mem_free(machine->threads);
    mem_free(machine->partials);
    mem_free(machine->batch);
    mem_free(machine->gradients);
    mem_free(machine->losses);
    *machine = (struct machine){0};
}

size_t machine_bytes(const struct machine *machine)
{
    const struct plan *plan = machine->plan;
    return plan->whole_bytes + plan->prepared_bytes + team_size(machine->team) * machine->thread_stride +
           plan->n_partials * sizeof(double) + (plan->n_batch + plan->n_gradients) * sizeof(float);
}
