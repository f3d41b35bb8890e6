/* Networks through the public API: in one call, kept, loaded, and asked again. */
#include "../model/hand_net.h"
#include "sign_rows.h"

struct watch {
    unsigned calls, epochs;
    unsigned stop_at; /* epoch; 0: never */
    uint64_t samples;
};

static bool watch(const bramble_net_progress *progress, void *context)
{
    struct watch *w = context;
    w->calls++;
    assert_true(progress->samples_done >= w->samples && progress->samples_done <= progress->samples_total);
    w->samples = progress->samples_done;
    if (!progress->epoch_done) return true;
    w->epochs++;
    assert_int_equal(progress->epoch, w->epochs);
    assert_true(isfinite(progress->loss) && isfinite(progress->accuracy));
    return w->epochs != w->stop_at;
}

static void test_in_one_call(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct rows rows, others;
    fill(&rows, 1);
    fill(&others, 2);
    bramble_table *table = table_of(&rows, BRAMBLE_TASK_CLASSIFICATION);
    struct watch w = {0};
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
    options.epochs = 40;
    options.batch_size = 32;
    options.progress = watch;
    options.progress_context = &w;
    bramble_net_stats stats;
    bramble_model *model, *again;
    assert_int_equal(bramble_net_train(&model, table, &options, &stats, NULL), BRAMBLE_OK);
    assert_int_equal(w.epochs, 40);
    assert_int_equal(stats.epochs, 40);
    assert_int_equal(stats.steps, 40 * ROWS / 32);
    assert_true(stats.accuracy > 0.9 && accuracy(model, &others) > 0.8);
    assert_int_equal(bramble_model_save(model, scratch_path(&s, "m.onnx"), NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_load(&again, s.path, NULL), BRAMBLE_OK);
    bramble_model_info a, b;
    bramble_model_info_get(model, &a);
    bramble_model_info_get(again, &b);
    assert_string_equal(a.kind, "network");
    assert_string_equal(a.hash, b.hash);
    assert_int_equal(a.n_parameters, b.n_parameters);
    assert_true(a.n_macs > 0 && a.n_layers >= 3);
    float p[2][ROWS * 2];
    assert_int_equal(bramble_model_predict_proba_rows(model, others.x, ROWS, 1, p[0], NULL), BRAMBLE_OK);
    assert_int_equal(bramble_model_predict_proba_rows(again, others.x, ROWS, 2, p[1], NULL), BRAMBLE_OK);
    for (unsigned i = 0; i < ROWS; i++) {
        assert_true(fabsf(p[0][2 * i] - p[1][2 * i]) < 1e-6f);
        assert_true(fabsf(p[0][2 * i] + p[0][2 * i + 1] - 1) < 1e-5f);
    }
    bramble_model_free(again);
    bramble_model_free(model);
    bramble_table_free(table);
    scratch_remove(&s);
}

/* Stopped twice and gone on with, it comes to the same weights. */
static void test_stopped_and_gone_on_with(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct rows rows;
    fill(&rows, 1);
    bramble_table *table = table_of(&rows, BRAMBLE_TASK_CLASSIFICATION);
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
    options.epochs = 6;
    options.batch_size = 48; /* the last batch of an epoch is smaller */
    options.validation = 0.25;
    options.optimiser = BRAMBLE_OPTIMISER_ADAM;
    options.schedule = BRAMBLE_SCHEDULE_ONE_CYCLE;
    bramble_model *whole, *parts = NULL;
    assert_int_equal(bramble_net_train(&whole, table, &options, NULL, NULL), BRAMBLE_OK);
    options.checkpoint = scratch_path(&s, "checkpoint");
    options.progress = watch;
    for (unsigned part = 0; part < 3; part++) {
        struct watch w = {.stop_at = part < 2 ? 2 * part + 2 : 0, .epochs = 2 * part};
        options.progress_context = &w;
        bramble_net_stats stats;
        bramble_error error = {0};
        bramble_status status = bramble_net_train(&parts, table, &options, &stats, &error);
        assert_int_equal(status, part < 2 ? BRAMBLE_ERR_CANCELLED : BRAMBLE_OK);
        if (!status) assert_true(stats.resumed && stats.epochs == 6);
    }
    bramble_model_info a, b;
    bramble_model_info_get(whole, &a);
    bramble_model_info_get(parts, &b);
    assert_string_equal(a.hash, b.hash);
    bramble_error error = {0};
    options.learning_rate = 0.5;
    assert_int_equal(bramble_net_train(&parts, table, &options, NULL, &error), BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "of another training"));
    bramble_model_free(whole);
    bramble_model_free(parts);
    bramble_table_free(table);
    scratch_remove(&s);
}

static bramble_table *weighted_table(const struct rows *rows, const double *weight)
{
    bramble_table *table;
    assert_int_equal(bramble_table_from_arrays(&table, ROWS, FEATURES, rows->x, rows->y, weight,
                                               BRAMBLE_TASK_CLASSIFICATION, NULL),
                     BRAMBLE_OK);
    return table;
}

static bramble_model_info weighted_training(const struct rows *rows, const double *weight,
                                            const bramble_net_options *options, bramble_net_stats *stats)
{
    bramble_table *table = weighted_table(rows, weight);
    bramble_model *model;
    bramble_model_info info;
    assert_int_equal(bramble_net_train(&model, table, options, stats, NULL), BRAMBLE_OK);
    bramble_model_info_get(model, &info);
    bramble_model_free(model);
    bramble_table_free(table);
    return info;
}

/* One weight for all is none; others change the network, and are the same for any number of threads. */
static void test_sample_weights(void **state)
{
    (void)state;
    struct rows rows;
    fill(&rows, 1);
    double even[ROWS], uneven[ROWS];
    for (unsigned i = 0; i < ROWS; i++) {
        even[i] = 0.3;
        uneven[i] = i % 4;
    }
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
    options.epochs = 4;
    options.batch_size = 48;
    options.validation = 0.25;
    options.threads = 1;
    bramble_net_stats plain, same, other;
    bramble_model_info a = weighted_training(&rows, NULL, &options, &plain);
    bramble_model_info b = weighted_training(&rows, even, &options, &same);
    assert_string_equal(a.hash, b.hash);
    assert_true(plain.loss == same.loss && plain.validation_loss == same.validation_loss &&
                plain.validation_accuracy == same.validation_accuracy);
    a = weighted_training(&rows, uneven, &options, &other);
    assert_string_not_equal(a.hash, b.hash);
    assert_true(other.validation_loss != same.validation_loss);
    options.threads = 3;
    b = weighted_training(&rows, uneven, &options, &other);
    assert_string_equal(a.hash, b.hash);
}

/* Where only half of what is told counts, that half is learned, and judged by. */
static void test_rows_that_weigh_nothing(void **state)
{
    (void)state;
    struct rows rows, told;
    fill(&rows, 1);
    told = rows;
    double weight[ROWS];
    for (unsigned i = 0; i < ROWS; i++) {
        weight[i] = i % 2 ? 0 : 1;
        if (i % 2) told.y[i] = 1 - rows.y[i];
    }
    bramble_table *table = weighted_table(&told, weight);
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
    options.epochs = 40;
    options.batch_size = 16;
    options.validation = 0.2;
    bramble_net_stats stats;
    bramble_model *model;
    assert_int_equal(bramble_net_train(&model, table, &options, &stats, NULL), BRAMBLE_OK);
    assert_true(accuracy(model, &rows) > 0.8 && stats.validation_accuracy > 0.7);
    bramble_model_free(model);
    options.learning_rate = 0.001;
    options.batch_size = 1; /* steps of which many have nothing to go by */
    options.epochs = 1;
    assert_int_equal(bramble_net_train(&model, table, &options, &stats, NULL), BRAMBLE_OK);
    assert_true(isfinite(stats.loss));
    bramble_model_free(model);
    bramble_table_free(table);
    for (unsigned i = 0; i < ROWS; i++) weight[i] = i == 77;
    table = weighted_table(&rows, weight);
    bramble_error error = {0};
    assert_int_equal(bramble_net_train(&model, table, &options, NULL, &error), BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "weigh 0"));
    bramble_table_free(table);
}

/* After binary cross-entropy a class's probability is its sigmoid's share of all. */
static void test_one_against_the_rest(void **state)
{
    (void)state;
    struct rows rows;
    fill(&rows, 1);
    bramble_table *table = table_of(&rows, BRAMBLE_TASK_CLASSIFICATION);
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
    options.epochs = 1;
    for (int each = 0; each < 2; each++) {
        bramble_model *whole, *stepped;
        bramble_trainer *trainer;
        options.loss = each ? BRAMBLE_LOSS_BINARY_CROSS_ENTROPY : BRAMBLE_LOSS_AUTO;
        assert_int_equal(bramble_net_train(&whole, table, &options, NULL, NULL), BRAMBLE_OK);
        assert_int_equal(bramble_trainer_open(&trainer, table, &options, NULL), BRAMBLE_OK);
        assert_int_equal(bramble_trainer_model(trainer, &stepped, NULL), BRAMBLE_OK);
        assert_int_equal(whole->encoder.one_vs_rest, each);
        assert_int_equal(stepped->encoder.one_vs_rest, each);
        bramble_trainer_free(trainer);
        bramble_model_free(stepped);
        bramble_model_free(whole);
    }
    bramble_table_free(table);
    struct bramble_model *model = hand_net_model(HAND_MLP, false, 3);
    assert_true(model->encoder.one_vs_rest);
    float *x = hand_net_rows(model, ROWS, 5), *logits = hand_net_run(model, x, ROWS), p[ROWS * 3];
    assert_int_equal(bramble_model_predict_proba_rows(model, x, ROWS, 1, p, NULL), BRAMBLE_OK);
    for (unsigned r = 0; r < ROWS; r++) {
        double sigmoids[3], sum = 0;
        for (int c = 0; c < 3; c++) sum += sigmoids[c] = 1 / (1 + exp(-(double)logits[3 * r + c]));
        for (int c = 0; c < 3; c++) assert_true(fabs((double)p[3 * r + c] - sigmoids[c] / sum) < 1e-5);
    }
    free(x);
    free(logits);
    bramble_model_free(model);
}

static void test_options_are_checked(void **state)
{
    (void)state;
    struct rows rows;
    fill(&rows, 1);
    bramble_table *table = table_of(&rows, BRAMBLE_TASK_CLASSIFICATION);
    bramble_model *model = NULL;
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
#define REFUSED(field, value)                                                                                \
    do {                                                                                                     \
        bramble_net_options o = options;                                                                     \
        o.field = value;                                                                                     \
        bramble_error error = {0};                                                                           \
        assert_int_equal(bramble_net_train(&model, table, &o, NULL, &error), BRAMBLE_ERR_USAGE);             \
        assert_true(error.message[0] && !model);                                                             \
    } while (0)
    REFUSED(epochs, 0);
    REFUSED(batch_size, 0);
    REFUSED(learning_rate, -1);
    REFUSED(learning_rate, NAN);
    REFUSED(momentum, 1);
    REFUSED(validation, 1);
    REFUSED(label_smoothing, 1.5);
    REFUSED(net, "");
    REFUSED(optimiser, (bramble_optimiser)9);
    REFUSED(loss, BRAMBLE_LOSS_HUBER);
    REFUSED(augment, "turn");
    REFUSED(patience, 1);
#undef REFUSED
    bramble_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_one_call),          cmocka_unit_test(test_stopped_and_gone_on_with),
        cmocka_unit_test(test_sample_weights),       cmocka_unit_test(test_rows_that_weigh_nothing),
        cmocka_unit_test(test_one_against_the_rest), cmocka_unit_test(test_options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
