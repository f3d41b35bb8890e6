/* A job's text: comes back as it was, and nothing else is taken for one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "train/forest_job.h"

static bramble_forest_options unusual(void)
{
    return (bramble_forest_options){.trees = 1 << 24,
                                    .criterion = BRAMBLE_CRITERION_ENTROPY,
                                    .splitter = BRAMBLE_SPLITTER_RANDOM,
                                    .max_depth = UINT32_MAX,
                                    .min_samples_split = 0.1,
                                    .min_samples_leaf = 1e-300,
                                    .max_features = "0.3",
                                    .max_leaf_nodes = 31,
                                    .min_impurity_decrease = 1.0 / 3,
                                    .bootstrap = -1,
                                    .max_samples = nextafter(0.5, 1),
                                    .class_weight = "a \"b\"=2,\xc3\xa4=1",
                                    .seed = UINT64_MAX};
}

static char *text_of(const bramble_forest_options *options)
{
    char *text = NULL;
    assert_int_equal(forest_job_write(options, &text, NULL), BRAMBLE_OK);
    return text;
}

static void assert_comes_back(const bramble_forest_options *options)
{
    struct forest_job job;
    char *text = text_of(options);
    assert_int_equal(forest_job_read(&job, text, NULL), BRAMBLE_OK);
    char *again = text_of(&job.options);
    assert_string_equal(text, again);
    const bramble_forest_options *o = &job.options;
    assert_int_equal(o->trees, options->trees);
    assert_int_equal(o->criterion, options->criterion);
    assert_int_equal(o->splitter, options->splitter);
    assert_int_equal(o->max_depth, options->max_depth);
    assert_true(o->min_samples_split == options->min_samples_split);
    assert_true(o->min_samples_leaf == options->min_samples_leaf);
    assert_int_equal(o->max_leaf_nodes, options->max_leaf_nodes);
    assert_true(o->min_impurity_decrease == options->min_impurity_decrease);
    assert_int_equal(o->bootstrap, options->bootstrap);
    assert_true(o->max_samples == options->max_samples);
    assert_true(o->seed == options->seed);
    assert_int_equal(o->max_features == NULL, options->max_features == NULL);
    if (o->max_features) assert_string_equal(o->max_features, options->max_features);
    assert_int_equal(o->class_weight == NULL, options->class_weight == NULL);
    if (o->class_weight) assert_string_equal(o->class_weight, options->class_weight);
    mem_free(text);
    mem_free(again);
    forest_job_fini(&job);
}

static void options_come_back(void **state)
{
    (void)state;
    bramble_forest_options defaults = BRAMBLE_FOREST_OPTIONS_INIT, odd = unusual();
    assert_comes_back(&defaults);
    assert_comes_back(&odd);
}

static void other_texts_are_refused(void **state)
{
    (void)state;
    static const char whole[] = "{\"trees\":7,\"criterion\":0,\"splitter\":0,\"max_depth\":0,"
                                "\"min_samples_split\":2.0,\"min_samples_leaf\":1.0,"
                                "\"max_leaf_nodes\":0,\"min_impurity_decrease\":0.0,\"bootstrap\":-1,"
                                "\"max_samples\":0.0,\"seed\":\"0\"";
    static const char *const rest[] = {"}", ",\"more\":1}", ",\"trees\":7}", ""};
    struct forest_job job = {.options.trees = 77};
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        char text[512];
        bramble_error error = {0};
        strcat(strcpy(text, whole), rest[i]);
        assert_int_equal(forest_job_read(&job, text, &error), i ? BRAMBLE_ERR_DATA : BRAMBLE_OK);
        if (i) assert_non_null(strstr(error.message, "the job cannot be read"));
        assert_int_equal(job.options.trees, 7);
    }
    static const struct {
        const char *from, *to;
    } changes[] = {{":7,", ":-7,"},
                   {":7,", ":4294967296,"},
                   {":7,", ":\"7\","},
                   {"\"0\"", "\"-1\""},
                   {"\"0\"", "\"\""},
                   {"\"0\"", "\"18446744073709551616\""},
                   {"\"seed\"", "\"class_weight\":[],\"seed\""},
                   {"2.0", "1e999"},
                   {"\"seed\"", "\"sown\""},
                   {"{", "["},
                   {"\"trees\":7,", ""}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char text[512] = "";
        const char *at = strstr(whole, changes[i].from);
        strncat(text, whole, (size_t)(at - whole));
        strcat(strcat(strcat(text, changes[i].to), at + strlen(changes[i].from)), "}");
        assert_int_equal(forest_job_read(&job, text, NULL), BRAMBLE_ERR_DATA);
    }
    forest_job_fini(&job);
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    bramble_forest_options odd = unusual();
    char *text = text_of(&odd), *other = NULL;
    for (size_t n = 1; n < 3; n++) {
        struct forest_job job;
        mem_fail_at(n, 0);
        assert_int_equal(forest_job_read(&job, text, NULL), BRAMBLE_ERR_MEMORY);
        mem_fail_at(0, 0);
    }
    mem_fail_at(1, 0);
    assert_int_equal(forest_job_write(&odd, &other, NULL), BRAMBLE_ERR_MEMORY);
    mem_fail_at(0, 0);
    assert_null(other);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_come_back),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
