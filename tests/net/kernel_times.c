/*
 * GFLOP/s of the kernels, on the shapes that the MLP, the small CNN and ResNet-20 have at 16 samples, beside
 * OpenBLAS's sgemm on the product of the same size (for which a convolution would first have to copy its
 * patches). Times are interleaved and the best of several: other work on the machine disturbs them.
 */
#include "kernel_times.h"

#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "net/kernels/products.h"

enum { SAMPLES = 16, LEVELS = 3, REPEATS = 7 };
enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111 }; /* CBLAS's numbers */

typedef void sgemm_function(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                            const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);

/* A layer: an image of side x side x channels and `taps` x `taps` weights, or rows alone (taps 1). */
struct layer {
    const char *name;
    uint32_t side, channels, taps, stride, n;
};

static const struct layer layers[] = {
    {"1024^3", 8, 1024, 1, 1, 1024},      {"mlp 784-512", 1, 784, 1, 1, 512},
    {"mlp 512-256", 1, 512, 1, 1, 256},   {"mlp 256-10", 1, 256, 1, 1, 10},
    {"cnn 1-32", 28, 1, 3, 1, 32},        {"cnn 32-64", 14, 32, 3, 1, 64},
    {"cnn 3136-128", 1, 3136, 1, 1, 128}, {"resnet 1-16", 28, 1, 3, 1, 16},
    {"resnet 16-16", 28, 16, 3, 1, 16},   {"resnet 16-32/2", 28, 16, 3, 2, 32},
    {"resnet 32-32", 14, 32, 3, 1, 32},   {"resnet 64-64", 7, 64, 3, 1, 64},
    {"resnet18 512", 7, 512, 3, 1, 512},
};

struct bench {
    struct layer layer;
    uint32_t out, padded, k; /* output's side, padded image's, numbers in a chain */
    float *x, *y, *b, *g;
    uint32_t *rows, segments[16];
    sgemm_function *sgemm;
    const struct net_kernels *kernels;
};

static sgemm_function *load_sgemm(void)
{
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) return NULL;
    void (*set_threads)(int) = NULL;
    sgemm_function *sgemm = NULL;
    *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
    *(void **)&sgemm = dlsym(library, "cblas_sgemm");
    if (set_threads) set_threads(1);
    dlclose(library);
    return sgemm;
}

static float *room(size_t n)
{
    float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
    if (!x) abort();
    for (size_t i = 0; i < n; i++) x[i] = (float)(i % 7) / 8;
    return x;
}

static void bench_init(struct bench *bench, const struct layer *layer)
{
    uint32_t border = layer->taps - 1;
    *bench = (struct bench){.layer = *layer, .k = layer->taps * layer->taps * layer->channels};
    bench->out = (layer->side + layer->stride - 1) / layer->stride;
    bench->padded = layer->side + border;
    size_t pixels = (size_t)SAMPLES * bench->out * bench->out;
    size_t image = (size_t)bench->padded * bench->padded * layer->channels;
    size_t patches = pixels * bench->k; /* what sgemm reads */
    bench->x = room(patches > SAMPLES * image ? patches : SAMPLES * image);
    bench->y = room(pixels * layer->n);
    bench->b = room(packed_size(bench->k, layer->n));
    bench->g = room((size_t)bench->k * layer->n);
    bench->rows = calloc((size_t)bench->out * bench->out, sizeof *bench->rows);
    if (!bench->rows) abort();
    for (uint32_t i = 0; i < bench->out * bench->out; i++)
        bench->rows[i] = (i / bench->out * bench->padded + i % bench->out) * layer->stride * layer->channels;
    for (uint32_t s = 0; s < layer->taps; s++) bench->segments[s] = s * bench->padded * layer->channels;
}

static void bench_fini(struct bench *bench)
{
    free(bench->x);
    free(bench->y);
    free(bench->b);
    free(bench->g);
    free(bench->rows);
}

static void multiply_blas(const struct bench *bench)
{
    int m = (int)(SAMPLES * bench->out * bench->out), n = (int)bench->layer.n, k = (int)bench->k;
    bench->sgemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, m, n, k, 1, bench->x, k, bench->b, n, 0, bench->y, n);
}

static void multiply(const struct bench *bench)
{
    uint32_t pixels = bench->out * bench->out;
    bool flat = bench->layer.taps == 1;
    struct net_product p = {.a = bench->x,
                            .rows = flat ? NULL : bench->rows,
                            .a_stride = bench->k,
                            .n_rows = flat ? SAMPLES * pixels : pixels,
                            .segments = bench->segments,
                            .n_segments = bench->layer.taps,
                            .length = bench->layer.taps * bench->layer.channels,
                            .b = bench->b,
                            .n = bench->layer.n,
                            .y = bench->y,
                            .y_stride = bench->layer.n};
    for (uint32_t i = 0; i < (flat ? 1 : SAMPLES); i++) {
        bench->kernels->product(&p);
        p.a += (size_t)bench->padded * bench->padded * bench->layer.channels;
        p.y += (size_t)pixels * bench->layer.n;
    }
}

/* All of a weight's gradient. */
static void multiply_outer(const struct bench *bench)
{
    const struct layer *layer = &bench->layer;
    bool flat = layer->taps == 1;
    struct net_outer o = {.a_inner = (size_t)layer->stride * layer->channels,
                          .a_outer = (size_t)layer->stride * bench->padded * layer->channels,
                          .b_inner = layer->n,
                          .b_outer = (size_t)bench->out * layer->n,
                          .n_outer = flat ? 1 : bench->out,
                          .n_inner = flat ? SAMPLES * bench->out * bench->out : bench->out,
                          .n_rows = layer->channels,
                          .n = layer->n,
                          .g_stride = layer->n,
                          .sums_stride = layer->n};
    for (uint32_t i = 0; i < (flat ? 1 : SAMPLES); i++) {
        o.b = bench->y + (size_t)i * bench->out * bench->out * layer->n;
        for (uint32_t tap = 0; tap < layer->taps * layer->taps; tap++) {
            size_t pixel =
                ((size_t)i * bench->padded + tap / layer->taps) * bench->padded + tap % layer->taps;
            o.a = bench->x + pixel * layer->channels;
            o.g = bench->g + (size_t)tap * layer->channels * layer->n;
            o.start = i > 0 ? o.g : NULL;
            bench->kernels->outer(&o);
        }
    }
}

static double seconds_of(const struct bench *bench, void (*work)(const struct bench *bench))
{
    double start = clock_seconds(), now = start;
    uint64_t times = 0;
    do {
        work(bench);
        times++;
        now = clock_seconds();
    } while (now - start < 0.01);
    return (now - start) / (double)times;
}

static void keep_best(double *best, double seconds)
{
    if (*best == 0 || seconds < *best) *best = seconds;
}

static void time_layer(const struct layer *layer, sgemm_function *sgemm)
{
    static const char *const names[LEVELS] = {"neon", "avx2", "avx512"};
    struct bench bench;
    double blas = 0, best[LEVELS][2] = {{0}};
    bench_init(&bench, layer);
    bench.sgemm = sgemm;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        if (sgemm) keep_best(&blas, seconds_of(&bench, multiply_blas));
        for (int i = 0; i < LEVELS; i++) {
            enum cpu_level level;
            if (!cpu_level_parse(names[i], &level)) continue;
            bench.kernels = net_kernels_for(level);
            keep_best(&best[i][0], seconds_of(&bench, multiply));
            keep_best(&best[i][1], seconds_of(&bench, multiply_outer));
        }
    }
    double flops = 2e-9 * SAMPLES * bench.out * bench.out * bench.k * layer->n;
    printf("%-16s", layer->name);
    if (sgemm) printf(" sgemm %6.1f", flops / blas);
    for (int i = 0; i < LEVELS; i++)
        if (best[i][0] > 0)
            printf("   %s product %6.1f outer %6.1f", names[i], flops / best[i][0], flops / best[i][1]);
    printf("\n");
    fflush(stdout);
    bench_fini(&bench);
}

int kernel_times(const char *only)
{
    sgemm_function *sgemm = load_sgemm();
    printf("GFLOP/s on one thread, 16 samples%s\n", sgemm ? "" : " (no OpenBLAS here)");
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++)
        if (!only || strstr(layers[i].name, only)) time_layer(&layers[i], sgemm);
    return 0;
}
