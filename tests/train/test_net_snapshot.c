/* Snapshots: what is put in comes out, wherever it lies; whatever was cut off or is absurd is refused. */
#include <math.h>
#include <stdlib.h>

#include "scratch.h"

#include "base/mem.h"
#include "train/net_snapshot.h"

enum { WEIGHTS = 19, OPTIMISER = 38, EPOCHS = 40, HEADER = 16 };

/* A training that is at its third epoch. */
struct training {
    float weights[WEIGHTS], optimiser[OPTIMISER], best[WEIGHTS];
    struct net_checkpoint kept;
};

static void training_init(struct training *t, float value, uint64_t best_epoch)
{
    memset(t, 0, sizeof *t);
    for (unsigned i = 0; i < WEIGHTS; i++) t->weights[i] = value + (float)i;
    for (unsigned i = 0; i < OPTIMISER; i++) t->optimiser[i] = value * (float)i;
    for (unsigned i = 0; i < WEIGHTS; i++) t->best[i] = value - (float)i;
    t->kept = (struct net_checkpoint){.fingerprint = {11, 12},
                                      .position = {.steps = 20,
                                                   .epoch = 2,
                                                   .epoch_samples = 64,
                                                   .correct = 33,
                                                   .loss = 1.5,
                                                   .last_loss = 0.5,
                                                   .last_accuracy = NAN,
                                                   .best_loss = 0.25,
                                                   .best_accuracy = NAN,
                                                   .best_epoch = best_epoch},
                                      .weights = t->weights,
                                      .optimiser = t->optimiser,
                                      .best = t->best,
                                      .n_weights = WEIGHTS,
                                      .n_optimiser = OPTIMISER};
}

static void add_epochs(struct net_history *history, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct net_epoch epoch = {.loss = 1.0 / (double)(i + 1),
                                  .accuracy = i % 2 ? NAN : 0.5,
                                  .validation_loss = NAN,
                                  .validation_accuracy = i % 3 ? 0.25 : NAN,
                                  .learning_rate = 0.001 * (double)i,
                                  .best = i % 2};
        assert_int_equal(net_history_add(history, &epoch, NULL), BRAMBLE_OK);
    }
}

static uint8_t *snapshot_made(size_t *length, const char *model, size_t model_bytes, size_t epochs)
{
    struct training t;
    struct net_history history = {0};
    void *bytes = NULL;
    training_init(&t, 2.5f, 1);
    add_epochs(&history, epochs);
    assert_int_equal(
        net_snapshot_encode(&bytes, length, &(struct exchanged){model, model_bytes}, &history, &t.kept, NULL),
        BRAMBLE_OK);
    net_history_fini(&history);
    return bytes;
}

static void check_history(const struct net_snapshot *snapshot, size_t n)
{
    struct net_history want = {0}, history = {0};
    add_epochs(&want, n);
    add_epochs(&history, 3); /* which those of the snapshot replace */
    assert_int_equal(net_snapshot_history(&history, snapshot, NULL), BRAMBLE_OK);
    assert_int_equal(history.n, n);
    if (n) assert_memory_equal(history.epochs, want.epochs, n * sizeof *want.epochs);
    net_history_fini(&want);
    net_history_fini(&history);
}

static void check_checkpoint(const struct exchanged *checkpoint)
{
    struct training want, got;
    struct net_position position;
    uint64_t fingerprint[2];
    training_init(&want, 2.5f, 1);
    training_init(&got, 0, 0);
    assert_true(net_checkpoint_peek(checkpoint->bytes, checkpoint->length, &position, fingerprint));
    assert_memory_equal(&position, &want.kept.position, sizeof position);
    assert_memory_equal(fingerprint, want.kept.fingerprint, sizeof fingerprint);
    assert_int_equal(net_checkpoint_decode(checkpoint->bytes, checkpoint->length, &got.kept, "it", NULL),
                     BRAMBLE_OK);
    assert_memory_equal(got.weights, want.weights, sizeof got.weights);
    assert_memory_equal(got.optimiser, want.optimiser, sizeof got.optimiser);
    assert_memory_equal(got.best, want.best, sizeof got.best);
    assert_memory_equal(&got.kept.position, &want.kept.position, sizeof position);
}

/* At every address that it may come to lie at. */
static void check_round_trip(const char *model, size_t model_bytes, size_t epochs)
{
    size_t length;
    uint8_t *bytes = snapshot_made(&length, model, model_bytes, epochs);
    for (size_t shift = 0; shift < 8; shift++) {
        uint8_t *moved = malloc(length + shift);
        struct net_snapshot snapshot;
        memcpy(moved + shift, bytes, length);
        assert_int_equal(net_snapshot_open(&snapshot, moved + shift, length, NULL), BRAMBLE_OK);
        assert_int_equal(snapshot.model.length, model_bytes);
        if (model_bytes) assert_memory_equal(snapshot.model.bytes, model, model_bytes);
        check_history(&snapshot, epochs);
        check_checkpoint(&snapshot.checkpoint);
        free(moved);
    }
    mem_free(bytes);
}

static void test_what_goes_in_comes_out(void **state)
{
    (void)state;
    static const char model[] = "the bytes of a model's file";
    for (size_t n = 0; n <= sizeof model; n++) check_round_trip(n ? model : NULL, n, n % 4);
    check_round_trip(model, 20, EPOCHS);
    check_round_trip(NULL, 0, EPOCHS);
}

/* The documented bytes. */
static void test_the_layout_is_the_documented_one(void **state)
{
    (void)state;
    size_t length;
    uint8_t *bytes = snapshot_made(&length, "model", 5, 2);
    static const uint8_t head[HEADER + 8] = {5, 0, 0, 0, 0, 0,   0,   0,   2,   0,  0,
                                             0, 0, 0, 0, 0, 'm', 'o', 'd', 'e', 'l'};
    double loss;
    assert_memory_equal(bytes, head, sizeof head);
    memcpy(&loss, bytes + sizeof head + 48, sizeof loss);
    assert_true(loss == 0.5);
    assert_memory_equal(bytes + sizeof head + 2 * 48, "BRMBNET", 8);
    mem_free(bytes);
}

/* What is cut off lies in a block of just so many bytes, so that a sanitizer sees who reads behind it. */
static void test_every_end(void **state)
{
    (void)state;
    size_t length, before = HEADER + 16 + 3 * sizeof(struct net_epoch);
    uint8_t *bytes = snapshot_made(&length, "model bytes", 11, 3);
    for (size_t n = 0; n < length; n++) {
        struct training t, untouched;
        struct net_snapshot snapshot = {.epochs.length = 77};
        bramble_error error = {0};
        uint8_t *cut = malloc(n ? n : 1);
        memcpy(cut, bytes, n);
        bramble_status status = net_snapshot_open(&snapshot, cut, n, &error);
        assert_int_equal(status, n < before ? BRAMBLE_ERR_DATA : BRAMBLE_OK);
        if (status) assert_true(*error.message && snapshot.epochs.length == 77);
        training_init(&t, 1, 0);
        untouched = t;
        if (!status) {
            check_history(&snapshot, 3);
            assert_int_equal(snapshot.checkpoint.length, n - before);
            assert_int_equal(
                net_checkpoint_decode(snapshot.checkpoint.bytes, n - before, &t.kept, "it", NULL),
                BRAMBLE_ERR_DATA);
            assert_memory_equal(&t, &untouched, sizeof t);
        }
        struct net_position position;
        uint64_t fingerprint[2];
        if (!status)
            assert_int_equal(
                net_checkpoint_peek(snapshot.checkpoint.bytes, n - before, &position, fingerprint),
                n - before >= 128);
        free(cut);
    }
    mem_free(bytes);
}

static void test_absurd_counts(void **state)
{
    (void)state;
    size_t length;
    uint8_t *bytes = snapshot_made(&length, "model", 5, 2);
    const uint64_t left = length - HEADER;
    const uint64_t absurd[] = {left + 1,        UINT64_MAX,          UINT64_MAX - 6,      UINT64_MAX - 7,
                               UINT64_MAX / 48, UINT64_MAX / 48 + 1, UINT64_MAX / 48 + 2, 1ULL << 63,
                               1ULL << 60,      left / 48 + 1};
    for (size_t i = 0; i < 2 * sizeof absurd / sizeof *absurd; i++) {
        uint64_t was;
        struct net_snapshot snapshot;
        size_t place = i % 2 * 8;
        if (!place && absurd[i / 2] <= left) continue; /* a model may be as large */
        memcpy(&was, bytes + place, sizeof was);
        memcpy(bytes + place, &absurd[i / 2], sizeof was);
        assert_int_equal(net_snapshot_open(&snapshot, bytes, length, NULL), BRAMBLE_ERR_DATA);
        memcpy(bytes + place, &was, sizeof was);
    }
    mem_free(bytes);
}

static void test_a_checkpoint_is_its_file(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    for (uint64_t best_epoch = 0; best_epoch < 2; best_epoch++) {
        struct training t;
        size_t n;
        training_init(&t, 3.5f, best_epoch);
        const char *path = scratch_path(&s, "checkpoint");
        assert_int_equal(net_checkpoint_write(path, &t.kept, NULL), BRAMBLE_OK);
        uint8_t *file = scratch_slurp(path, &n);
        assert_int_equal(n, net_checkpoint_size(&t.kept));
        for (size_t shift = 0; shift < 8; shift++) {
            uint8_t *bytes = malloc(n + shift);
            assert_int_equal(net_checkpoint_encode(&t.kept, bytes + shift, NULL), BRAMBLE_OK);
            assert_memory_equal(bytes + shift, file, n);
            free(bytes);
        }
        free(file);
    }
    scratch_remove(&s);
}

static void test_every_allocation(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct training t;
    training_init(&t, 1, 1);
    for (size_t n = 1;; n++) {
        struct net_history history = {0}, read = {0};
        struct net_snapshot snapshot;
        struct net_epoch epoch = {.loss = 1};
        void *bytes = NULL;
        size_t length;
        mem_fail_at(n, 0);
        bramble_status status = net_history_add(&history, &epoch, NULL);
        if (!status)
            status = net_snapshot_encode(&bytes, &length, &(struct exchanged){0}, &history, &t.kept, NULL);
        if (!status) status = net_snapshot_open(&snapshot, bytes, length, NULL);
        if (!status) status = net_snapshot_history(&read, &snapshot, NULL);
        bool reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        net_history_fini(&history);
        net_history_fini(&read);
        mem_free(bytes);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        if (!reached) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_goes_in_comes_out),
        cmocka_unit_test(test_the_layout_is_the_documented_one),
        cmocka_unit_test(test_every_end),
        cmocka_unit_test(test_absurd_counts),
        cmocka_unit_test(test_a_checkpoint_is_its_file),
        cmocka_unit_test(test_every_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
