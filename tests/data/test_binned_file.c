/* Binned data as a file: what comes back is what went in, and nothing else is taken for such a file. */
#include "array_tables.h"
#include "scratch.h"

#include "data/binned_file.h"
#include "data/binned_layout.h"

enum { N = 300, F = 5 };

/* Bytes, numbers of few and of many values, numbers with gaps, categories with gaps. */
static struct bramble_table *some_table(bool classify, bool weights)
{
    static float x[N * F];
    static double y[N], w[N];
    struct rng rng;
    rng_init(&rng, 3, RNG_HOLDOUT, 1, 0);
    for (size_t i = 0; i < N; i++) {
        x[i * F] = (float)rng_below(&rng, 256);
        x[i * F + 1] = (float)rng_below(&rng, 7) / 2;
        x[i * F + 2] = (float)draw_normal(&rng);
        x[i * F + 3] = rng_below(&rng, 4) ? (float)draw_normal(&rng) : NAN;
        x[i * F + 4] = rng_below(&rng, 4) ? (float)rng_below(&rng, 9) : NAN;
        y[i] = classify ? rng_below(&rng, 3) * 10 : draw_normal(&rng);
        w[i] = (double)rng_below(&rng, 3);
    }
    struct bramble_table *table = table_of(N, F, x, y, weights ? w : NULL,
                                           classify ? BRAMBLE_TASK_CLASSIFICATION : BRAMBLE_TASK_REGRESSION);
    table_set_categories(table, 4, 9);
    return table;
}

static struct binned *bin(const struct bramble_table *table)
{
    struct binned *binned = NULL;
    assert_int_equal(binned_new(&binned, table, 1, NULL), BRAMBLE_OK);
    return binned;
}

/* A file of some table's; returns its path. */
static const char *write_some(struct scratch *scratch, const char *name, bool classify, bool weights)
{
    struct bramble_table *table = some_table(classify, weights);
    struct binned *binned = bin(table);
    bramble_error error;
    if (binned_file_write(scratch_path(scratch, name), table, binned, &error)) fail_msg("%s", error.message);
    binned_free(binned);
    bramble_table_free(table);
    return scratch->path;
}

static struct binned_file *must_read(const char *path)
{
    struct binned_file *file = NULL;
    bramble_error error;
    if (binned_file_read(&file, path, &error)) fail_msg("%s", error.message);
    return file;
}

static void assert_same_bins(const struct binned *a, const struct binned *b)
{
    assert_int_equal(a->n_rows, b->n_rows);
    assert_int_equal(a->n_features, b->n_features);
    for (uint32_t f = 0; f < a->n_features; f++) {
        assert_int_equal(a->bins[f].n_bins, b->bins[f].n_bins);
        assert_int_equal(a->bins[f].has_missing, b->bins[f].has_missing);
        assert_int_equal(a->bins[f].categorical, b->bins[f].categorical);
        for (size_t i = 0; i < a->n_rows && f >= b->held_begin && f < b->held_end; i++)
            assert_int_equal(a->columns[f][i], b->by_row[i * (b->held_end - b->held_begin) + f]);
        if (a->bins[f].categorical) continue;
        assert_memory_equal(a->bins[f].low, b->bins[f].low, a->bins[f].n_bins * sizeof(float));
        assert_memory_equal(a->bins[f].high, b->bins[f].high, a->bins[f].n_bins * sizeof(float));
    }
}

static void what_is_read_is_what_was_written(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) {
        bool classify = kind & 1, weights = kind & 2;
        struct scratch scratch = scratch_new();
        struct bramble_table *table = some_table(classify, weights);
        struct binned *binned = bin(table);
        struct binned_file *file = must_read(write_some(&scratch, "a", classify, weights));
        assert_same_bins(binned, &file->binned);
        assert_null(file->binned.columns);
        assert_null(file->table.columns);
        assert_int_equal(file->table.schema.task, table->schema.task);
        assert_int_equal(file->table.schema.n_classes, table->schema.n_classes);
        for (uint32_t c = 0; c < table->schema.n_classes; c++)
            assert_string_equal(file->table.schema.classes[c], table->schema.classes[c]);
        for (uint32_t f = 0; f < F; f++)
            assert_int_equal(file->table.schema.features[f].type, table->schema.features[f].type);
        if (classify)
            assert_memory_equal(file->table.classes, table->classes, N * sizeof *table->classes);
        else
            assert_memory_equal(file->table.values, table->values, N * sizeof *table->values);
        assert_int_equal(file->table.weights != NULL, weights);
        if (weights) assert_memory_equal(file->table.weights, table->weights, N * sizeof *table->weights);
        binned_file_free(file);
        binned_free(binned);
        bramble_table_free(table);
        scratch_remove(&scratch);
    }
}

/* The same bytes each time, and from what was read as from what was binned. */
static void the_file_is_always_the_same(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    size_t n, n_again;
    write_some(&scratch, "b", true, true);
    struct binned_file *file = must_read(write_some(&scratch, "a", true, true));
    uint8_t *first = scratch_slurp(scratch_path(&scratch, "a"), &n);
    uint8_t *second = scratch_slurp(scratch_path(&scratch, "b"), &n_again);
    assert_int_equal(n, n_again);
    assert_memory_equal(first, second, n);
    free(second);
    const char *path = scratch_path(&scratch, "c");
    assert_int_equal(binned_file_write(path, &file->table, &file->binned, NULL), BRAMBLE_OK);
    second = scratch_slurp(path, &n_again);
    assert_int_equal(n, n_again);
    assert_memory_equal(first, second, n);
    free(first);
    free(second);
    binned_file_free(file);
    scratch_remove(&scratch);
}

/* Shards know all features' bins and hold the codes of some; they can be cut from a whole file too. */
static void shards_hold_some_codes(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    struct bramble_table *table = some_table(true, true);
    struct binned *binned = bin(table);
    char whole_path[PATH_MAX];
    snprintf(whole_path, sizeof whole_path, "%s", write_some(&scratch, "whole", true, true));
    struct binned_file *whole = must_read(whole_path);
    for (uint32_t begin = 0; begin < F; begin++)
        for (uint32_t end = begin + 1; end <= F; end++) {
            const char *path = scratch_path(&scratch, "shard");
            assert_int_equal(binned_file_write_shard(path, table, binned, begin, end, NULL), BRAMBLE_OK);
            struct binned_file *shard = must_read(path);
            assert_int_equal(shard->binned.held_begin, begin);
            assert_int_equal(shard->binned.held_end, end);
            assert_same_bins(binned, &shard->binned);
            size_t n, n_cut;
            uint8_t *bytes = scratch_slurp(path, &n);
            path = scratch_path(&scratch, "cut");
            assert_int_equal(binned_file_write_shard(path, &whole->table, &whole->binned, begin, end, NULL),
                             BRAMBLE_OK);
            uint8_t *cut = scratch_slurp(path, &n_cut);
            assert_int_equal(n, n_cut);
            assert_memory_equal(bytes, cut, n);
            free(cut);
            assert_int_equal(binned_file_cut(whole_path, begin, end, path, NULL), BRAMBLE_OK);
            cut = scratch_slurp(path, &n_cut);
            assert_int_equal(n, n_cut);
            assert_memory_equal(bytes, cut, n);
            free(bytes);
            free(cut);
            binned_file_free(shard);
        }
    binned_file_free(whole);
    binned_free(binned);
    bramble_table_free(table);
    scratch_remove(&scratch);
}

static void only_whole_files_are_cut(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    char whole[PATH_MAX], part[PATH_MAX], other[PATH_MAX];
    struct binned_extent extent;
    snprintf(whole, sizeof whole, "%s", write_some(&scratch, "whole", true, true));
    snprintf(part, sizeof part, "%s", scratch_path(&scratch, "part"));
    snprintf(other, sizeof other, "%s", scratch_path(&scratch, "other"));
    assert_int_equal(binned_file_measure(whole, &extent, NULL), BRAMBLE_OK);
    assert_int_equal(extent.n_features, F);
    assert_int_equal(binned_file_cut(whole, 1, 1, part, NULL), BRAMBLE_ERR_USAGE);
    assert_int_equal(binned_file_cut(whole, 1, F + 1, part, NULL), BRAMBLE_ERR_USAGE);
    assert_int_equal(access(part, F_OK), -1);
    assert_int_equal(binned_file_cut(whole, 1, 2, part, NULL), BRAMBLE_OK);
    assert_int_equal(binned_file_cut(part, 1, 2, other, NULL), BRAMBLE_ERR_DATA);
    assert_int_equal(truncate(whole, (off_t)(extent.shared_bytes + 1)), 0);
    assert_int_equal(binned_file_cut(whole, 1, 2, other, NULL), BRAMBLE_ERR_DATA);
    assert_int_equal(truncate(whole, 5), 0);
    assert_int_equal(binned_file_measure(whole, &extent, NULL), BRAMBLE_ERR_DATA);
    assert_int_equal(binned_file_cut(other, 1, 2, part, NULL), BRAMBLE_ERR_IO);
    scratch_remove(&scratch);
}

/* Refuses the bytes with one line that names the file, or takes them. */
static bool is_taken(struct scratch *scratch, const uint8_t *bytes, size_t n)
{
    struct binned_file *file = NULL;
    bramble_error error = {0};
    if (binned_file_read(&file, scratch_write(scratch, "x", bytes, n), &error) == BRAMBLE_OK) {
        binned_file_free(file);
        return true;
    }
    assert_null(file);
    assert_int_equal(error.status, BRAMBLE_ERR_DATA);
    assert_non_null(strstr(error.message, "/x: damaged binned data: "));
    assert_null(strchr(error.message, '\n'));
    return false;
}

static void files_cut_short_are_refused(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    size_t n;
    uint8_t *bytes = scratch_slurp(write_some(&scratch, "a", true, false), &n);
    for (size_t length = 0; length < n; length += 1 + length / 20)
        assert_false(is_taken(&scratch, bytes, length));
    assert_false(is_taken(&scratch, bytes, n + 1));
    assert_true(is_taken(&scratch, bytes, n));
    free(bytes);
    scratch_remove(&scratch);
}

/* Numbers in the head and in the features' descriptions, set to what hurts most. */
static void no_number_is_believed(void **state)
{
    (void)state;
    static const uint64_t tries[] = {0, 1, 2, 255, 256, 257, 65536, UINT32_MAX, UINT64_MAX, UINT64_MAX / 5};
    struct scratch scratch = scratch_new();
    size_t n, refused = 0;
    uint8_t *bytes = scratch_slurp(write_some(&scratch, "a", true, true), &n);
    for (size_t at = 0; at < 64 + F * sizeof(struct binned_feature); at += 4)
        for (size_t t = 0; t < sizeof tries / sizeof *tries; t++)
            for (size_t size = 4; size <= 8; size += 4) {
                uint64_t kept;
                memcpy(&kept, bytes + at, 8);
                memcpy(bytes + at, &tries[t], size);
                refused += !is_taken(&scratch, bytes, n);
                memcpy(bytes + at, &kept, 8);
            }
    assert_true(refused > 300);
    assert_true(is_taken(&scratch, bytes, n));
    free(bytes);
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

static void every_array_is_checked(void **state)
{
    (void)state;
    struct scratch scratch = scratch_new();
    for (int classify = 0; classify < 2; classify++) {
        size_t n;
        uint8_t *bytes = scratch_slurp(write_some(&scratch, "a", classify, true), &n);
        struct binned_head head;
        struct binned_layout layout;
        memcpy(&head, bytes, sizeof head);
        assert_true(binned_layout_init(&layout, &head));
        assert_int_equal(layout.bytes, n);
        const float infinite = INFINITY, huge = 1e30F;
        const double no_number = NAN, below = -1;
        const uint16_t no_class = 3;
        const uint8_t no_bin = 7, letter = 'x';
        assert_refused(&scratch, bytes, n, layout.edges, &infinite, 4);
        assert_refused(&scratch, bytes, n, layout.edges + 4, &huge, 4);
        assert_refused(&scratch, bytes, n, layout.texts + head.text_bytes - 1, &letter, 1);
        if (classify)
            assert_refused(&scratch, bytes, n, layout.targets + 2 * (N - 1), &no_class, 2);
        else
            assert_refused(&scratch, bytes, n, layout.targets + 8 * (N - 1), &no_number, 8);
        assert_refused(&scratch, bytes, n, layout.weights + 8 * (N - 1), &below, 8);
        assert_refused(&scratch, bytes, n, layout.weights, &no_number, 8);
        assert_refused(&scratch, bytes, n, layout.codes + (N - 1) * F + 1, &no_bin, 1);
        memset(bytes + layout.weights, 0, N * sizeof(double));
        assert_false(is_taken(&scratch, bytes, n));
        free(bytes);
    }
    scratch_remove(&scratch);
}

static void key_of(const struct bramble_table *table, char key[BINNED_KEY_LENGTH + 1])
{
    assert_int_equal(binned_file_key(key, table, NULL), BRAMBLE_OK);
    assert_int_equal(strspn(key, "0123456789abcdef"), BINNED_KEY_LENGTH);
    assert_int_equal(strlen(key), BINNED_KEY_LENGTH);
}

static void other_tables_have_other_keys(void **state)
{
    (void)state;
    char key[BINNED_KEY_LENGTH + 1], other[BINNED_KEY_LENGTH + 1];
    for (int kind = 0; kind < 4; kind++) {
        struct bramble_table *table = some_table(kind & 1, kind & 2), *again = some_table(kind & 1, kind & 2);
        key_of(table, key);
        key_of(again, other);
        assert_string_equal(key, other);
        uint8_t *const bytes[] = {again->columns[0].any,  again->columns[4].any,
                                  (void *)again->classes, (void *)again->values,
                                  (void *)again->weights, (void *)&again->schema.features[4].n_categories};
        for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
            if (!bytes[i]) continue;
            bytes[i][0] ^= 1;
            key_of(again, other);
            assert_string_not_equal(key, other);
            bytes[i][0] ^= 1;
        }
        bramble_table_free(table);
        bramble_table_free(again);
    }
}

static void paths_that_lead_nowhere_are_named(void **state)
{
    (void)state;
    struct binned_file *file = NULL;
    bramble_error error;
    assert_int_equal(binned_file_read(&file, "/nowhere/x", &error), BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "/nowhere/x: "));
    assert_int_equal(binned_file_read(&file, "/tmp", &error), BRAMBLE_ERR_DATA);
    assert_null(file);
    struct bramble_table *table = some_table(true, false);
    struct binned *binned = bin(table);
    assert_int_equal(binned_file_write("/nowhere/x", table, binned, &error), BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "/nowhere/x"));
    binned_free(binned);
    bramble_table_free(table);
}

static void failed_allocations_are_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct scratch scratch = scratch_new();
    struct bramble_table *table = some_table(true, true);
    struct binned *binned = bin(table);
    const char *path = scratch_path(&scratch, "a");
    for (size_t n = 1, reached = true; reached; n++) {
        mem_fail_at(n, n % 2);
        bramble_status status = binned_file_write(path, table, binned, NULL);
        reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        /* the file is whole when its folder's name, to sync it, does not fit into memory */
        if (status == BRAMBLE_OK)
            binned_file_free(must_read(path));
        else
            assert_int_equal(status, BRAMBLE_ERR_MEMORY);
        assert_true(reached || status == BRAMBLE_OK);
    }
    for (size_t n = 1, reached = true; reached; n++) {
        struct binned_file *file = NULL;
        mem_fail_at(n, n % 2);
        bramble_status status = binned_file_read(&file, path, NULL);
        reached = mem_fail_count() >= n;
        mem_fail_at(0, 0);
        assert_int_equal(status, reached ? BRAMBLE_ERR_MEMORY : BRAMBLE_OK);
        assert_int_equal(file == NULL, reached);
        binned_file_free(file);
    }
    binned_free(binned);
    bramble_table_free(table);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_what_was_written),
        cmocka_unit_test(the_file_is_always_the_same),
        cmocka_unit_test(shards_hold_some_codes),
        cmocka_unit_test(only_whole_files_are_cut),
        cmocka_unit_test(files_cut_short_are_refused),
        cmocka_unit_test(no_number_is_believed),
        cmocka_unit_test(every_array_is_checked),
        cmocka_unit_test(other_tables_have_other_keys),
        cmocka_unit_test(paths_that_lead_nowhere_are_named),
        cmocka_unit_test(failed_allocations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
