/* Networks that others exported: whatever is read is sound enough to be run, whatever is not is refused. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/onnx_net_read.h"
#include "net/step.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Small ones are run. */
static void use(const struct net_graph *graph)
{
    enum { SMALL = 1 << 16 };
    const struct net_value *input = &graph->values[graph->input], *output = &graph->values[graph->output];
    for (uint32_t v = 0; v < graph->n_values; v++)
        if (graph->values[v].size > SMALL) return;
    if (graph->n_nodes > 100) return;
    float *x = calloc(input->size, sizeof *x), *out = calloc(output->size, sizeof *out);
    if (x && out) net_run(graph, x, 1, 1, out, NULL);
    free(x);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net_graph *graph;
    bramble_error error;
    if (!size) return 0;
    if (onnx_net_decode(&graph, NULL, data[size - 1] & 1, data, size, "fuzz", &error)) {
        if (!*error.message || strchr(error.message, '\n')) abort();
        return 0;
    }
    use(graph);
    graph_fini(graph);
    mem_free(graph);
    return 0;
}
