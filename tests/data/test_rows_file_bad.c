/* Files that are no training rows, or damaged ones: refused in one line. */
#include "rows_files.h"

#include "data/rows_layout.h"

/* The bytes of a file of this kind, of malloc. */
static uint8_t *some_bytes(struct scratch *scratch, enum kind kind, size_t *n)
{
    struct data *d = data_new(kind);
    uint8_t *bytes = scratch_slurp(data_write(scratch, "a", d), n);
    data_free(d);
    return bytes;
}

/* Refuses the bytes with one line that names the file, or takes them: then batches can be made. */
static bool is_taken(struct scratch *scratch, const uint8_t *bytes, size_t n)
{
    struct rows_file *file = NULL;
    bramble_error error = {0};
    if (rows_file_open(&file, scratch_write(scratch, "x", bytes, n), &error) == BRAMBLE_OK) {
        struct batches *batches = batches_start(&file->encoder, &file->rows, false);
        batches_next(batches);
        batches_free(batches);
        rows_file_free(file);
        return true;
    }
    assert_null(file);
    assert_int_equal(error.status, BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "/x: damaged training rows: "));
    assert_null(strchr(error.message, '\n'));
    return false;
}

static void files_cut_short_are_refused(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    size_t n;
    uint8_t *bytes = some_bytes(&scratch, WEIGHTED, &n);
    for (size_t length = 0; length < n; length++) assert_false(is_taken(&scratch, bytes, length));
    bytes = realloc(bytes, n + 1);
    bytes[n] = 0;
    assert_false(is_taken(&scratch, bytes, n + 1));
    assert_true(is_taken(&scratch, bytes, n));
    free(bytes);
    scratch_remove(&scratch);
}

/* Whether these may both be heads before the same arrays: how many rows are set aside, what the target is and
 * what shape an image has can be one thing as well as another. */
static bool may_be(const struct rows_head *a, const uint8_t *bytes, bool image)
{
    struct rows_head b;
    memcpy(&b, bytes, sizeof b);
    return !memcmp(a->magic, b.magic, sizeof b.magic) && a->n_rows == b.n_rows &&
           a->row_bytes == b.row_bytes && a->encoder_bytes == b.encoder_bytes &&
           a->n_features == b.n_features && a->has_weights == b.has_weights && b.n_classes <= CLASS_MAX &&
           (image || !memcmp(a->shape, b.shape, sizeof b.shape));
}

/* Numbers in the head, set to what hurts most. */
static void no_number_is_believed(void **state)
{
    (void)state;
    static const uint64_t tries[] = {
        0, 1, 2, 63, 64, 65, 255, 65536, UINT32_MAX, UINT64_MAX, UINT64_MAX / 15};
    struct scratch scratch = scratch_new();
    for (enum kind kind = 0; kind < KINDS; kind++) {
        size_t n;
        uint8_t *bytes = some_bytes(&scratch, kind, &n);
        struct rows_head head;
        memcpy(&head, bytes, sizeof head);
        for (size_t at = 0; at < sizeof head; at += 4)
            for (size_t i = 0; i < 2 * (sizeof tries / sizeof *tries); i++) {
                memcpy(bytes + at, &tries[i / 2], i % 2 || at + 8 > sizeof head ? 4 : 8);
                if (is_taken(&scratch, bytes, n) && !may_be(&head, bytes, kind <= IMAGES_OF_NUMBERS))
                    fail_msg("kind %d: %llu at %zu was taken", kind, (unsigned long long)tries[i / 2], at);
                memcpy(bytes, &head, sizeof head);
            }
        assert_true(is_taken(&scratch, bytes, n));
        free(bytes);
    }
    scratch_remove(&scratch);
}

/* Writes `size` bytes of `value` at a place; the file must be refused. */
static void assert_refused(struct scratch *scratch, uint8_t *bytes, size_t n, size_t at, const void *value,
                           size_t size)
{
    uint8_t kept[8];
    memcpy(kept, bytes + at, size);
    memcpy(bytes + at, value, size);
    assert_false(is_taken(scratch, bytes, n));
    memcpy(bytes + at, kept, size);
}

static struct rows_layout layout_of(const uint8_t *bytes, size_t n)
{
    struct rows_head head;
    struct rows_layout layout;
    memcpy(&head, bytes, sizeof head);
    assert_true(rows_layout_init(&layout, &head));
    assert_int_equal(layout.bytes, n);
    return layout;
}

static void every_array_is_checked(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    const float infinite = INFINITY, below = -1, no_number = NAN;
    const uint32_t no_class = 3, validation = N, all_but_one = N - 1;
    const uint8_t no_type = 3, byte = BRAMBLE_FEATURE_BYTE, number = BRAMBLE_FEATURE_NUMBER, zero = 0,
                  one = 1;
    for (int weighted = 0; weighted < 2; weighted++) {
        size_t n, last = sizeof(float) * (N - 1);
        uint8_t *bytes = some_bytes(&scratch, weighted ? WEIGHTED : REGRESSION, &n);
        struct rows_layout l = layout_of(bytes, n);
        assert_refused(&scratch, bytes, n, offsetof(struct rows_head, n_validation), &validation, 4);
        assert_refused(&scratch, bytes, n, l.types, &no_type, 1);
        assert_refused(&scratch, bytes, n, l.types + 1, &byte, 1);
        assert_refused(&scratch, bytes, n, l.types + 3, &number, 1);
        assert_refused(&scratch, bytes, n, l.types + 3, &byte, 1);
        assert_refused(&scratch, bytes, n, l.categories, &one, 1);
        assert_refused(&scratch, bytes, n, l.encoder, "[", 1);
        assert_refused(&scratch, bytes, n, l.encoder + 5, &zero, 1);
        if (weighted) {
            assert_refused(&scratch, bytes, n, l.targets + last, &no_class, 4);
            assert_refused(&scratch, bytes, n, l.weights + last, &below, 4);
            assert_refused(&scratch, bytes, n, l.weights, &no_number, 4);
            assert_refused(&scratch, bytes, n, l.weights, &infinite, 4);
            memset(bytes + l.weights + last + 4 - 4 * N_VALIDATION, 0, 4 * N_VALIDATION);
            assert_false(is_taken(&scratch, bytes, n));
        } else {
            assert_refused(&scratch, bytes, n, l.targets + last, &no_number, 4);
            assert_refused(&scratch, bytes, n, l.targets, &infinite, 4);
            memcpy(bytes + offsetof(struct rows_head, n_validation), &all_but_one, 4);
            assert_true(is_taken(&scratch, bytes, n));
        }
        free(bytes);
    }
    scratch_remove(&scratch);
}

/* The encoder's text is another's, or nothing's, with its length kept. */
static void encoders_have_to_fit(void **state)
{
    (void)state;
    static const char *const pieces[][2] = {{"\"one-hot\"", "\"number\" "},
                                            {"\"number\"", "\"place\" "},
                                            {"\"deviation\":", "\"devi\\u0000on\":"},
                                            {"\"mean\"", "\"meen\""},
                                            {"{\"features\":[{", "{\"features\":[[["},
                                            {"true", "null"}};
    struct scratch scratch = scratch_new();
    size_t n;
    uint8_t *bytes = some_bytes(&scratch, REGRESSION, &n);
    char *text = (char *)bytes + layout_of(bytes, n).encoder;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        char *at = strstr(text, pieces[i][0]);
        assert_non_null(at);
        size_t length = strlen(pieces[i][0]);
        memcpy(at, pieces[i][1], length);
        assert_false(is_taken(&scratch, bytes, n));
        memcpy(at, pieces[i][0], length);
    }
    assert_true(is_taken(&scratch, bytes, n));
    free(bytes);
    scratch_remove(&scratch);
}

/* Whatever bytes the features have, they become numbers. */
static void features_may_be_anything(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    for (enum kind kind = 0; kind < KINDS; kind++) {
        size_t n;
        uint8_t *bytes = some_bytes(&scratch, kind, &n);
        size_t from = layout_of(bytes, n).rows;
        struct rng rng;
        rng_init(&rng, 1, RNG_HOLDOUT, (uint32_t)kind, 0);
        for (size_t i = from; i < n; i++) bytes[i] = (uint8_t)rng_below(&rng, 256);
        assert_true(is_taken(&scratch, bytes, n));
        memset(bytes + from, 255, n - from);
        assert_true(is_taken(&scratch, bytes, n));
        free(bytes);
    }
    scratch_remove(&scratch);
}

static void assert_not_written(const struct rows *rows, size_t n_validation, const struct encoder *encoder,
                               const char *part)
{
    bramble_error error = {0};
    struct scratch scratch = scratch_new();
    const char *path = scratch_path(&scratch, "a");
    assert_int_equal(rows_file_write(path, rows, n_validation, encoder, &error), BRAMBLE_ERR_DATA);
    if (!strstr(error.message, part)) fail_msg("\"%s\" lacks \"%s\"", error.message, part);
    assert_int_equal(scratch_count(&scratch), 0);
    scratch_remove(&scratch);
}

static void rows_of_no_use_are_not_written(void **state)
{
    (void)state;
    struct data *d = data_new(REGRESSION);
    struct rows rows = d->rows;
    float values[N] = {0};
    assert_not_written(&rows, N, &d->encoder, "no rows to train on");
    rows.weights = values;
    assert_not_written(&rows, N_VALIDATION, &d->encoder, "weights");
    values[N - N_VALIDATION] = 1;
    assert_not_written(&rows, N_VALIDATION, &d->encoder, "weights");
    rows.weights = NULL;
    values[3] = INFINITY;
    rows.targets = values;
    assert_not_written(&rows, 0, &d->encoder, "too large");
    rows.targets = NULL;
    assert_not_written(&rows, 0, &d->encoder, "no target");
    data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_cut_short_are_refused), cmocka_unit_test(no_number_is_believed),
        cmocka_unit_test(every_array_is_checked),      cmocka_unit_test(encoders_have_to_fit),
        cmocka_unit_test(features_may_be_anything),    cmocka_unit_test(rows_of_no_use_are_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
