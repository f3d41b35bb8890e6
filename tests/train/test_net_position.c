/* A checkpoint that is whole, but at a place where its training never is, is refused. */
#include <bramble/bramble.h>
#include <math.h>

#include "scratch.h"
#include "train/net_checkpoint.h"

/* 12 rows, of which 10 are trained on, 4 at a time: 3 steps an epoch. */
enum { ROWS = 12, TRAINED = 10, BATCH = 4, EPOCHS = 3, NUMBERS_MAX = 256 };

struct training {
    struct scratch scratch;
    bramble_table *table;
    bramble_net_options options;
    float weights[NUMBERS_MAX], optimiser[NUMBERS_MAX], best[NUMBERS_MAX];
    struct net_checkpoint checkpoint; /* as it was written before the first step */
};

static bool stop(const bramble_net_progress *progress, void *context)
{
    (void)progress;
    (void)context;
    return false;
}

static bramble_status train(const struct training *t, bramble_error *error)
{
    bramble_model *model = NULL;
    bramble_net_stats stats = {0};
    bramble_status status = bramble_net_train(&model, t->table, &t->options, &stats, error);
    if (!status) assert_true(stats.resumed && stats.epochs == EPOCHS && stats.best_epoch >= 1);
    bramble_model_free(model);
    return status;
}

/* Whose checkpoint it is stands in its head (docs/formats.md). */
static void read_head(struct training *t)
{
    uint8_t head[128];
    FILE *file = fopen(t->options.checkpoint, "rb");
    assert_non_null(file);
    assert_int_equal(fread(head, 1, sizeof head, file), sizeof head);
    fclose(file);
    struct net_checkpoint *c = &t->checkpoint;
    *c = (struct net_checkpoint){.weights = t->weights, .optimiser = t->optimiser};
    if (t->options.validation > 0) c->best = t->best;
    memcpy(c->fingerprint, head + 16, sizeof c->fingerprint);
    memcpy(&c->n_weights, head + 112, sizeof c->n_weights);
    memcpy(&c->n_optimiser, head + 120, sizeof c->n_optimiser);
    assert_true(c->n_weights <= NUMBERS_MAX && c->n_optimiser <= NUMBERS_MAX);
}

static void training_init(struct training *t, bool validation)
{
    *t = (struct training){.scratch = scratch_new(), .options = BRAMBLE_NET_OPTIONS_INIT};
    float x[ROWS];
    double y[ROWS];
    for (int i = 0; i < ROWS; i++) {
        x[i] = (float)(i % 5);
        y[i] = i % 2;
    }
    size_t n = validation ? ROWS : TRAINED;
    assert_false(bramble_table_from_arrays(&t->table, n, 1, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION, NULL));
    t->options.net = "linear";
    t->options.epochs = EPOCHS;
    t->options.batch_size = BATCH;
    t->options.validation = validation ? (double)(ROWS - TRAINED) / ROWS : 0;
    t->options.threads = 1;
    t->options.checkpoint = scratch_path(&t->scratch, "checkpoint");
    t->options.progress = stop;
    assert_int_equal(train(t, NULL), BRAMBLE_ERR_CANCELLED);
    t->options.progress = NULL;
    read_head(t);
    bool found = false;
    assert_false(net_checkpoint_read(t->options.checkpoint, &t->checkpoint, &found, NULL));
    assert_true(found);
}

static void training_fini(struct training *t)
{
    bramble_table_free(t->table);
    scratch_remove(&t->scratch);
}

static bramble_status go_on_from(struct training *t, struct net_position position, bramble_error *error)
{
    position.last_loss = position.last_accuracy = NAN;
    position.best_loss = position.best_accuracy = 0.5;
    t->checkpoint.position = position;
    assert_false(net_checkpoint_write(t->options.checkpoint, &t->checkpoint, NULL));
    return train(t, error);
}

static void assert_a_place(struct training *t, struct net_position position)
{
    bramble_error error = {0};
    if (go_on_from(t, position, &error)) fail_msg("%s", error.message);
}

static void assert_no_place(struct training *t, struct net_position position)
{
    bramble_error error = {0};
    assert_int_equal(go_on_from(t, position, &error), BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "it is at no step of this training"));
}

#define AT(steps_, epoch_, samples_, best_)                                                                  \
    ((struct net_position){.steps = steps_, .epoch = epoch_, .epoch_samples = samples_, .best_epoch = best_})

static void test_places_of_a_training(void **state)
{
    (void)state;
    struct training t;
    training_init(&t, true);
    assert_a_place(&t, AT(0, 0, 0, 0));
    assert_a_place(&t, AT(1, 0, 4, 0));
    assert_a_place(&t, AT(3, 0, 10, 0)); /* the epoch's end is still to come */
    assert_a_place(&t, AT(3, 1, 0, 1));
    assert_a_place(&t, AT(8, 2, 8, 1));
    assert_a_place(&t, AT(9, 3, 0, 3));
    training_fini(&t);
}

static void test_what_is_no_place(void **state)
{
    (void)state;
    struct training t;
    training_init(&t, true);
    assert_no_place(&t, AT(1, 0, 0, 0));
    assert_no_place(&t, AT(1, 0, 3, 0));
    assert_no_place(&t, AT(4, 0, 11, 0));
    assert_no_place(&t, AT(4, 0, UINT64_MAX, 0));
    assert_no_place(&t, AT(3, 0, 10, 1)); /* the best of no epoch */
    assert_no_place(&t, AT(3, 1, 0, 0));  /* none was the best */
    assert_no_place(&t, AT(3, 1, 0, 2));  /* one that is still to come */
    assert_no_place(&t, AT(10, 3, 4, 3)); /* behind the end */
    assert_no_place(&t, AT(12, 4, 0, 3));
    assert_no_place(&t, AT(UINT64_MAX - 2, UINT64_MAX, 0, 1));
    struct net_position position = AT(1, 0, 4, 0);
    position.correct = 5;
    assert_no_place(&t, position);
    training_fini(&t);
}

static void test_without_validation_there_is_no_best(void **state)
{
    (void)state;
    struct training t;
    training_init(&t, false);
    assert_a_place(&t, AT(3, 1, 0, 0));
    assert_no_place(&t, AT(3, 1, 0, 1));
    training_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places_of_a_training),
        cmocka_unit_test(test_what_is_no_place),
        cmocka_unit_test(test_without_validation_there_is_no_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
