/* Training rows as a file: what comes back is what went in. */
#include "rows_files.h"

#include "base/machine_memory.h"
#include "data/rows_layout.h"

static void assert_same_encoder(const struct encoder *a, const struct encoder *b)
{
    char *text, *other;
    assert_int_equal(a->n_features, b->n_features);
    assert_int_equal(a->n_inputs, b->n_inputs);
    assert_memory_equal(a->shape, b->shape, sizeof a->shape);
    assert_int_equal(a->pixels, b->pixels);
    assert_int_equal(a->task, b->task);
    assert_int_equal(a->n_outputs, b->n_outputs);
    assert_int_equal(encoder_to_json(&text, a, NULL), BRAMBLE_OK);
    assert_int_equal(encoder_to_json(&other, b, NULL), BRAMBLE_OK);
    assert_string_equal(text, other);
    mem_free(text);
    mem_free(other);
}

static void what_is_opened_is_what_was_written(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct data *d = data_new(kind);
        struct rows_file *file = must_open(data_write(&scratch, "a", d));
        const struct rows *rows = &file->rows;
        assert_int_equal(file->n_validation, N_VALIDATION);
        assert_int_equal(rows->n_rows, N);
        assert_int_equal(rows->n_features, F);
        assert_int_equal(rows->row_bytes, d->rows.row_bytes);
        assert_int_equal(rows->row_bytes, kind == IMAGES ? 6 : kind == IMAGES_OF_NUMBERS ? 24 : 15);
        assert_memory_equal(rows->types, d->rows.types, F);
        assert_memory_equal(rows->bytes, d->rows.bytes, N * rows->row_bytes);
        assert_memory_equal(rows->targets, d->rows.targets, N * sizeof(uint32_t));
        assert_int_equal(rows->weights != NULL, kind == WEIGHTED);
        if (rows->weights) assert_memory_equal(rows->weights, d->rows.weights, N * sizeof(float));
        assert_same_encoder(&file->encoder, &d->encoder);
        assert_int_equal((uintptr_t)rows->bytes % 64, 0);
        assert_int_equal((uintptr_t)rows->targets % 64, 0);
        assert_int_equal((uintptr_t)rows->weights % 64, 0);
        rows_file_free(file);
        data_free(d);
    }
    scratch_remove(&scratch);
}

/* Two epochs and a bit of both. */
static void assert_same_batches(const struct encoder *encoder, const struct rows *rows,
                                const struct rows_file *file, const struct rows *of_file)
{
    bool augment = encoder->shape[0];
    struct batches *a = batches_start(encoder, rows, augment),
                   *b = batches_start(&file->encoder, of_file, augment);
    for (size_t i = 0; i < 2 * rows->n_rows / 8 + 2; i++) {
        const struct batch *p = batches_next(a), *q = batches_next(b);
        assert_int_equal(p->samples, q->samples);
        assert_memory_equal(p->x, q->x, p->samples * encoder->n_inputs * sizeof *p->x);
        assert_memory_equal(p->targets, q->targets, p->samples * sizeof(uint32_t));
        assert_int_equal(p->weights != NULL, q->weights != NULL);
        if (p->weights) assert_memory_equal(p->weights, q->weights, p->samples * sizeof *p->weights);
    }
    batches_free(a);
    batches_free(b);
}

/* Of the rows trained on and of those set aside, whether or not the kernel is told which come next. */
static void batches_are_the_same(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    for (int i = 0; i < 2 * KINDS; i++) {
        struct data *d = data_new((enum kind)(i / 2));
        struct rows_file *file = must_open(data_write(&scratch, "a", d));
        file->rows.mapped = i % 2;
        for (int part = 0; part < 2; part++) {
            size_t first = part ? N - N_VALIDATION : 0, n = part ? N_VALIDATION : N - N_VALIDATION;
            struct rows rows = rows_part(&d->rows, first, n), of_file = rows_part(&file->rows, first, n);
            assert_int_equal(of_file.mapped, i % 2);
            assert_same_batches(&d->encoder, &rows, file, &of_file);
        }
        rows_file_free(file);
        data_free(d);
    }
    scratch_remove(&scratch);
}

static void assert_same_files(struct scratch *scratch, const char *a, const char *b)
{
    size_t n, n_other;
    uint8_t *bytes = scratch_slurp(scratch_path(scratch, a), &n);
    uint8_t *others = scratch_slurp(scratch_path(scratch, b), &n_other);
    assert_int_equal(n, n_other);
    assert_memory_equal(bytes, others, n);
    free(bytes);
    free(others);
}

/* From rows in memory, rows in a spill's file, and rows of such a file. */
static void the_file_is_always_the_same(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    assert_int_equal(setenv("BRAMBLE_CACHE", scratch.folder, 1), 0);
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct data *d = data_new(kind);
        struct rows_file *file = must_open(data_write(&scratch, "a", d));
        assert_int_equal(
            rows_file_write(scratch_path(&scratch, "b"), &file->rows, N_VALIDATION, &file->encoder, NULL),
            BRAMBLE_OK);
        assert_same_files(&scratch, "a", "b");
        struct rows spilt = d->rows;
        assert_int_equal(spill_new(&spilt.spill, NULL), BRAMBLE_OK);
        spill_force(spilt.spill);
        void *bytes = spill_resize(spilt.spill, NULL, N, spilt.row_bytes);
        assert_non_null(bytes);
        spilt.bytes = memcpy(bytes, d->rows.bytes, N * spilt.row_bytes);
        assert_int_equal(
            rows_file_write(scratch_path(&scratch, "b"), &spilt, N_VALIDATION, &d->encoder, NULL),
            BRAMBLE_OK);
        assert_same_files(&scratch, "a", "b");
        spill_release(bytes);
        spill_free(spilt.spill);
        rows_file_free(file);
        data_free(d);
    }
    unsetenv("BRAMBLE_CACHE");
    scratch_remove(&scratch);
}

/* A file stays what it was when another takes its place, or it goes. */
static void an_open_file_stays(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    struct data *d = data_new(MIXED), *other = data_new(REGRESSION);
    struct rows_file *file = must_open(data_write(&scratch, "a", d));
    data_write(&scratch, "a", other);
    assert_int_equal(unlink(scratch.path), 0);
    assert_same_batches(&d->encoder, &d->rows, file, &file->rows);
    rows_file_free(file);
    data_free(d);
    data_free(other);
    scratch_remove(&scratch);
}

/* Many rows more, all holes: takes no room on the disk. False: not on this one. */
static bool stretch(const char *path, uint64_t n_rows)
{
    struct rows_head head;
    struct rows_layout layout;
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fread(&head, sizeof head, 1, file), 1);
    head.n_rows = n_rows;
    assert_true(rows_layout_init(&layout, &head));
    rewind(file);
    assert_int_equal(fwrite(&head, sizeof head, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    return truncate(path, (off_t)layout.bytes) == 0;
}

/* Rows of 64 KB, as many as memory has room for and more. */
static void files_may_be_larger_than_memory(void **state)
{
    (void)state;
    enum { WIDE = 65536 };
    static float x[2 * WIDE];
    uint64_t many = process_memory_left() / WIDE + 100;
    struct scratch scratch = scratch_new();
    struct data *d = mem_zalloc(1, sizeof *d);
    d->table = table_of(2, WIDE, x, (const double[]){0, 1}, NULL, BRAMBLE_TASK_CLASSIFICATION);
    d->table->schema.shape[0] = d->table->schema.shape[1] = 256;
    assert_int_equal(encoder_init(&d->encoder, d->table, NULL, NULL), BRAMBLE_OK);
    assert_int_equal(rows_init(&d->rows, d->table, &d->encoder, NULL), BRAMBLE_OK);
    const char *path = scratch_path(&scratch, "a");
    assert_int_equal(rows_file_write(path, &d->rows, 1, &d->encoder, NULL), BRAMBLE_OK);
    struct rows_file *file = must_open(path);
    assert_false(file->rows.mapped);
    rows_file_free(file);
    if (stretch(path, many)) {
        file = must_open(path);
        assert_true(file->rows.mapped);
        struct batches *batches = batches_start(&file->encoder, &file->rows, false);
        for (int i = 0; i < 3; i++) assert_true(batches_next(batches)->x[7 * WIDE] == 0);
        batches_free(batches);
        rows_file_free(file);
    }
    data_free(d);
    scratch_remove(&scratch);
}

static void paths_that_lead_nowhere_are_named(void **state)
{
    (void)state;
    struct rows_file *file = NULL;
    bramble_error error;
    assert_int_equal(rows_file_open(&file, "/nowhere/x", &error), BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "/nowhere/x: "));
    assert_int_equal(rows_file_open(&file, "/tmp", &error), BRAMBLE_ERR_DATA);
    assert_null(file);
    struct data *d = data_new(MIXED);
    assert_int_equal(rows_file_write("/nowhere/x", &d->rows, 1, &d->encoder, &error), BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "/nowhere/x"));
    data_free(d);
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct scratch scratch = scratch_new();
    struct data *d = data_new(WEIGHTED);
    const char *path = scratch_path(&scratch, "a");
    for (size_t n = 1, reached = true; reached; n++) {
        mem_fail_at(n, n % 2);
        bramble_status status = rows_file_write(path, &d->rows, N_VALIDATION, &d->encoder, NULL);
        reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        /* the file is whole when its folder's name, to sync it, does not fit into memory */
        if (status == BRAMBLE_OK)
            rows_file_free(must_open(path));
        else
            assert_int_equal(status, BRAMBLE_ERR_MEMORY);
        assert_true(reached || status == BRAMBLE_OK);
    }
    for (size_t n = 1, reached = true; reached; n++) {
        struct rows_file *file = NULL;
        mem_fail_at(n, n % 2);
        bramble_status status = rows_file_open(&file, path, NULL);
        reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        assert_int_equal(file == NULL, reached);
        rows_file_free(file);
    }
    data_free(d);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_opened_is_what_was_written),
        cmocka_unit_test(batches_are_the_same),
        cmocka_unit_test(the_file_is_always_the_same),
        cmocka_unit_test(an_open_file_stays),
        cmocka_unit_test(files_may_be_larger_than_memory),
        cmocka_unit_test(paths_that_lead_nowhere_are_named),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
