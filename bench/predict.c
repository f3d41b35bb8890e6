/*
 * bench_predict MODEL ROWS REPEATS DATA: what a model costs through the public API on one thread; one JSON
 * object. ROWS is a file of raw float32, row after row, as other programs get them; DATA is read as a table,
 * its test part where it has one. Both are predicted REPEATS times after one that warms up, and seconds are
 * medians.
 */
#include <bramble/bramble.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct work {
    bramble_model *model;
    bramble_model_info info;
    bramble_table *table;
    float *x;      /* N x F */
    size_t n_rows; /* N, of x */
    float *out;    /* N x C, of whichever has more rows */
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static _Noreturn void fail(const char *message)
{
    fprintf(stderr, "%s\n", message);
    exit(1);
}

static void check(bramble_status status, const bramble_error *error)
{
    if (status != BRAMBLE_OK) fail(error->message);
}

/* The seconds it took. */
static double load_model(struct work *w, const char *path)
{
    bramble_error error = {0};
    double begin = now();
    check(bramble_model_load(&w->model, path, &error), &error);
    double seconds = now() - begin;
    bramble_model_info_get(w->model, &w->info);
    if (w->info.task != BRAMBLE_TASK_CLASSIFICATION) fail("this measures classifiers only");
    return seconds;
}

static void read_table(struct work *w, const char *path)
{
    bramble_error error = {0};
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.schema = bramble_model_schema(w->model);
    options.split = bramble_path_has_test(path) ? BRAMBLE_SPLIT_TEST : BRAMBLE_SPLIT_TRAIN;
    check(bramble_table_read(&w->table, path, &options, &error), &error);
}

static void read_rows(struct work *w, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) fail("ROWS cannot be read");
    long bytes = ftell(file);
    rewind(file);
    w->n_rows = (size_t)bytes / sizeof *w->x / w->info.n_features;
    w->x = malloc((size_t)bytes);
    if (!w->x || fread(w->x, 1, (size_t)bytes, file) != (size_t)bytes) fail("ROWS cannot be read");
    fclose(file);
}

static void allocate_out(struct work *w)
{
    size_t of_table = bramble_table_n_rows(w->table);
    size_t most = of_table > w->n_rows ? of_table : w->n_rows;
    w->out = calloc(most * w->info.n_classes, sizeof *w->out);
    if (!w->out) fail("out of memory");
}

static void predict_table(struct work *w)
{
    bramble_error error = {0};
    check(bramble_model_predict_proba(w->model, w->table, 1, w->out, &error), &error);
}

static void predict_rows(struct work *w)
{
    bramble_error error = {0};
    check(bramble_model_predict_proba_rows(w->model, w->x, w->n_rows, 1, w->out, &error), &error);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_seconds(void (*predict)(struct work *w), struct work *w, size_t repeats)
{
    double *seconds = calloc(repeats, sizeof *seconds);
    if (!seconds) fail("out of memory");
    predict(w);
    for (size_t i = 0; i < repeats; i++) {
        double begin = now();
        predict(w);
        seconds[i] = now() - begin;
    }
    qsort(seconds, repeats, sizeof *seconds, compare);
    double median = seconds[repeats / 2];
    free(seconds);
    return median;
}

int main(int argc, char **argv)
{
    size_t repeats = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
    if (!repeats) fail("usage: bench_predict MODEL ROWS REPEATS DATA");
    struct work w = {0};
    double load_seconds = load_model(&w, argv[1]);
    read_rows(&w, argv[2]);
    read_table(&w, argv[4]);
    allocate_out(&w);
    double table_seconds = median_seconds(predict_table, &w, repeats);
    double rows_seconds = median_seconds(predict_rows, &w, repeats);
    printf("{\"load_seconds\": %.9f, \"predict_seconds\": %.9f, \"rows\": %zu, \"table_seconds\": %.9f}\n",
           load_seconds, rows_seconds, w.n_rows, table_seconds);
    free(w.out);
    free(w.x);
    bramble_table_free(w.table);
    bramble_model_free(w.model);
    return 0;
}
