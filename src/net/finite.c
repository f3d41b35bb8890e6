#include "net/finite.h"

#include <string.h>

#include "net/kernels/kernel.h"

KERNEL static uint32_t exponents_of(const float *x, size_t n)
{
    uint32_t most = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7f800000u; /* all set: infinite or no number */
        most = bits > most ? bits : most;
    }
    return most;
}

bool numbers_are_finite(const float *x, size_t n)
{
    return exponents_of(x, n) != 0x7f800000u;
}

static bool has_bad_gradient(const struct plan *plan, uint32_t n, const float *gradients)
{
    const struct net_graph *graph = plan->graph;
    for (uint32_t i = 0; i < graph->nodes[n].n_inputs && plan->nodes[n].needed; i++) {
        uint32_t v = graph->nodes[n].inputs[i];
        if (v == NET_NONE || graph->values[v].kind != NET_PARAMETER) continue;
        if (!numbers_are_finite(gradients + graph->values[v].offset, graph->values[v].size)) return true;
    }
    return false;
}

uint32_t finite_bad_gradient(const struct plan *plan, const float *gradients)
{
    for (uint32_t n = plan->graph->n_nodes; n-- > 0;)
        if (has_bad_gradient(plan, n, gradients)) return n;
    return NET_NONE;
}
