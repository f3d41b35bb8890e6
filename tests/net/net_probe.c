/*
 * Trains small networks for tests/net/torch/, which compares with PyTorch.
 *
 *   net_probe CASE...
 *
 * For each, CASE.txt and CASE.in are read (net_probe.h), and written are CASE.values, a line for each
 * parameter, then for each state: KIND NAME DIM...; and CASE.out, 4-byte floats:
 *   parameters and states, in the order of CASE.values
 *   outputs of prediction for the first step's inputs
 *   loss and count of right ones of the first step
 *   gradients of the parameters
 *   each step's loss
 *   parameters and states after all steps
 * A case that is refused has its message in CASE.error instead.
 */
#include <stdlib.h>

#include "net_probe.h"

struct batch {
    float *x;
    void *target;
};

static FILE *create(const char *prefix, const char *suffix)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s", prefix, suffix);
    FILE *file = fopen(path, "wb");
    if (!file) probe_die("cannot create it", path);
    return file;
}

static void write_floats(FILE *file, const float *numbers, size_t n)
{
    if (fwrite(numbers, sizeof *numbers, n, file) != n) probe_die("cannot write", "CASE.out");
}

static void write_float(FILE *file, double number)
{
    float narrow = (float)number;
    write_floats(file, &narrow, 1);
}

/* Those of the values of one kind, which lie at `numbers` as they do in graph->weights. */
static void write_kind(FILE *file, const struct net_graph *graph, enum net_kind kind, const float *numbers)
{
    for (uint32_t v = 0; v < graph->n_values; v++)
        if (graph->values[v].kind == kind)
            write_floats(file, numbers + graph->values[v].offset, graph->values[v].size);
}

static void write_values(const char *prefix, const struct net_graph *graph)
{
    FILE *file = create(prefix, ".values");
    for (int states = 0; states < 2; states++)
        for (uint32_t v = 0; v < graph->n_values; v++) {
            const struct net_value *value = &graph->values[v];
            if (value->kind != (states ? NET_STATE : NET_PARAMETER)) continue;
            fprintf(file, "%s %s", states ? "state" : "parameter", value->name);
            for (uint32_t i = 0; i < value->shape.rank; i++) fprintf(file, " %u", value->shape.dim[i]);
            fprintf(file, "\n");
        }
    if (fclose(file)) probe_die("cannot write", "CASE.values");
}

static struct batch read_batch(struct probe *probe)
{
    const struct net_graph *graph = &probe->graph;
    size_t samples = probe->options.batch_size, n = samples * graph->values[graph->input].size;
    bool classes = probe->options.loss.kind == LOSS_CROSS_ENTROPY;
    size_t targets = samples * (classes ? 1 : graph->values[graph->output].size);
    struct batch batch = {malloc(n * sizeof *batch.x), malloc(targets * 4)};
    if (!batch.x || !batch.target) probe_die("out of memory", "a batch");
    probe_numbers(probe, batch.x, n);
    probe_numbers(probe, batch.target, targets);
    return batch;
}

static void batch_free(struct batch *batch)
{
    free(batch->x);
    free(batch->target);
}

static bramble_status predict(struct probe *probe, const struct batch *batch, FILE *out, bramble_error *error)
{
    const struct net_graph *graph = &probe->graph;
    uint32_t samples = probe->options.batch_size;
    size_t n = samples * graph->values[graph->output].size;
    float *y = calloc(n, sizeof *y);
    if (!y) probe_die("out of memory", "predictions");
    bramble_status status = net_run(graph, batch->x, samples, probe->options.threads, y, error);
    if (!status) write_floats(out, y, n);
    free(y);
    return status;
}

static void write_weights(FILE *file, const struct net_graph *graph)
{
    write_kind(file, graph, NET_PARAMETER, graph->weights);
    write_kind(file, graph, NET_STATE, graph->weights);
}

/* On a copy, for the states stay as they were. */
static bramble_status find_gradients(struct probe *probe, const struct batch *batch, FILE *out,
                                     bramble_error *error)
{
    struct net_graph copy;
    struct trainer *trainer;
    bramble_status status = graph_copy(&copy, &probe->graph, error);
    if (status) return status;
    status = trainer_new(&trainer, &copy, &probe->options, error);
    if (!status) {
        struct step_result result =
            trainer_gradients(trainer, batch->x, batch->target, NULL, probe->options.batch_size);
        write_float(out, result.loss);
        write_float(out, (double)result.correct);
        write_kind(out, &copy, NET_PARAMETER, trainer_gradient(trainer));
        trainer_free(trainer);
    }
    graph_fini(&copy);
    return status;
}

static bramble_status train(struct probe *probe, struct batch *first, FILE *out, bramble_error *error)
{
    struct trainer *trainer;
    bramble_status status = trainer_new(&trainer, &probe->graph, &probe->options, error);
    if (status) return status;
    for (uint32_t i = 0; i < probe->steps; i++) {
        struct batch later = i ? read_batch(probe) : (struct batch){0};
        const struct batch *batch = i ? &later : first;
        write_float(out, trainer_step(trainer, batch->x, batch->target, probe->options.batch_size,
                                      probe->learning_rate)
                             .loss);
        batch_free(&later);
    }
    trainer_free(trainer);
    write_weights(out, &probe->graph);
    return BRAMBLE_OK;
}

static bramble_status run(struct probe *probe, const char *prefix, bramble_error *error)
{
    FILE *out = create(prefix, ".out");
    struct batch batch = read_batch(probe);
    write_values(prefix, &probe->graph);
    write_weights(out, &probe->graph);
    bramble_status status = predict(probe, &batch, out, error);
    if (!status) status = find_gradients(probe, &batch, out, error);
    if (!status) status = train(probe, &batch, out, error);
    batch_free(&batch);
    if (fclose(out)) probe_die("cannot write", prefix);
    return status;
}

static void probe_case(const char *prefix)
{
    struct probe probe;
    bramble_error error = {0};
    bramble_status status = probe_read(&probe, prefix, &error);
    if (!status) status = run(&probe, prefix, &error);
    probe_fini(&probe);
    if (!status) return;
    FILE *file = create(prefix, ".error");
    fprintf(file, "%s\n", error.message);
    fclose(file);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) probe_case(argv[i]);
    return 0;
}
