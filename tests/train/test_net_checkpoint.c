/* A checkpoint comes back as it was written, and anything else is refused without touching what is there. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"
#include "train/net_checkpoint.h"

enum { WEIGHTS = 37, OPTIMISER = 74, HEADER = 128 };

/* A training's arrays. */
struct arrays {
    float weights[WEIGHTS], optimiser[OPTIMISER], best[WEIGHTS];
    struct net_checkpoint checkpoint;
};

static void arrays_init(struct arrays *a, float value)
{
    memset(a, 0, sizeof *a);
    for (unsigned i = 0; i < WEIGHTS; i++) a->weights[i] = value + (float)i;
    for (unsigned i = 0; i < OPTIMISER; i++) a->optimiser[i] = -value - (float)i;
    for (unsigned i = 0; i < WEIGHTS; i++) a->best[i] = value / 2 + (float)i;
    a->checkpoint = (struct net_checkpoint){.fingerprint = {1, 2},
                                            .weights = a->weights,
                                            .optimiser = a->optimiser,
                                            .best = a->best,
                                            .n_weights = WEIGHTS,
                                            .n_optimiser = OPTIMISER};
}

static void write_some(struct arrays *a, const char *path, uint64_t best_epoch)
{
    arrays_init(a, 3.5f);
    a->checkpoint.position = (struct net_position){.steps = 12,
                                                   .epoch = 2,
                                                   .epoch_samples = 256,
                                                   .correct = 99,
                                                   .loss = 1.25,
                                                   .last_loss = 0.5,
                                                   .last_accuracy = NAN,
                                                   .best_loss = 0.25,
                                                   .best_accuracy = 0.75,
                                                   .best_epoch = best_epoch};
    assert_int_equal(net_checkpoint_write(path, &a->checkpoint, NULL), BRAMBLE_OK);
}

static void come_back(uint64_t best_epoch)
{
    struct scratch s = scratch_new();
    char path[4096];
    snprintf(path, sizeof path, "%s", scratch_path(&s, "checkpoint"));
    struct arrays written, read;
    write_some(&written, path, best_epoch);
    arrays_init(&read, 0);
    bool found = false;
    assert_int_equal(net_checkpoint_read(path, &read.checkpoint, &found, NULL), BRAMBLE_OK);
    assert_true(found);
    assert_memory_equal(read.weights, written.weights, sizeof read.weights);
    assert_memory_equal(read.optimiser, written.optimiser, sizeof read.optimiser);
    assert_int_equal(memcmp(read.best, written.best, sizeof read.best) == 0, best_epoch > 0);
    assert_memory_equal(&read.checkpoint.position, &written.checkpoint.position,
                        sizeof read.checkpoint.position);
    scratch_remove(&s);
}

static void test_a_checkpoint_comes_back(void **state)
{
    (void)state;
    come_back(2);
    come_back(0);
}

static void test_none_is_fine(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct arrays a;
    arrays_init(&a, 1);
    bool found = true;
    assert_int_equal(net_checkpoint_read(scratch_path(&s, "none"), &a.checkpoint, &found, NULL), BRAMBLE_OK);
    assert_false(found);
    scratch_remove(&s);
}

/* Reading fails with `part` in its message, and leaves all as it was. */
static void refused(const char *path, const struct net_checkpoint *like, const char *part)
{
    struct arrays a, before;
    arrays_init(&a, 7);
    a.checkpoint.fingerprint[0] = like->fingerprint[0];
    a.checkpoint.n_weights = like->n_weights;
    before = a;
    bool found = false;
    bramble_error error = {0};
    assert_int_equal(net_checkpoint_read(path, &a.checkpoint, &found, &error), BRAMBLE_ERR_DATA);
    if (!strstr(error.message, part)) fail_msg("%s", error.message);
    assert_false(found);
    assert_memory_equal(&a, &before, sizeof a);
}

static size_t slurp(const char *path, unsigned char *bytes, size_t most)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t n = fread(bytes, 1, most, file);
    fclose(file);
    return n;
}

static void spill(const char *path, const unsigned char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

static void test_damage_is_found(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    char path[4096];
    snprintf(path, sizeof path, "%s", scratch_path(&s, "checkpoint"));
    struct arrays a;
    write_some(&a, path, 2);
    unsigned char bytes[4096];
    size_t n = slurp(path, bytes, sizeof bytes);
    assert_int_equal(n, HEADER + 4 * (2 * WEIGHTS + OPTIMISER) + 16);
    for (size_t i = 0; i < n; i++) { /* any byte */
        bytes[i] ^= 0x40;
        spill(path, bytes, n);
        refused(path, &a.checkpoint, "checkpoint");
        bytes[i] ^= 0x40;
    }
    for (size_t length = 0; length < n; length += 7) { /* any end */
        spill(path, bytes, length);
        refused(path, &a.checkpoint, "checkpoint");
    }
    bytes[n] = 0;
    spill(path, bytes, n + 1);
    refused(path, &a.checkpoint, "its length is wrong");
    scratch_remove(&s);
}

static void test_another_training(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    char path[4096];
    snprintf(path, sizeof path, "%s", scratch_path(&s, "checkpoint"));
    struct arrays a;
    write_some(&a, path, 2);
    struct net_checkpoint other = a.checkpoint;
    other.fingerprint[0]++;
    refused(path, &other, "of another training");
    other = a.checkpoint;
    other.n_weights--;
    refused(path, &other, "length is wrong");
    spill(path, (const unsigned char *)"BRMBNET\0\2\0\0\0", 12);
    refused(path, &a.checkpoint, "too short");
    scratch_remove(&s);
}

/* Numbers that are none, under a checksum that is right. */
static void test_numbers_must_be_finite(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    char path[4096];
    snprintf(path, sizeof path, "%s", scratch_path(&s, "checkpoint"));
    struct arrays a;
    write_some(&a, path, 2);
    a.weights[5] = INFINITY;
    assert_int_equal(net_checkpoint_write(path, &a.checkpoint, NULL), BRAMBLE_OK);
    refused(path, &a.checkpoint, "not finite");
    scratch_remove(&s);
}

static void test_sweeping(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    scratch_write(&s, "checkpoint.0123abcd", "x", 1);
    scratch_write(&s, "checkpoint.0123abcdef", "x", 1);
    scratch_write(&s, "checkpoint", "x", 1);
    char path[4096];
    snprintf(path, sizeof path, "%s", scratch_path(&s, "checkpoint"));
    net_checkpoint_sweep(path);
    assert_int_not_equal(access(scratch_path(&s, "checkpoint.0123abcd"), F_OK), 0);
    assert_int_equal(access(scratch_path(&s, "checkpoint.0123abcdef"), F_OK), 0);
    assert_int_equal(access(path, F_OK), 0);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_checkpoint_comes_back), cmocka_unit_test(test_none_is_fine),
        cmocka_unit_test(test_damage_is_found),         cmocka_unit_test(test_another_training),
        cmocka_unit_test(test_numbers_must_be_finite),  cmocka_unit_test(test_sweeping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
