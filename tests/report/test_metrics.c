/*
 * The figures against scikit-learn 1.2.1 (Debian 12): accuracy_score, f1_score(average="macro"),
 * log_loss(labels=range(4), eps=1e-15), confusion_matrix, mean_squared_error, mean_absolute_error and
 * r2_score of the very arrays below, with sample_weight=None and with the weights. Expected values are their
 * repr().
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/metrics.h"

enum { N = 12, C = 4 };

static const uint32_t truth[N] = {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 0, 1};
static const double weights[N] = {1, 2, .5, 0, 3, 1, 1, .25, 1, 2, 1, 4};

/* Class 3 never occurs; rows 4 and 5 are as sure as can be, one of them wrongly. */
static void fill(float proba[N * C], uint32_t predicted[N])
{
    for (int r = 0; r < N; r++) {
        float *p = proba + r * C, sum = 0;
        for (int c = 0; c < 3; c++) p[c] = (float)((r * 7 + c * 5) % 11);
        p[3] = 0;
        if (r == 4 || r == 5) p[0] = p[2] = 0, p[1] = 1;
        for (int c = 0; c < 3; c++) sum += p[c];
        predicted[r] = 0;
        for (uint32_t c = 0; c < C; c++) {
            p[c] /= sum;
            if (p[c] > p[predicted[r]]) predicted[r] = c;
        }
    }
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12 * fabs(expected))) fail_msg("%.17g is not %.17g", value, expected);
}

static void check_classes(const double *w, double accuracy, double log_loss, double macro_f1,
                          const double expected[C * C])
{
    float proba[N * C];
    uint32_t predicted[N];
    double confusion[C * C] = {77};
    struct metrics_classes metrics;
    fill(proba, predicted);
    metrics_classes_init(&metrics, C, confusion);
    metrics_classes_add(&metrics, 5, truth, predicted, proba, w);
    metrics_classes_add(&metrics, N - 5, truth + 5, predicted + 5, proba + 5 * C, w ? w + 5 : NULL);
    assert_near(metrics_accuracy(&metrics), accuracy);
    assert_near(metrics_log_loss(&metrics), log_loss);
    assert_near(metrics_macro_f1(&metrics), macro_f1);
    for (int i = 0; i < C * C; i++) assert_near(confusion[i], expected[i]);
}

static void test_classes(void **state)
{
    (void)state;
    static const double confusion[] = {3, 1, 1, 0, 1, 2, 1, 0, 0, 3, 0, 0, 0, 0, 0, 0};
    check_classes(NULL, 0.4166666666666667, 9.469928157572978, 0.35555555555555546, confusion);
}

static void test_weighted_classes(void **state)
{
    (void)state;
    static const double confusion[] = {3, 1, 1, 0, 2, 3.25, 4, 0, 0, 2.5, 0, 0, 0, 0, 0, 0};
    check_classes(weights, 0.373134328358209, 7.049409147441383, 0.3354166666666667, confusion);
}

static void test_numbers(void **state)
{
    (void)state;
    static const double t[] = {3, -.5, 2, 7, 4.25, 0, 1e3}, p[] = {2.5, 0, 2, 8, 4, 0.125, 998.5};
    static const double w[] = {1, 2, 0, .5, 1, 3, .125};
    struct metrics_numbers plain = metrics_numbers(7, t, p, NULL), weighted = metrics_numbers(7, t, p, w);
    assert_near(plain.rmse, 0.739509972887452);
    assert_near(plain.mae, 0.5535714285714286);
    assert_near(plain.r2, 0.9999955105194367);
    assert_near(weighted.rmse, 0.46385766612855445);
    assert_near(weighted.mae, 0.36885245901639346);
    assert_near(weighted.r2, 0.9999866257840935);
}

static void test_truth_that_does_not_vary(void **state)
{
    (void)state;
    static const double t[] = {2, 2}, wrong[] = {2, 3};
    assert_true(metrics_numbers(2, t, t, NULL).r2 == 1);
    assert_true(metrics_numbers(2, t, wrong, NULL).r2 == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_weighted_classes),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_truth_that_does_not_vary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
