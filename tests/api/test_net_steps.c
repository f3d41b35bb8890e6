/* Networks through the public API, a step at a time. */
#include "sign_rows.h"

static bramble_trainer *trainer_for(const struct rows *rows)
{
    bramble_trainer *trainer;
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
    options.batch_size = ROWS;
    bramble_table *table = table_of(rows, BRAMBLE_TASK_CLASSIFICATION);
    assert_int_equal(bramble_trainer_open(&trainer, table, &options, NULL), BRAMBLE_OK);
    bramble_table_free(table);
    return trainer;
}

static void test_step_by_step(void **state)
{
    (void)state;
    struct rows rows;
    fill(&rows, 1);
    bramble_trainer *trainer = trainer_for(&rows);
    bramble_step step = {0};
    double first = 0;
    for (unsigned i = 0; i < 150; i++) {
        assert_int_equal(bramble_trainer_step(trainer, rows.x, rows.y, ROWS, 0.1, &step, NULL), BRAMBLE_OK);
        if (!i) first = step.loss;
    }
    assert_int_equal(step.step, 150);
    assert_true(step.loss < first / 2 && step.accuracy > 0.8);
    bramble_model *model;
    assert_int_equal(bramble_trainer_model(trainer, &model, NULL), BRAMBLE_OK);
    assert_true(accuracy(model, &rows) > 0.8);
    bramble_error error = {0};
    assert_int_equal(bramble_trainer_step(trainer, rows.x, rows.y, ROWS + 1, 0.1, &step, &error),
                     BRAMBLE_ERR_USAGE);
    rows.y[7] = 2;
    assert_int_equal(bramble_trainer_step(trainer, rows.x, rows.y, ROWS, 0.1, &step, &error),
                     BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "row 7: 2 is no class"));
    rows.y[7] = NAN;
    assert_int_equal(bramble_trainer_step(trainer, rows.x, rows.y, ROWS, 0.1, &step, NULL), BRAMBLE_ERR_DATA);
    bramble_trainer_free(trainer);
    bramble_model_free(model); /* it is its own */
}

/* A network for `like` after some steps on the first n of these rows. */
static bramble_model_info stepped(const struct rows *like, const struct rows *rows, const double *weight,
                                  size_t n, double *loss)
{
    bramble_trainer *trainer = trainer_for(like);
    bramble_step step = {0};
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(
            bramble_trainer_step_weighted(trainer, rows->x, rows->y, weight, n, 0.1, &step, NULL),
            BRAMBLE_OK);
    bramble_model *model;
    bramble_model_info info;
    assert_int_equal(bramble_trainer_model(trainer, &model, NULL), BRAMBLE_OK);
    bramble_model_info_get(model, &info);
    bramble_model_free(model);
    bramble_trainer_free(trainer);
    *loss = step.loss;
    return info;
}

/* One weight for all is none; only ratios count; rows that weigh 0 might as well not be there. */
static void test_weighted_steps(void **state)
{
    (void)state;
    struct rows rows, told;
    fill(&rows, 1);
    fill(&told, 2);
    double even[ROWS], uneven[ROWS], tripled[ROWS], first_half[ROWS], loss, other;
    for (unsigned i = 0; i < ROWS; i++) {
        even[i] = 1e300;
        uneven[i] = i % 4;
        tripled[i] = 3 * uneven[i];
        first_half[i] = i < ROWS / 2;
    }
    memcpy(told.x, rows.x, sizeof rows.x / 2);
    memcpy(told.y, rows.y, sizeof rows.y / 2);
    bramble_model_info a = stepped(&rows, &rows, NULL, ROWS, &loss);
    bramble_model_info b = stepped(&rows, &rows, even, ROWS, &other);
    assert_string_equal(a.hash, b.hash);
    assert_true(loss == other);
    b = stepped(&rows, &rows, uneven, ROWS, &loss);
    assert_string_not_equal(a.hash, b.hash);
    a = stepped(&rows, &rows, tripled, ROWS, &other);
    assert_string_equal(a.hash, b.hash);
    assert_true(loss == other);
    a = stepped(&rows, &told, first_half, ROWS, &loss);
    b = stepped(&rows, &rows, NULL, ROWS / 2, &other);
    assert_string_equal(a.hash, b.hash);
    assert_true(loss == other);
}

static void test_weights_of_a_step_are_checked(void **state)
{
    (void)state;
    struct rows rows;
    fill(&rows, 1);
    double weight[ROWS] = {0};
    bramble_trainer *trainer = trainer_for(&rows);
    static const double none[] = {NAN, -1, INFINITY, -INFINITY};
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++) {
        bramble_step step = {.step = 77};
        bramble_error error = {0};
        weight[7] = none[i];
        assert_int_equal(
            bramble_trainer_step_weighted(trainer, rows.x, rows.y, weight, ROWS, 0.1, &step, &error),
            BRAMBLE_ERR_DATA);
        assert_true(strstr(error.message, "row 7: ") && strstr(error.message, "is no weight"));
        assert_int_equal(step.step, 77);
    }
    bramble_step step = {0};
    weight[7] = 0;
    assert_int_equal(bramble_trainer_step_weighted(trainer, rows.x, rows.y, weight, ROWS, 0.1, &step, NULL),
                     BRAMBLE_OK);
    assert_int_equal(step.step, 1);
    assert_true(step.loss == 0 && step.gradient_norm == 0);
    weight[7] = 1e-320; /* the greatest, and the only one */
    assert_int_equal(bramble_trainer_step_weighted(trainer, rows.x, rows.y, weight, ROWS, 0.1, &step, NULL),
                     BRAMBLE_OK);
    assert_true(step.loss > 0 && isfinite(step.loss) && step.gradient_norm > 0);
    bramble_trainer_free(trainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_by_step),
        cmocka_unit_test(test_weighted_steps),
        cmocka_unit_test(test_weights_of_a_step_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
