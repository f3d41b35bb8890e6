/* The text of a network's training: comes back as it was, and nothing else is taken for one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "train/net_job.h"

/* No field that travels is as it is by default. */
static bramble_net_options unusual(void)
{
    return (bramble_net_options){.net = "elsewhere.onnx",
                                 .from_scratch = true,
                                 .epochs = UINT32_MAX,
                                 .batch_size = 1 << 20,
                                 .learning_rate = 1.0 / 3,
                                 .optimiser = BRAMBLE_OPTIMISER_SGD,
                                 .momentum = nextafter(1, 0),
                                 .nesterov = true,
                                 .weight_decay = 1e-300,
                                 .loss = BRAMBLE_LOSS_CROSS_ENTROPY,
                                 .label_smoothing = 0.1,
                                 .huber_delta = nextafter(1e30, 0),
                                 .schedule = BRAMBLE_SCHEDULE_ONE_CYCLE,
                                 .warmup_epochs = 0x1p-1074,
                                 .step_epochs = 1e-6,
                                 .step_factor = 2.0 / 3,
                                 .clip_norm = 1e22,
                                 .max_samples = 77,
                                 .validation = nextafter(0.5, 1),
                                 .patience = 3,
                                 .augment = "crop,\"\xc3\xa4\",flip",
                                 .seed = UINT64_MAX,
                                 .parallel = BRAMBLE_PARALLEL_CENTRAL,
                                 .compress = BRAMBLE_COMPRESS_INT8,
                                 .staleness = UINT32_MAX,
                                 .threads = 7,
                                 .checkpoint = "checkpoint",
                                 .checkpoint_seconds = 5};
}

static char *text_of(const bramble_net_options *options, bramble_task task)
{
    char *text = NULL;
    bramble_error error = {0};
    if (net_job_write(&text, options, task, &error)) fail_msg("%s", error.message);
    return text;
}

static void assert_same_bits(double a, double b)
{
    assert_memory_equal(&a, &b, sizeof a);
}

static void assert_same_numbers(const bramble_net_options *a, const bramble_net_options *b)
{
    assert_same_bits(a->learning_rate, b->learning_rate);
    assert_same_bits(a->momentum, b->momentum);
    assert_same_bits(a->weight_decay, b->weight_decay);
    assert_same_bits(a->label_smoothing, b->label_smoothing);
    assert_same_bits(a->huber_delta, b->huber_delta);
    assert_same_bits(a->warmup_epochs, b->warmup_epochs);
    assert_same_bits(a->step_epochs, b->step_epochs);
    assert_same_bits(a->step_factor, b->step_factor);
    assert_same_bits(a->clip_norm, b->clip_norm);
    assert_same_bits(a->validation, b->validation);
}

static void assert_same(const bramble_net_options *a, const bramble_net_options *b)
{
    assert_same_numbers(a, b);
    assert_int_equal(a->epochs, b->epochs);
    assert_int_equal(a->batch_size, b->batch_size);
    assert_int_equal(a->optimiser, b->optimiser);
    assert_int_equal(a->nesterov, b->nesterov);
    assert_int_equal(a->parallel, b->parallel);
    assert_int_equal(a->compress, b->compress);
    assert_int_equal(a->local_steps, b->local_steps);
    assert_int_equal(a->staleness, b->staleness);
    assert_int_equal(a->loss, b->loss);
    assert_int_equal(a->schedule, b->schedule);
    assert_int_equal(a->max_samples, b->max_samples);
    assert_int_equal(a->patience, b->patience);
    assert_true(a->seed == b->seed);
    assert_int_equal(a->augment == NULL, b->augment == NULL);
    if (a->augment) assert_string_equal(a->augment, b->augment);
}

/* What is a member's own is as by default. */
static void assert_nothing_else_came(const bramble_net_options *options)
{
    assert_string_equal(options->net, "mlp");
    assert_false(options->from_scratch);
    assert_int_equal(options->threads, 0);
    assert_null(options->checkpoint);
    assert_same_bits(options->checkpoint_seconds, 60);
    assert_true(!options->progress && !options->progress_context);
}

static void assert_comes_back(const bramble_net_options *options, bramble_task task)
{
    struct net_job job;
    char *text = text_of(options, task);
    assert_int_equal(net_job_read(&job, text, NULL), BRAMBLE_OK);
    char *again = text_of(&job.options, job.task);
    assert_string_equal(text, again);
    assert_int_equal(job.task, task);
    assert_same(&job.options, options);
    assert_nothing_else_came(&job.options);
    mem_free(text);
    mem_free(again);
    net_job_fini(&job);
}

static void options_come_back(void **state)
{
    (void)state;
    bramble_net_options defaults = BRAMBLE_NET_OPTIONS_INIT, odd = unusual();
    assert_comes_back(&defaults, BRAMBLE_TASK_CLASSIFICATION);
    assert_comes_back(&defaults, BRAMBLE_TASK_REGRESSION);
    assert_comes_back(&odd, BRAMBLE_TASK_CLASSIFICATION);
    odd.loss = BRAMBLE_LOSS_HUBER;
    odd.optimiser = BRAMBLE_OPTIMISER_RMSPROP;
    odd.nesterov = false;
    odd.momentum = -0.0;
    assert_comes_back(&odd, BRAMBLE_TASK_REGRESSION);
}

/* Any momentum that is below 0 or none means what the optimiser usually takes. */
static void momentum_that_is_none(void **state)
{
    (void)state;
    static const double none[] = {-7, -INFINITY, NAN};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        struct net_job job;
        bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
        options.momentum = none[i];
        char *text = text_of(&options, BRAMBLE_TASK_REGRESSION);
        assert_int_equal(net_job_read(&job, text, NULL), BRAMBLE_OK);
        assert_same_bits(job.options.momentum, -1);
        mem_free(text);
        net_job_fini(&job);
    }
}

static void options_out_of_their_ranges_are_not_written(void **state)
{
    (void)state;
    char *text = NULL;
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
    assert_int_equal(net_job_write(&text, &options, BRAMBLE_TASK_AUTO, NULL), BRAMBLE_ERR_USAGE);
    options.loss = BRAMBLE_LOSS_HUBER;
    assert_int_equal(net_job_write(&text, &options, BRAMBLE_TASK_CLASSIFICATION, NULL), BRAMBLE_ERR_USAGE);
    options.clip_norm = NAN;
    assert_int_equal(net_job_write(&text, &options, BRAMBLE_TASK_REGRESSION, NULL), BRAMBLE_ERR_USAGE);
    assert_null(text);
}

/* A job's fields, in the order in which they stand, and what each must not be. */
static const struct {
    const char *name, *good, *bad[6];
} fields[] = {
    {"task", "2", {"0", "3", "-1", "1", "4294967298", "2.0"}}, /* 1: huber is for numbers */
    {"epochs", "10", {"0", "-1", "4294967306", "1e1", "\"10\"", "null"}},
    {"batch_size", "128", {"0", "1048577", "4294967424", "true", "[128]"}},
    {"learning_rate", "0.0", {"-0.5", "2e9", "1e999", "\"0\"", "null"}},
    {"optimiser", "0", {"-1", "4", "4294967296", "\"sgd\"", "false"}},
    {"momentum", "0.9", {"1.0", "1.5", "\"0.9\"", "{}"}},
    {"nesterov", "true", {"1", "null", "\"true\""}},
    {"weight_decay", "0.25", {"-1.0", "2e9", "false"}},
    {"loss", "4", {"-1", "1", "3", "5", "4294967300", "4.0"}},
    {"label_smoothing", "0.5", {"-0.1", "1.0", "1.5", "null"}},
    {"huber_delta", "1.0", {"0.0", "-1.0", "1e31", "\"\""}},
    {"schedule", "1", {"-1", "4", "4294967297", "\"step\""}},
    {"warmup_epochs", "1.5", {"-1.0", "2e9", "[]"}},
    {"step_epochs", "10.0", {"0.0", "-1.0", "2e9", "true"}},
    {"step_factor", "0.1", {"0.0", "-0.1", "1.1", "null"}},
    {"clip_norm", "0.0", {"-1.0", "1e31", "\"0\""}},
    {"max_samples", "0", {"-1", "4294967296", "0.0", "9223372036854775808"}},
    {"validation", "0.1", {"-0.1", "0.0", "1.0", "1e999"}}, /* 0: patience needs it */
    {"patience", "2", {"-1", "4294967298", "2.5", "\"2\""}},
    {"augment", "\"crop\"", {"7", "null", "[\"crop\"]", "\"\\ud800\"", "\"\\u0000\""}},
    {"seed", "\"7\"", {"7", "\"-1\"", "\"\"", "\" 7\"", "\"7x\"", "\"18446744073709551616\""}},
    {"parallel", "2", {"-1", "5", "1", "4294967298", "\"ring\""}}, /* 1: a ring knows no staleness */
    {"compress", "1", {"-1", "2", "4294967297", "true", "\"int8\""}},
    {"local_steps", "0", {"-1", "1", "4294967296", "0.0"}}, /* 1: central knows none */
    {"staleness", "3", {"-1", "4294967296", "3.0", "null"}},
};
enum { N_FIELDS = sizeof fields / sizeof *fields, TEXT_MAX = 1024, NONE = N_FIELDS };

/* The text of a job, in which field `other` is called `name` (NULL: it is not there) and has this value. */
static void build(char text[TEXT_MAX], size_t other, const char *name, const char *value)
{
    size_t n = 0;
    for (size_t i = 0; i < N_FIELDS; i++) {
        const char *is = i == other ? name : fields[i].name;
        if (is)
            n += (size_t)snprintf(text + n, TEXT_MAX - n, "%c\"%s\":%s", n ? ',' : '{', is,
                                  i == other ? value : fields[i].good);
        assert_true(n < TEXT_MAX - 1);
    }
    strcat(text, "}");
}

static void assert_refused(const char *text)
{
    struct net_job job = {.options.epochs = 77};
    bramble_error error = {0};
    if (net_job_read(&job, text, &error) != BRAMBLE_ERR_DATA) fail_msg("this is taken: %s", text);
    assert_non_null(strstr(error.message, "the job cannot be read"));
    assert_null(strchr(error.message, '\n'));
    assert_int_equal(job.options.epochs, 77);
}

static void each_field_is_checked(void **state)
{
    (void)state;
    struct net_job job;
    char text[TEXT_MAX];
    build(text, NONE, NULL, NULL);
    assert_int_equal(net_job_read(&job, text, NULL), BRAMBLE_OK);
    net_job_fini(&job);
    for (size_t i = 0; i < N_FIELDS; i++) {
        for (size_t b = 0; b < 6 && fields[i].bad[b]; b++) {
            build(text, i, fields[i].name, fields[i].bad[b]);
            assert_refused(text);
        }
        build(text, i, "other", fields[i].good);
        assert_refused(text);
        build(text, i, NULL, NULL);
        if (strcmp(fields[i].name, "augment") != 0) assert_refused(text);
    }
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    char whole[TEXT_MAX], text[2 * TEXT_MAX];
    build(whole, NONE, NULL, NULL);
    size_t n = strlen(whole);
    for (size_t length = 0; length < n; length++) { /* any end */
        snprintf(text, sizeof text, "%.*s", (int)length, whole);
        assert_refused(text);
    }
    snprintf(text, sizeof text, "%s}", whole);
    assert_refused(text);
    snprintf(text, sizeof text, "[%s]", whole);
    assert_refused(text);
    snprintf(text, sizeof text, "%.*s,\"net\":\"/etc/passwd\"}", (int)(n - 1), whole);
    assert_refused(text);
    snprintf(text, sizeof text, "%.*s,\"epochs\":10}", (int)(n - 1), whole);
    assert_refused(text);
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    bramble_net_options odd = unusual();
    char *text = text_of(&odd, BRAMBLE_TASK_CLASSIFICATION), *other = NULL;
    struct net_job job = {.options.epochs = 77};
    mem_fail_at(1, 0);
    assert_int_equal(net_job_read(&job, text, NULL), BRAMBLE_ERR_MEMORY);
    mem_fail_at(1, 0);
    assert_int_equal(net_job_write(&other, &odd, BRAMBLE_TASK_CLASSIFICATION, NULL), BRAMBLE_ERR_MEMORY);
    mem_fail_at(0, 0);
    assert_int_equal(job.options.epochs, 77);
    assert_null(other);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_come_back),
        cmocka_unit_test(momentum_that_is_none),
        cmocka_unit_test(options_out_of_their_ranges_are_not_written),
        cmocka_unit_test(each_field_is_checked),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
