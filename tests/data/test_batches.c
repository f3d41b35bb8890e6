/* Batches: every sample once an epoch, the same on any thread and after any resume; augmentation. */
#include "base/mem.h"
#include "data/batches.h"
#include "tables.h"

enum { SIDE = 6, PIXELS = SIDE * SIDE };

/* N grey images whose pixels tell the row: pixel p of row r is 1 + (r + p) % 255. */
struct data {
    struct bramble_table table;
    struct feature features[PIXELS];
    struct column columns[PIXELS];
    struct encoder encoder;
    struct rows rows;
};

static struct data *data_new(size_t n)
{
    struct data *d = mem_zalloc(1, sizeof *d);
    d->table = (struct bramble_table){.n_rows = n, .columns = d->columns};
    d->table.schema = (struct bramble_schema){.n_features = PIXELS,
                                              .features = d->features,
                                              .shape = {SIDE, SIDE},
                                              .task = BRAMBLE_TASK_CLASSIFICATION,
                                              .n_classes = 10};
    d->table.classes = mem_alloc(n, sizeof(uint16_t));
    d->table.weights = mem_alloc(n, sizeof *d->table.weights);
    for (size_t r = 0; r < n; r++) d->table.classes[r] = (uint16_t)(r % 10);
    for (size_t r = 0; r < n; r++) d->table.weights[r] = (double)r;
    for (uint32_t f = 0; f < PIXELS; f++) {
        d->columns[f].bytes = mem_alloc(n, 1);
        for (size_t r = 0; r < n; r++) d->columns[f].bytes[r] = (uint8_t)(1 + (r + f) % 255);
    }
    assert_int_equal(encoder_init(&d->encoder, &d->table, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(rows_init(&d->rows, &d->table, &d->encoder, NULL), BRAMBLE_OK);
    return d;
}

static void data_free(struct data *d)
{
    rows_fini(&d->rows);
    encoder_fini(&d->encoder);
    for (uint32_t f = 0; f < PIXELS; f++) mem_free(d->columns[f].bytes);
    mem_free(d->table.classes);
    mem_free(d->table.weights);
    mem_free(d);
}

static struct batches *start(const struct data *d, struct batches_options options, struct batches_state from)
{
    struct batches *batches = NULL;
    bramble_error error = {0};
    if (batches_new(&batches, &d->encoder, &d->rows, &options, from, &error)) fail_msg("%s", error.message);
    return batches;
}

static const struct batches_state beginning;

/* The row that a sample is, by its first pixel. */
static uint32_t row_of(const float *x)
{
    return (uint32_t)(x[0] * 255.0f + 0.5f) - 1;
}

/* Epoch `epoch` of 103 rows, 10 a batch, into order[103]: each once, with its pixels and its class. */
static void take_epoch(struct batches *batches, uint32_t order[103])
{
    bool seen[103] = {0};
    uint32_t n = 0;
    for (int i = 0; i < 11; i++) {
        const struct batch *batch = batches_next(batches);
        const uint32_t *targets = batch->targets;
        assert_int_equal(batch->samples, i < 10 ? 10 : 3);
        for (uint32_t s = 0; s < batch->samples; s++) {
            uint32_t row = order[n++] = row_of(batch->x + s * PIXELS);
            assert_true(row < 103 && !seen[row]);
            seen[row] = true;
            assert_int_equal(targets[s], row % 10);
            assert_true(batch->weights[s] == (float)(row / 102.0));
            for (uint32_t p = 0; p < PIXELS; p++)
                assert_true(batch->x[s * PIXELS + p] == (float)(1 + (row + p) % 255) / 255.0f);
        }
    }
}

static void goes_through_all_samples(void **state)
{
    (void)state;
    struct data *d = data_new(103);
    struct batches_options options = BATCHES_OPTIONS_INIT;
    options.batch_size = 10;
    options.seed = 7;
    struct batches *batches = start(d, options, beginning);
    uint32_t before[103], order[103], sorted[103];
    for (uint32_t r = 0; r < 103; r++) before[r] = sorted[r] = r;
    for (int epoch = 0; epoch < 3; epoch++) {
        take_epoch(batches, order);
        assert_memory_not_equal(order, before, sizeof order);
        assert_memory_not_equal(order, sorted, sizeof order);
        memcpy(before, order, sizeof order);
    }
    batches_free(batches);
    data_free(d);
}

/* The next batches of both are the same, byte for byte. */
static void assert_same(struct batches *a, struct batches *b, int n)
{
    for (int i = 0; i < n; i++) {
        const struct batch *p = batches_next(a), *q = batches_next(b);
        assert_int_equal(p->samples, q->samples);
        assert_memory_equal(p->targets, q->targets, p->samples * sizeof(uint32_t));
        assert_memory_equal(p->x, q->x, p->samples * PIXELS * sizeof(float));
    }
}

static void goes_on_anywhere(void **state)
{
    (void)state;
    struct data *d = data_new(41);
    struct batches_options options = BATCHES_OPTIONS_INIT;
    options.batch_size = 8;
    options.seed = 3;
    options.augment = (struct augment_options){.crop_padding = 2, .flip = true, .cutout = 3};
    for (int skipped = 0; skipped < 15; skipped++) {
        options.own_thread = true;
        struct batches *all = start(d, options, beginning);
        for (int i = 0; i < skipped; i++) batches_next(all);
        options.own_thread = skipped & 1;
        struct batches_state place = {(uint64_t)skipped / 6, (uint64_t)skipped % 6};
        struct batches *resumed = start(d, options, place);
        assert_same(all, resumed, 13);
        batches_free(resumed);
        batches_free(all);
    }
    data_free(d);
}

/* The first epoch's order under a seed. */
static void first_order(const struct data *d, uint64_t seed, uint32_t order[103])
{
    struct batches_options options = BATCHES_OPTIONS_INIT;
    options.batch_size = 10;
    options.seed = seed;
    struct batches *batches = start(d, options, beginning);
    take_epoch(batches, order);
    batches_free(batches);
}

static void the_seed_decides_the_order(void **state)
{
    (void)state;
    struct data *d = data_new(103);
    uint32_t order[103], again[103], other[103];
    first_order(d, 7, order);
    first_order(d, 7, again);
    first_order(d, 8, other);
    assert_memory_equal(order, again, sizeof order);
    assert_memory_not_equal(order, other, sizeof order);
    data_free(d);
}

/* A batch that is larger than the data takes all of them. */
static void a_batch_may_take_all(void **state)
{
    (void)state;
    struct data *d = data_new(20);
    struct batches *batches = start(d, (struct batches_options){.batch_size = 128}, beginning);
    for (int epoch = 0; epoch < 2; epoch++) assert_int_equal(batches_next(batches)->samples, 20);
    batches_free(batches);
    data_free(d);
}

static const uint32_t shape[3] = {4, 5, 2};

/* The change that made `out`: the cut's place and the flip, or false. Pixel (y, x) of the image is
 * 100 y + 10 x + channel + 1. */
static bool explained(const float *out, int down, int right, bool flip)
{
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 5; x++)
            for (int c = 0; c < 2; c++) {
                int from_y = y + down, from_x = (flip ? 4 - x : x) + right;
                bool inside = from_y >= 0 && from_y < 4 && from_x >= 0 && from_x < 5;
                float expected = inside ? (float)(100 * from_y + 10 * from_x + c + 1) : 0;
                if (out[(y * 5 + x) * 2 + c] != expected) return false;
            }
    return true;
}

static void crops_and_flips(void **state)
{
    (void)state;
    float image[40], out[40];
    for (int i = 0; i < 40; i++) image[i] = (float)(100 * (i / 10) + 10 * (i / 2 % 5) + i % 2 + 1);
    struct augment_options options = {.crop_padding = 1, .flip = true};
    int counts[18] = {0};
    for (uint64_t sample = 0; sample < 900; sample++) {
        augment_image(&options, shape, 5, 2, sample, image, out);
        int found = 0;
        for (int i = 0; i < 18; i++)
            if (explained(out, i % 3 - 1, i / 3 % 3 - 1, i >= 9)) {
                counts[i]++;
                found++;
            }
        assert_int_equal(found, 1);
    }
    for (int i = 0; i < 18; i++) assert_true(counts[i] > 20 && counts[i] < 90);
}

static void cuts_out_squares(void **state)
{
    (void)state;
    float image[40], out[40];
    for (int i = 0; i < 40; i++) image[i] = 1;
    struct augment_options options = {.cutout = 3};
    bool whole = false, clipped = false;
    for (uint64_t sample = 0; sample < 200; sample++) {
        augment_image(&options, shape, 5, 2, sample, image, out);
        int zeros = 0;
        for (int i = 0; i < 40; i += 2) {
            zeros += out[i] == 0;
            assert_true(out[i] == out[i + 1]);
            assert_true(out[i] == 0 || out[i] == 1);
        }
        assert_true(zeros >= 4 && zeros <= 9);
        whole |= zeros == 9;
        clipped |= zeros < 9;
    }
    assert_true(whole && clipped);
}

/* Wants every third sample of a batch, from another one on in each, and in one batch none. */
struct wanting {
    struct batches_state expected; /* the batch that is asked about, from its first sample to its last */
    uint32_t sample;
    _Atomic uint64_t asked, handed_out; /* batches */
    bool wrong;
};

static bool is_wanted(struct batches_state batch, uint32_t sample)
{
    return batch.batch != 2 && (sample + batch.batch + batch.epoch) % 3 == 0;
}

static struct batches_state state_after(struct batches_state state)
{
    return state.batch < 10 ? (struct batches_state){state.epoch, state.batch + 1}
                            : (struct batches_state){state.epoch + 1, 0};
}

static bool want_some(void *context, struct batches_state batch, uint32_t samples, uint32_t sample)
{
    struct wanting *wanting = context;
    wanting->wrong |= batch.epoch != wanting->expected.epoch || batch.batch != wanting->expected.batch ||
                      sample != wanting->sample || samples != (batch.batch < 10 ? 10 : 3);
    wanting->wrong |= wanting->asked > wanting->handed_out + 2; /* so far ahead is none */
    if (++wanting->sample == samples) {
        wanting->sample = 0;
        wanting->asked++;
        wanting->expected = state_after(batch);
    }
    return is_wanted(batch, sample);
}

/* `part` has the samples of `whole` that are wanted, in their order, and everybody's weights. */
static void assert_part(const struct batch *part, const struct batch *whole, struct batches_state place)
{
    const uint32_t *targets = part->targets, *all_targets = whole->targets;
    uint32_t n = 0;
    assert_int_equal(part->samples, whole->samples);
    assert_int_equal(whole->n, whole->samples);
    assert_memory_equal(part->all_weights, whole->weights, whole->samples * sizeof(float));
    assert_memory_equal(whole->all_weights, whole->weights, whole->samples * sizeof(float));
    for (uint32_t s = 0; s < whole->samples; s++) {
        if (!is_wanted(place, s)) continue;
        assert_true(n < part->n);
        assert_memory_equal(part->x + n * PIXELS, whole->x + s * PIXELS, PIXELS * sizeof(float));
        assert_int_equal(targets[n], all_targets[s]);
        assert_true(part->weights[n] == whole->weights[s]);
        n++;
    }
    assert_int_equal(part->n, n);
}

/* Augmented, since what is drawn for an image must not depend on who makes it. */
static void makes_what_is_wanted(void **state)
{
    (void)state;
    struct data *d = data_new(103);
    struct batches_options options = {.batch_size = 10, .seed = 4};
    options.augment = (struct augment_options){.crop_padding = 2, .flip = true, .cutout = 3};
    for (int run = 0; run < 4; run++) {
        struct batches_state place = {0, run & 2 ? 9 : 0};
        struct wanting wanting = {.expected = place};
        options.own_thread = run & 1;
        options.wants = NULL;
        struct batches *whole = start(d, options, place);
        options.wants = want_some;
        options.wants_context = &wanting;
        struct batches *part = start(d, options, place);
        for (uint64_t i = 0; i < 25; i++, place = state_after(place)) {
            wanting.handed_out = i;
            assert_part(batches_next(part), batches_next(whole), place);
        }
        batches_free(part);
        batches_free(whole);
        assert_false(wanting.wrong);
    }
    data_free(d);
}

/* Rows that all weigh 1 have no weights, wanted or not. */
static void without_weights_there_are_none(void **state)
{
    (void)state;
    struct data *d = data_new(103);
    struct wanting wanting = {0};
    const float *weights = d->rows.weights;
    d->rows.weights = NULL;
    struct batches_options options = {.batch_size = 10, .wants = want_some, .wants_context = &wanting};
    struct batches *batches = start(d, options, beginning);
    const struct batch *batch = batches_next(batches);
    assert_null(batch->weights);
    assert_null(batch->all_weights);
    assert_int_equal(batch->n, 4);
    batches_free(batches);
    d->rows.weights = weights;
    data_free(d);
}

static void assert_senseless(const struct data *d, struct batches_options options, struct batches_state from)
{
    struct batches *batches = NULL;
    bramble_error error = {0};
    assert_int_equal(batches_new(&batches, &d->encoder, &d->rows, &options, from, &error), BRAMBLE_ERR_USAGE);
    assert_null(batches);
    assert_true(strlen(error.message) > 0);
}

static void refuses_what_makes_no_sense(void **state)
{
    (void)state;
    struct data *d = data_new(20);
    assert_senseless(d, (struct batches_options){.batch_size = 0}, beginning);
    assert_senseless(d, (struct batches_options){.batch_size = 5}, (struct batches_state){0, 4});
    assert_senseless(d, (struct batches_options){.batch_size = 5}, (struct batches_state){1 << 24, 0});
    assert_senseless(d, (struct batches_options){.batch_size = 5, .augment.crop_padding = SIDE}, beginning);
    assert_senseless(d, (struct batches_options){.batch_size = 5, .augment.cutout = 2 * SIDE + 1}, beginning);
    d->encoder.shape[0] = 0;
    assert_senseless(d, (struct batches_options){.batch_size = 5, .augment.flip = true}, beginning);
    data_free(d);
}

static void survives_no_memory(void **state)
{
    (void)state;
    struct data *d = data_new(20);
    struct batches_options options = {.batch_size = 5, .own_thread = true};
    for (size_t n = 1;; n++) {
        struct batches *batches = NULL;
        mem_fail_at(n, 1);
        bramble_status status = batches_new(&batches, &d->encoder, &d->rows, &options, beginning, NULL);
        size_t count = mem_fail_count();
        mem_fail_at(0, 0);
        batches_free(batches);
        if (status == BRAMBLE_OK && count < n) break;
        if (status) assert_int_equal(status, BRAMBLE_ERR_MEMORY);
    }
    data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_through_all_samples),
        cmocka_unit_test(goes_on_anywhere),
        cmocka_unit_test(the_seed_decides_the_order),
        cmocka_unit_test(a_batch_may_take_all),
        cmocka_unit_test(makes_what_is_wanted),
        cmocka_unit_test(without_weights_there_are_none),
        cmocka_unit_test(crops_and_flips),
        cmocka_unit_test(cuts_out_squares),
        cmocka_unit_test(refuses_what_makes_no_sense),
        cmocka_unit_test(survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
