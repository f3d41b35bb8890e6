/*
 * run_net FILE SAMPLES X OUT: what a network read from an ONNX file says of samples, as export_nets.py
 * compares it with what PyTorch said. X and OUT are files of floats. Prints the input's and the output's
 * shape.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "model/onnx_net_read.h"
#include "net/step.h"

static float *read_floats(const char *path, size_t n)
{
    float *x = mem_alloc(n, sizeof *x);
    FILE *file = fopen(path, "rb");
    if (!x || !file || fread(x, sizeof *x, n, file) != n || fgetc(file) != EOF) {
        fprintf(stderr, "%s: not %zu floats\n", path, n);
        exit(1);
    }
    fclose(file);
    return x;
}

static void write_floats(const char *path, const float *x, size_t n)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(x, sizeof *x, n, file) != n || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    struct net_graph *graph;
    enum net_ending ending;
    bramble_error error = {0};
    char in[64], out[64];
    if (argc != 5) return 2;
    if (onnx_net_read(&graph, &ending, true, argv[1], &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    const struct net_value *input = &graph->values[graph->input], *output = &graph->values[graph->output];
    size_t samples = strtoul(argv[2], NULL, 10);
    float *x = read_floats(argv[3], samples * input->size), *y = mem_alloc(samples * output->size, sizeof *y);
    if (!y || net_run(graph, x, samples, 1, y, &error)) {
        fprintf(stderr, "%s\n", error.message);
        return 1;
    }
    write_floats(argv[4], y, samples * output->size);
    printf("%s -> %s, %u nodes, ending %d\n", shape_text(&input->shape, in), shape_text(&output->shape, out),
           graph->n_nodes, (int)ending);
    mem_free(x);
    mem_free(y);
    graph_fini(graph);
    mem_free(graph);
    return 0;
}
