#include "toy_together.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"

struct part {
    uint64_t whole_sum, sum;
    double milliseconds; /* that a task takes; negative: the second member gives up */
    char *gate;          /* every other task waits until there is such a file; or empty */
};

static uint64_t sum_of(FILE *file, long n)
{
    uint64_t sum = 0;
    for (int byte; n-- > 0 && (byte = fgetc(file)) != EOF;) sum += (uint64_t)byte;
    return sum;
}

static bramble_status toy_divide(const char *job, const char *data_path, const uint64_t *memory,
                                 uint32_t *n_members, uint32_t member, const char *out_path,
                                 bramble_error *error)
{
    (void)job, (void)memory;
    FILE *from = fopen(data_path, "re"), *to = fopen(out_path, "we");
    if (!from || !to) return error_set(error, BRAMBLE_ERR_IO, "%s: cannot be divided", data_path);
    uint64_t sum = sum_of(from, 1L << 40);
    long length = ftell(from);
    if (*n_members > length) *n_members = (uint32_t)length;
    long begin = length * member / *n_members, end = length * (member + 1) / *n_members;
    fseek(from, begin, SEEK_SET);
    fwrite(&sum, sizeof sum, 1, to);
    while (begin++ < end) fputc(fgetc(from), to);
    fclose(from);
    return fclose(to) == 0 ? BRAMBLE_OK : error_set(error, BRAMBLE_ERR_IO, "%s: is not written", out_path);
}

static bramble_status toy_open(void **context, const char *job, const char *data_path, uint32_t threads,
                               bramble_error *error)
{
    (void)threads;
    struct part *part = mem_zalloc(1, sizeof *part);
    FILE *file = fopen(data_path, "re");
    if (!part || !file || fread(&part->whole_sum, sizeof part->whole_sum, 1, file) != 1)
        return error_set(error, BRAMBLE_ERR_IO, "%s: cannot be read", data_path);
    part->sum = sum_of(file, 1L << 40);
    part->milliseconds = strtod(job, &part->gate);
    part->gate = mem_strdup(*part->gate ? part->gate + 1 : "");
    fclose(file);
    *context = part;
    return BRAMBLE_OK;
}

/* Everybody's sums; what is sent grows from task to task, and is nothing at first. */
static bramble_status add_up(const struct part *part, const struct exchange *exchange, uint32_t task,
                             uint64_t *sum, bramble_error *error)
{
    uint64_t mine[16] = {0};
    struct exchanged theirs[256];
    uint32_t n = task % 16;
    for (uint32_t i = 0; i < n; i++) mine[i] = part->sum + i;
    bramble_status status = exchange->all_gather(exchange->context, mine, n * sizeof *mine, theirs, error);
    *sum = n ? 0 : part->whole_sum;
    for (uint32_t m = 0; !status && m < exchange->n_members; m++) {
        if (theirs[m].length != n * sizeof *mine)
            return error_set(error, BRAMBLE_ERR_DATA, "member %u sent %zu bytes", m, theirs[m].length);
        if (n) memcpy(mine, theirs[m].bytes, n * sizeof *mine);
        if (n) *sum += mine[n - 1] - (n - 1);
    }
    return status;
}

static bool take_time(const struct part *part, const struct together_work *work, uint32_t task)
{
    double milliseconds = part->milliseconds < 0 ? 0 : part->milliseconds;
    do {
        if (!work->go_on(work->context)) return false;
        nanosleep(&(struct timespec){0, (long)(milliseconds * 1e6)}, NULL);
    } while (task % 2 && *part->gate && access(part->gate, F_OK) != 0);
    return true;
}

static bramble_status toy_run_together(void *context, const struct exchange *exchange,
                                       const struct together_work *work, bramble_error *error)
{
    const struct part *part = context;
    for (uint32_t i = 0; i < work->n_tasks; i++) {
        uint64_t sum, answer = (uint64_t)work->tasks[i] * work->tasks[i];
        if (part->milliseconds < 0 && exchange->rank == 1)
            return error_set(error, BRAMBLE_ERR_DATA, "this one gives up");
        if (!take_time(part, work, work->tasks[i])) return BRAMBLE_ERR_CANCELLED;
        bramble_status status = add_up(part, exchange, work->tasks[i], &sum, error);
        if (status) return status;
        answer += sum - part->whole_sum;
        void *bytes = mem_alloc(1, sizeof answer);
        memcpy(bytes, &answer, sizeof answer);
        if (exchange->rank != 0)
            mem_free(bytes);
        else
            status = work->done(work->context, work->tasks[i], bytes, sizeof answer, error);
        if (status) return status;
    }
    return BRAMBLE_OK;
}

static void toy_close(void *context)
{
    mem_free(((struct part *)context)->gate);
    mem_free(context);
}

const struct program toy_together = {.name = "toy_together",
                                     .open = toy_open,
                                     .close = toy_close,
                                     .divide = toy_divide,
                                     .run_together = toy_run_together};
