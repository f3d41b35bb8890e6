/* The program that members of a network's training run, between threads: what each way of training comes to,
 * and where it goes on. */
#include <bramble/bramble.h>

#include <math.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/rows_file.h"
#include "scratch.h"
#include "threads_exchange.h"
#include "train/net_job.h"
#include "train/net_loop.h"
#include "train/net_model.h"
#include "train/net_snapshot.h"
#include "train/net_steps.h"
#include "train/net_together.h"

enum { ROWS = 500, FEATURES = 6, BATCH = 48, EPOCHS = 6, NEVER = 1000 };

/* A training: what its members get, what one machine makes of it, and where they are. */
struct training {
    struct scratch scratch;
    bramble_table *table;
    bramble_net_options options;
    char rows[400], layers[400], *text;
    struct net_data data;
    struct bramble_model *model, *alone;
    struct net_loop loop;
    struct exchanged first, last; /* of the journal */
    bramble_net_stats stats;
};

static void make_table(struct training *t)
{
    static float x[ROWS * FEATURES];
    static double y[ROWS];
    uint32_t number = 1;
    for (size_t i = 0; i < (size_t)ROWS * FEATURES; i++) {
        number = number * 1664525 + 1013904223;
        x[i] = (float)(number >> 8) / (1 << 24);
    }
    for (size_t r = 0; r < ROWS; r++) y[r] = x[r * FEATURES] + x[r * FEATURES + 1] > 1;
    assert_false(
        bramble_table_from_arrays(&t->table, ROWS, FEATURES, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION, NULL));
}

/* As cluster_net.c prepares it. */
static void prepare(struct training *t)
{
    void *bytes;
    size_t length;
    char path[400];
    const struct net_history nothing = {0};
    snprintf(path, sizeof path, "%s", scratch_path(&t->scratch, "model.onnx"));
    assert_false(net_data_open(&t->data, t->table, &t->options, NULL));
    assert_false(net_model_build(&t->model, t->table, &t->data.encoder, &t->options, NULL));
    assert_false(rows_file_write(t->rows, &t->data.rows, t->data.validation.n_rows, &t->data.encoder, NULL));
    assert_false(net_job_write(&t->text, &t->options, BRAMBLE_TASK_CLASSIFICATION, NULL));
    assert_false(model_save(t->model, path, NULL));
    uint8_t *file = scratch_slurp(path, &length);
    t->loop = (struct net_loop){.options = &t->options, .model = t->model, .data = &t->data};
    struct trainer_options options = net_trainer_options(&t->options, &t->data.loss);
    assert_false(net_loop_init(&t->loop, &options, NULL));
    const struct exchanged beginning = {file, length};
    assert_false(net_snapshot_encode(&bytes, &length, &beginning, &nothing, &t->loop.kept, NULL));
    t->first = (struct exchanged){bytes, length};
    free(file);
}

/* How members are to train together. */
struct way {
    bramble_parallel parallel;
    bramble_compress compress;
    uint32_t staleness, local_steps;
};

static void training_init_as(struct training *t, const struct way *way)
{
    static const char layers[] = "dense 16 relu\nbatchnorm\ndropout 0.1\ndense outputs\n";
    *t = (struct training){.scratch = scratch_new(), .options = BRAMBLE_NET_OPTIONS_INIT};
    snprintf(t->rows, sizeof t->rows, "%s", scratch_path(&t->scratch, "rows"));
    snprintf(t->layers, sizeof t->layers, "%s",
             scratch_write(&t->scratch, "layers.txt", layers, sizeof layers - 1));
    make_table(t);
    t->options.net = t->layers;
    t->options.epochs = EPOCHS;
    t->options.batch_size = BATCH;
    t->options.validation = 0.2;
    t->options.learning_rate = 0.02;
    t->options.threads = 1;
    if (bramble_net_train(&t->alone, t->table, &t->options, &t->stats, NULL)) fail_msg("alone");
    t->options.parallel = way->parallel;
    t->options.compress = way->compress;
    t->options.staleness = way->staleness;
    t->options.local_steps = way->local_steps;
    prepare(t);
}

static void training_init(struct training *t, bramble_parallel parallel, uint32_t staleness)
{
    training_init_as(t, &(struct way){.parallel = parallel, .staleness = staleness});
}

static void training_fini(struct training *t)
{
    net_loop_fini(&t->loop);
    net_data_fini(&t->data);
    bramble_model_free(t->model);
    bramble_model_free(t->alone);
    bramble_table_free(t->table);
    mem_free(t->text);
    mem_free((void *)t->first.bytes);
    mem_free((void *)t->last.bytes);
    scratch_remove(&t->scratch);
}

/* --- members --- */

struct member {
    struct training *training;
    struct seat seats[CHANNELS];
    uint32_t asked, stop; /* go_on: how often, and when it is to stop */
    uint32_t samples, task;
    struct exchanged next; /* the last that was handed in */
    bramble_status status;
    bramble_error error;
    pthread_t thread;
};

static bool go_on(void *context)
{
    struct member *member = context;
    return ++member->asked < member->stop;
}

static bramble_status done(void *context, uint32_t task, void *bytes, size_t length, bramble_error *error)
{
    struct member *member = context;
    (void)error;
    mem_free((void *)member->next.bytes);
    member->next = (struct exchanged){bytes, length};
    if (task <= member->task) member->task = NEVER; /* they rise */
    member->task = task;
    return BRAMBLE_OK;
}

static void credit(void *context, uint32_t samples, double rate)
{
    (void)rate;
    ((struct member *)context)->samples = samples;
}

static void begun(void *context)
{
    (void)context;
}

static void *run_member(void *context)
{
    struct member *member = context;
    struct training *t = member->training;
    void *node;
    struct exchange exchanges[CHANNELS];
    const struct together_work work = {.threads = 1,
                                       .go_on = go_on,
                                       .done = done,
                                       .credit = credit,
                                       .begun = begun,
                                       .context = member,
                                       .first = t->first,
                                       .last = t->last};
    for (uint32_t c = 0; c < CHANNELS; c++) exchanges[c] = exchange_of(&member->seats[c]);
    member->status = net_together.open(&node, t->text, t->rows, 1, &member->error);
    if (!member->status) {
        member->status = net_together.run_together(node, exchanges, &work, &member->error);
        net_together.close(node);
    }
    if (member->status) meeting_drop(member->seats->meeting);
    return NULL;
}

/* What the first member handed in is then the journal's last. */
static void play(struct training *t, struct member *members, uint32_t n, uint32_t stop,
                 const struct fault *fault)
{
    struct meeting meeting;
    meeting_init(&meeting, n);
    if (fault) meeting.fault = *fault;
    for (uint32_t m = 0; m < n; m++) {
        members[m] = (struct member){.training = t, .stop = stop};
        for (uint32_t c = 0; c < CHANNELS; c++) members[m].seats[c] = (struct seat){&meeting, m, c};
        assert_int_equal(pthread_create(&members[m].thread, NULL, run_member, &members[m]), 0);
    }
    for (uint32_t m = 0; m < n; m++) pthread_join(members[m].thread, NULL);
    if (members[0].next.bytes) {
        mem_free((void *)t->last.bytes);
        t->last = members[0].next;
    }
    meeting_fini(&meeting);
}

/* How far the last snapshot is. */
static struct net_position read_last(struct training *t)
{
    struct net_snapshot snapshot;
    assert_false(net_snapshot_open(&snapshot, t->last.bytes, t->last.length, NULL));
    assert_false(net_checkpoint_decode(snapshot.checkpoint.bytes, snapshot.checkpoint.length, &t->loop.kept,
                                       "last", NULL));
    return t->loop.kept.position;
}

static void check_whole(struct training *t, const struct member *members, uint32_t n)
{
    const struct net_position at = read_last(t);
    for (uint32_t m = 0; m < n; m++)
        if (members[m].status) fail_msg("member %u: %s", m, members[m].error.message);
    assert_int_equal(at.steps, t->stats.steps);
    assert_int_equal(at.epoch, EPOCHS);
    assert_int_equal(members[0].task, net_together_tasks(at.steps) - 1);
}

static void check_same(struct training *t)
{
    const struct net_position at = read_last(t);
    assert_true(at.best_loss == t->stats.validation_loss && at.last_loss == t->stats.loss);
    assert_int_equal(at.best_epoch, t->stats.best_epoch);
    assert_memory_equal(t->loop.best, t->alone->net->weights, t->loop.kept.n_weights * sizeof(float));
}

/* --- the ways --- */

static void check_exact(bramble_parallel parallel, uint32_t staleness, uint32_t n)
{
    struct training t;
    struct member members[MEMBERS_MAX];
    training_init(&t, parallel, staleness);
    play(&t, members, n, 2, NULL); /* to the end of the first epoch, or nearly */
    assert_int_equal(members[0].status, BRAMBLE_ERR_CANCELLED);
    play(&t, members, n, NEVER, NULL);
    check_whole(&t, members, n);
    check_same(&t);
    training_fini(&t);
}

static void test_a_ring(void **state)
{
    (void)state;
    check_exact(BRAMBLE_PARALLEL_RING, 0, 3);
}

static void test_a_central_node(void **state)
{
    (void)state;
    check_exact(BRAMBLE_PARALLEL_CENTRAL, 0, 3);
}

static void test_stale_gradients_of_one_alone(void **state)
{
    (void)state;
    check_exact(BRAMBLE_PARALLEL_CENTRAL, 3, 1);
}

/* Every sample is somebody's in every epoch, also where it was stopped and gone on with. */
static void test_stale_gradients(void **state)
{
    (void)state;
    for (uint32_t n = 2; n <= 4; n++) {
        struct training t;
        struct member members[MEMBERS_MAX];
        training_init(&t, BRAMBLE_PARALLEL_CENTRAL, n - 1);
        play(&t, members, n, 3, NULL);
        assert_int_equal(members[0].status, BRAMBLE_ERR_CANCELLED);
        uint64_t samples = 0, before = 0;
        if (t.last.bytes) before = read_last(&t).epoch * t.data.train.n_rows + read_last(&t).epoch_samples;
        play(&t, members, n, NEVER, NULL);
        check_whole(&t, members, n);
        for (uint32_t m = 0; m < n; m++) samples += members[m].samples;
        assert_int_equal(samples, EPOCHS * t.data.train.n_rows - before);
        assert_true(read_last(&t).best_accuracy > 0.7);
        training_fini(&t);
    }
}

/* Whoever fails says why, and nobody is left waiting. */
static void test_stale_gradients_and_a_member_that_fails(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        struct training t;
        struct member members[MEMBERS_MAX];
        const struct fault fault = {.letter = true,
                                    .round = 1 + 3 * (i / 4),
                                    .channel = i % 2,
                                    .member = i % 2 ? 0 : i / 2 % 2,
                                    .fails = i < 6,
                                    .longer = 8};
        uint32_t n_said = 0;
        training_init(&t, BRAMBLE_PARALLEL_CENTRAL, 1);
        play(&t, members, 3, NEVER, &fault);
        for (uint32_t m = 0; m < 3; m++) {
            assert_int_not_equal(members[m].status, BRAMBLE_OK);
            n_said += members[m].status == BRAMBLE_ERR_IO;
        }
        assert_true(n_said > 0);
        training_fini(&t);
    }
}

static void test_stale_gradients_that_diverge(void **state)
{
    (void)state;
    struct training t;
    struct member members[MEMBERS_MAX];
    training_init(&t, BRAMBLE_PARALLEL_CENTRAL, 2);
    mem_free(t.text);
    t.options.learning_rate = 1e9;
    assert_false(net_job_write(&t.text, &t.options, BRAMBLE_TASK_CLASSIFICATION, NULL));
    play(&t, members, 3, NEVER, NULL);
    assert_int_equal(members[0].status, BRAMBLE_ERR_DATA);
    assert_non_null(strstr(members[0].error.message, "diverged at step"));
    training_fini(&t);
}

/* --- averages --- */

static void check_rounded_ring(uint32_t n)
{
    struct training t;
    struct member members[MEMBERS_MAX];
    training_init_as(&t, &(struct way){.compress = BRAMBLE_COMPRESS_INT8});
    play(&t, members, n, 2, NULL);
    assert_int_equal(members[0].status, BRAMBLE_ERR_CANCELLED);
    play(&t, members, n, NEVER, NULL);
    check_whole(&t, members, n);
    assert_memory_not_equal(t.loop.best, t.alone->net->weights, t.loop.kept.n_weights * sizeof(float));
    assert_true(read_last(&t).best_accuracy > t.stats.validation_accuracy - 0.05);
    training_fini(&t);
}

/* One machine's steps, but for what 8 bits cannot say. */
static void test_a_ring_of_rounded_gradients(void **state)
{
    (void)state;
    check_rounded_ring(1);
    check_rounded_ring(4);
}

static void test_averages(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 6; i++) {
        struct training t;
        struct member members[MEMBERS_MAX];
        uint32_t n = 1 + i % 3;
        training_init_as(&t, &(struct way){.parallel = BRAMBLE_PARALLEL_LOCAL,
                                           .compress = i < 3 ? BRAMBLE_COMPRESS_NONE : BRAMBLE_COMPRESS_INT8,
                                           .local_steps = 3});
        play(&t, members, n, 3, NULL);
        assert_int_equal(members[0].status, BRAMBLE_ERR_CANCELLED);
        uint64_t samples = 0, before = 0;
        if (t.last.bytes) before = read_last(&t).epoch * t.data.train.n_rows + read_last(&t).epoch_samples;
        play(&t, members, n, NEVER, NULL);
        for (uint32_t m = 0; m < n; m++) {
            if (members[m].status) fail_msg("member %u: %s", m, members[m].error.message);
            samples += members[m].samples;
        }
        assert_int_equal(samples, EPOCHS * t.data.train.n_rows - before);
        assert_int_equal(read_last(&t).steps, EPOCHS * ((t.data.train.n_rows + 3 * BATCH - 1) / (3 * BATCH)));
        assert_true(read_last(&t).best_accuracy > 0.7);
        training_fini(&t);
    }
}

static void test_averages_and_a_member_that_fails(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 8; i++) {
        struct training t;
        struct member members[MEMBERS_MAX];
        const struct fault fault = {.round = 2 + i / 2, .member = i % 2, .fails = i == 7, .longer = 8};
        uint32_t n_said = 0;
        training_init_as(&t, &(struct way){.parallel = BRAMBLE_PARALLEL_LOCAL, .local_steps = 2});
        play(&t, members, 3, NEVER, &fault);
        for (uint32_t m = 0; m < 3; m++) {
            assert_int_not_equal(members[m].status, BRAMBLE_OK);
            n_said += members[m].status == BRAMBLE_ERR_IO;
        }
        assert_true(n_said > 0);
        training_fini(&t);
    }
}

static void test_averages_that_diverge(void **state)
{
    (void)state;
    struct training t;
    struct member members[MEMBERS_MAX];
    training_init_as(&t, &(struct way){.parallel = BRAMBLE_PARALLEL_LOCAL});
    mem_free(t.text);
    t.options.learning_rate = 1e9;
    assert_false(net_job_write(&t.text, &t.options, BRAMBLE_TASK_CLASSIFICATION, NULL));
    play(&t, members, 3, NEVER, NULL);
    uint32_t n_said = 0;
    for (uint32_t m = 0; m < 3; m++) { /* who is done first sends the others home */
        assert_int_not_equal(members[m].status, BRAMBLE_OK);
        n_said +=
            members[m].status == BRAMBLE_ERR_DATA && strstr(members[m].error.message, "diverged at step");
    }
    assert_true(n_said > 0);
    training_fini(&t);
}

/* A member may say anything of its round. */
static void test_averages_of_more_than_there_is(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        {.round = 2, .member = 1, .byte = 7, .bits = 0x3f}, /* more samples than there are ... */
        {.round = 2, .member = 1, .byte = 6, .bits = 0x10}, /* ... or than it had, or fewer */
        {.round = 2, .member = 1, .byte = 7, .bits = 0x80}, /* less than none */
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct training t;
        struct member members[MEMBERS_MAX];
        training_init_as(&t, &(struct way){.parallel = BRAMBLE_PARALLEL_LOCAL, .local_steps = 2});
        play(&t, members, 3, NEVER, &faults[i]);
        uint32_t n_said = 0;
        for (uint32_t m = 0; m < 3; m++) {
            assert_int_not_equal(members[m].status, BRAMBLE_OK);
            n_said += members[m].status == BRAMBLE_ERR_IO;
        }
        assert_true(n_said > 0);
        training_fini(&t);
    }
}

/* What one sends may be no number: that is nobody's network, also when no step comes that would notice. */
static void test_averages_that_are_not_finite(void **state)
{
    (void)state;
    static const uint8_t bits[] = {0x43, 0x44, 0x45,
                                   0x47}; /* of an exponent: as large as there are, if it fits */
    uint32_t n_diverged = 0;
    for (size_t i = 0; i < 16; i++) {
        struct training t;
        struct member members[MEMBERS_MAX];
        const struct fault fault = {.round = 3, .member = 1, .byte = i / 4 * 4 + 3, .bits = bits[i % 4]};
        training_init_as(&t, &(struct way){.parallel = BRAMBLE_PARALLEL_LOCAL});
        mem_free(t.text);
        t.options.epochs = 1; /* of one round */
        assert_false(net_job_write(&t.text, &t.options, BRAMBLE_TASK_CLASSIFICATION, NULL));
        play(&t, members, 3, NEVER, &fault);
        for (uint32_t m = 0; m < 3; m++)
            n_diverged +=
                members[m].status == BRAMBLE_ERR_DATA && strstr(members[m].error.message, "diverged at step");
        if (t.last.bytes) {
            read_last(&t);
            for (size_t w = 0; w < t.loop.kept.n_weights; w++) assert_true(isfinite(t.loop.kept.weights[w]));
        }
        training_fini(&t);
    }
    assert_true(n_diverged > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ring),
        cmocka_unit_test(test_a_central_node),
        cmocka_unit_test(test_stale_gradients_of_one_alone),
        cmocka_unit_test(test_stale_gradients),
        cmocka_unit_test(test_stale_gradients_and_a_member_that_fails),
        cmocka_unit_test(test_stale_gradients_that_diverge),
        cmocka_unit_test(test_a_ring_of_rounded_gradients),
        cmocka_unit_test(test_averages),
        cmocka_unit_test(test_averages_and_a_member_that_fails),
        cmocka_unit_test(test_averages_that_diverge),
        cmocka_unit_test(test_averages_of_more_than_there_is),
        cmocka_unit_test(test_averages_that_are_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
