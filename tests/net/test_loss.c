/* Losses and their gradients, against PyTorch 1.13's in double precision and against central differences. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "net/loss.h"

static void near(const char *what, double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * (1 + fabs(want))))
        fail_msg("%s: %.9g, wanted %.9g", what, got, want);
}

static const float logits[6] = {0.5f, -1.25f, 2.0f, 3.0f, 0.25f, -0.75f};
static const uint32_t classes[2] = {2, 1};
static const float targets[6] = {0.25f, 0.0f, 1.0f, 1.0f, 0.5f, 0.0f};
static const float weights[3] = {1.5f, 0.25f, 2.0f};

/* What torch.nn.functional gives for the numbers above. */
struct known {
    const char *name;
    struct loss_options options;
    double loss, gradient[6];
    uint64_t correct;
};

static const struct known known[] = {
    {"cross-entropy",
     {.kind = LOSS_CROSS_ENTROPY},
     1.53322672,
     {0.0884100911, 0.0153633702, -0.103773461, 0.459793112, -0.47060641, 0.0108132976},
     1},
    {"smoothed",
     {.kind = LOSS_CROSS_ENTROPY, .label_smoothing = 0.1},
     1.58322672,
     {0.0717434244, -0.0013032965, -0.0704401279, 0.443126446, -0.437273076, -0.00585336911},
     1},
    {"weighted",
     {.kind = LOSS_CROSS_ENTROPY, .class_weight = weights},
     0.521645259,
     {0.157173495, 0.0273126581, -0.184486153, 0.102176247, -0.104579202, 0.00240295501},
     1},
    {"weighted and smoothed",
     {.kind = LOSS_CROSS_ENTROPY, .class_weight = weights, .label_smoothing = 0.1},
     0.653728147,
     {0.129057267, 0.0225847297, -0.151641997, 0.120824524, -0.0945590312, -0.0262654926},
     1},
    {"mean squared error",
     {.kind = LOSS_MEAN_SQUARED_ERROR},
     1.20833333,
     {0.0833333333, -0.416666667, 0.333333333, 0.666666667, -0.0833333333, -0.25},
     0},
    {"binary cross-entropy",
     {.kind = LOSS_BINARY_CROSS_ENTROPY},
     0.394055309,
     {0.0620765552, 0.0371166898, -0.0198671537, -0.0079043122, 0.0103627501, 0.0534702168},
     2},
    {"Huber",
     {.kind = LOSS_HUBER, .delta = 0.8},
     0.463958333,
     {0.0416666667, -0.133333333, 0.133333333, 0.133333333, -0.0416666667, -0.125},
     0},
};

/* With a weight a sample: sum(weight loss) / sum(weight) of what reduction="none" gives, of several outputs
 * the mean. */
static const float sample_weights[2] = {0.5f, 2.0f};

static const struct known known_weighted[] = {
    {"weighted cross-entropy",
     {.kind = LOSS_CROSS_ENTROPY},
     2.31358957,
     {0.0353640364, 0.00614534807, -0.0415093845, 0.735668979, -0.752970256, 0.0173012761},
     1},
    {"weighted and smoothed",
     {.kind = LOSS_CROSS_ENTROPY, .label_smoothing = 0.1},
     2.29858957,
     {0.0286973698, -0.000521318601, -0.0281760512, 0.709002313, -0.699636922, -0.00936539057},
     1},
    {"weighted squared error",
     {.kind = LOSS_MEAN_SQUARED_ERROR},
     1.40833333,
     {0.0333333333, -0.166666667, 0.133333333, 1.06666667, -0.133333333, -0.4},
     0},
    {"weighted binary cross-entropy",
     {.kind = LOSS_BINARY_CROSS_ENTROPY},
     0.384901679,
     {0.0248306221, 0.0148466759, -0.00794686147, -0.0126468995, 0.0165804002, 0.0855523469},
     2},
    {"weighted Huber",
     {.kind = LOSS_HUBER, .delta = 0.8},
     0.504083333,
     {0.0166666667, -0.0533333333, 0.0533333333, 0.213333333, -0.0666666667, -0.2},
     0},
};

static const void *target_of(const struct loss_options *o)
{
    return o->kind == LOSS_CROSS_ENTROPY ? (const void *)classes : targets;
}

static void test_as_pytorch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct known *k = &known[i];
        float gradient[6];
        const void *target = target_of(&k->options);
        double weight = loss_weight(&k->options, target, NULL, 2, 3);
        struct loss_sum sum = loss_microbatch(&k->options, logits, target, NULL, 2, 3, weight, gradient);
        assert_true(sum.weight == weight);
        near(k->name, sum.loss / weight, k->loss, 1e-7);
        assert_int_equal(sum.correct, k->correct);
        for (int j = 0; j < 6; j++) near(k->name, gradient[j], k->gradient[j], 1e-7);
    }
}

static void test_sample_weights(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known_weighted / sizeof *known_weighted; i++) {
        const struct known *k = &known_weighted[i];
        float gradient[6];
        const void *target = target_of(&k->options);
        double weight = loss_weight(&k->options, target, sample_weights, 2, 3);
        struct loss_sum sum =
            loss_microbatch(&k->options, logits, target, sample_weights, 2, 3, weight, gradient);
        assert_true(sum.weight == weight);
        near(k->name, sum.loss / weight, k->loss, 1e-7);
        assert_int_equal(sum.correct, k->correct);
        assert_true(sum.correct_weight == (k->correct == 2 ? 2.5 : k->correct == 1 ? 0.5 : 0));
        for (int j = 0; j < 6; j++) near(k->name, gradient[j], k->gradient[j], 1e-7);
    }
}

/* Weights of 1 change no bit, and those of 0 leave nothing. */
static void test_even_weights(void **state)
{
    (void)state;
    const float ones[2] = {1, 1}, none[2] = {0, 0};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct loss_options *o = &known[i].options;
        const void *target = target_of(o);
        float plain[6], even[6];
        double weight = loss_weight(o, target, NULL, 2, 3);
        assert_true(loss_weight(o, target, ones, 2, 3) == weight);
        struct loss_sum a = loss_microbatch(o, logits, target, NULL, 2, 3, weight, plain);
        struct loss_sum b = loss_microbatch(o, logits, target, ones, 2, 3, weight, even);
        assert_true(a.loss == b.loss && a.weight == b.weight && a.correct_weight == b.correct_weight);
        assert_memory_equal(plain, even, sizeof plain);
        b = loss_microbatch(o, logits, target, none, 2, 3, 0, even);
        assert_true(b.loss == 0 && b.weight == 0);
        for (int j = 0; j < 6; j++) assert_true(even[j] == 0);
    }
}

/* Sample by sample, with the whole batch's weight, the gradients are the same bits. */
static void test_cuts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct loss_options *o = &known[i].options;
        const void *target = target_of(o);
        double weight = loss_weight(o, target, NULL, 2, 3), loss = 0;
        float whole[6], parts[6];
        struct loss_sum sum = loss_microbatch(o, logits, target, NULL, 2, 3, weight, whole);
        for (uint32_t s = 0; s < 2; s++)
            loss += loss_microbatch(o, logits + 3 * s, loss_target_at(o, target, s, 3), NULL, 1, 3, weight,
                                    parts + 3 * s)
                        .loss;
        assert_memory_equal(whole, parts, sizeof whole);
        near(known[i].name, loss, sum.loss, 1e-15);
        assert_true(loss_microbatch(o, logits, target, NULL, 2, 3, weight, NULL).loss == sum.loss);
    }
}

enum { MANY = 131, ROWS = 3 };

static void check_differences(struct loss_options o, const char *name)
{
    float x[ROWS * MANY], target[ROWS * MANY], gradient[ROWS * MANY], class_weight[MANY];
    uint32_t class[ROWS];
    struct rng r;
    rng_init(&r, 5, RNG_BOOTSTRAP, o.kind, 0);
    for (int i = 0; i < ROWS * MANY; i++) x[i] = (float)(8 * rng_double(&r) - 4);
    for (int i = 0; i < ROWS * MANY; i++) target[i] = (float)rng_double(&r);
    for (int i = 0; i < MANY; i++) class_weight[i] = (float)rng_double(&r);
    for (int i = 0; i < ROWS; i++) class[i] = rng_below(&r, MANY);
    if (o.class_weight) o.class_weight = class_weight;
    const void *wanted = o.kind == LOSS_CROSS_ENTROPY ? (const void *)class : target;
    double weight = loss_weight(&o, wanted, NULL, ROWS, MANY);
    loss_microbatch(&o, x, wanted, NULL, ROWS, MANY, weight, gradient);
    for (int i = 0; i < ROWS * MANY; i += 7) {
        float before = x[i];
        x[i] = before + 0x1p-6f;
        double above = loss_microbatch(&o, x, wanted, NULL, ROWS, MANY, weight, NULL).loss;
        x[i] = before - 0x1p-6f;
        double below = loss_microbatch(&o, x, wanted, NULL, ROWS, MANY, weight, NULL).loss;
        x[i] = before;
        double slope = (above - below) / weight / 0x1p-5;
        if (fabs(slope - gradient[i]) > 2e-4 / weight * 30)
            fail_msg("%s, %d: %g, difference %g", name, i, gradient[i], slope);
    }
}

static void test_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].options.kind != LOSS_HUBER) check_differences(known[i].options, known[i].name);
}

/* Far out, where exponentials leave the range of numbers. */
static void test_extremes(void **state)
{
    (void)state;
    const float far[3] = {-2000, 3000, 2990};
    const uint32_t worst = 0, best = 1;
    float gradient[3];
    struct loss_options o = {.kind = LOSS_CROSS_ENTROPY};
    near("worst", loss_microbatch(&o, far, &worst, NULL, 1, 3, 1, gradient).loss, 5000.0000454, 1e-7);
    near("its gradient", gradient[0], -1, 0);
    near("best", loss_microbatch(&o, far, &best, NULL, 1, 3, 1, gradient).loss, 4.54e-5, 1e-6);
    o.kind = LOSS_BINARY_CROSS_ENTROPY;
    const float wide[2] = {-1000, 1000}, wrong[2] = {1, 0}, right[2] = {0, 1};
    near("wrong", loss_microbatch(&o, wide, wrong, NULL, 1, 2, 2, gradient).loss, 2000, 0);
    near("right", loss_microbatch(&o, wide, right, NULL, 1, 2, 2, gradient).loss, 0, 0);
    const float sure[1] = {18}, yes[1] = {1};
    near("sure", loss_microbatch(&o, sure, yes, NULL, 1, 1, 1, gradient).loss / 1.522997961e-8, 1, 1e-6);
}

static void test_not_a_number(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        for (int bad = 0; bad < 3; bad++) {
            float x[3] = {1, 2, 3}, gradient[3];
            x[bad] = NAN;
            const struct loss_options *o = &known[i].options;
            assert_true(isnan(loss_microbatch(o, x, target_of(o), NULL, 1, 3, 1, gradient).loss));
            assert_true(isnan(gradient[bad]));
        }
}

static void test_binary_correct(void **state)
{
    (void)state;
    struct loss_options o = {.kind = LOSS_BINARY_CROSS_ENTROPY};
    const float x[4] = {1, -1, 1, -1}, t[4] = {1, 0, 0, 1};
    assert_int_equal(loss_microbatch(&o, x, t, NULL, 4, 1, 4, NULL).correct, 2);
    assert_int_equal(loss_microbatch(&o, x, t, NULL, 2, 2, 4, NULL).correct, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample_weights), cmocka_unit_test(test_even_weights),
        cmocka_unit_test(test_as_pytorch),     cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_differences),    cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_not_a_number),   cmocka_unit_test(test_binary_correct),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
