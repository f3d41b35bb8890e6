/*
 * sgemm's speed. OpenBLAS is loaded only for this, so that programs that train forests pay neither for
 * loading it nor for the threads it starts.
 */
#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/threads.h"
#include "train/node_speed.h"

enum { SIDE = 384 };
enum { ROW_MAJOR = 101, NO_TRANSPOSE = 111 }; /* CBLAS's numbers */

/* C = alpha A B + beta C, as CBLAS declares it. */
typedef void sgemm_function(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                            const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);

struct blas {
    sgemm_function *sgemm;
    void (*set_threads)(int n);
};

struct multiplying {
    struct blas blas;
    double until;
    double *gflops; /* a thread's */
};

static bool load(struct blas *blas)
{
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!library) return false;
    *(void **)&blas->sgemm = dlsym(library, "cblas_sgemm");
    *(void **)&blas->set_threads = dlsym(library, "openblas_set_num_threads");
    dlclose(library);
    return blas->sgemm && blas->set_threads;
}

static void multiply(void *context, uint32_t thread, uint64_t part)
{
    struct multiplying *work = context;
    (void)thread;
    float *a = mem_alloc_aligned((size_t)SIDE * SIDE, sizeof *a);
    float *b = mem_alloc_aligned((size_t)SIDE * SIDE, sizeof *b);
    float *c = mem_alloc_aligned((size_t)SIDE * SIDE, sizeof *c);
    for (size_t i = 0; a && b && i < (size_t)SIDE * SIDE; i++) a[i] = b[i] = (float)(i % 7) / 8;
    double start = clock_seconds(), now = start, products = 0;
    for (; a && b && c && (now < work->until || products == 0); now = clock_seconds()) {
        work->blas.sgemm(ROW_MAJOR, NO_TRANSPOSE, NO_TRANSPOSE, SIDE, SIDE, SIDE, 1, a, SIDE, b, SIDE, 0, c,
                         SIDE);
        products++;
    }
    if (products > 0) work->gflops[part] = products * 2e-9 * SIDE * SIDE * SIDE / (now - start);
    mem_free(a);
    mem_free(b);
    mem_free(c);
}

double gemm_speed_measure(uint32_t threads, double seconds)
{
    struct multiplying work = {0};
    double sum = 0;
    if (!load(&work.blas)) return NAN;
    work.gflops = mem_zalloc(threads, sizeof *work.gflops);
    if (!work.gflops) return NAN;
    work.blas.set_threads(1); /* the threads are ours */
    work.until = clock_seconds() + seconds;
    threads_run(threads, threads, multiply, &work);
    for (uint32_t t = 0; t < threads; t++) sum += work.gflops[t];
    mem_free(work.gflops);
    return sum > 0 ? sum : NAN;
}
