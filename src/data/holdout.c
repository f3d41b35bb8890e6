/* Part of a table's rows set aside, drawn by seed. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "data/table.h"

/* chosen[r] for exactly n_chosen rows, every such set alike likely (Knuth, TAOCP 2, algorithm 3.4.2 S). */
static void draw_rows(uint8_t *chosen, size_t n_rows, size_t n_chosen, uint64_t seed)
{
    struct rng rng;
    rng_init(&rng, seed, RNG_HOLDOUT, 0, 0);
    size_t wanted = n_chosen;
    for (size_t r = 0; r < n_rows; r++) {
        chosen[r] = rng_double(&rng) * (double)(n_rows - r) < (double)wanted;
        wanted -= chosen[r];
    }
}

/* Chosen values go to `out`, the others close ranks in place. */
static inline void split_values(char *values, char *out, size_t size, const uint8_t *chosen, size_t n_rows)
{
    char *kept = values;
    for (size_t r = 0; r < n_rows; r++, values += size) {
        char **to = chosen[r] ? &out : &kept;
        memmove(*to, values, size);
        *to += size;
    }
}

/* Splits one array if there is one, then gives back the room at its end. */
static void *split_array(struct spill *spill, void *values, void *out, size_t size, const uint8_t *chosen,
                         size_t n_rows, size_t n_kept)
{
    if (!values) return NULL;
    switch (size) { /* known sizes make moving a value one instruction */
    case 1: split_values(values, out, 1, chosen, n_rows); break;
    case 2: split_values(values, out, 2, chosen, n_rows); break;
    case 4: split_values(values, out, 4, chosen, n_rows); break;
    default: split_values(values, out, 8, chosen, n_rows); break;
    }
    void *smaller = spill_resize(spill, values, n_kept, size);
    return smaller ? smaller : values;
}

static uint64_t count_missing(const struct column *column, bramble_feature_type type, size_t n_rows)
{
    uint64_t n_missing = 0;
    if (type == BRAMBLE_FEATURE_NUMBER)
        for (size_t r = 0; r < n_rows; r++) n_missing += isnan(column->numbers[r]) != 0;
    if (type == BRAMBLE_FEATURE_CATEGORY)
        for (size_t r = 0; r < n_rows; r++) n_missing += column->codes[r] == CATEGORY_MISSING;
    return n_missing;
}

static void split_columns(struct bramble_table *table, struct bramble_table *test, const uint8_t *chosen)
{
    size_t n_rows = table->n_rows, n_kept = n_rows - test->n_rows;
    struct spill *spill = table->spill;
    for (uint32_t f = 0; f < table->schema.n_features; f++) {
        bramble_feature_type type = table->schema.features[f].type;
        struct column *column = &table->columns[f], *taken = &test->columns[f];
        column->any =
            split_array(spill, column->any, taken->any, feature_type_size(type), chosen, n_rows, n_kept);
        if (column->n_missing == 0) continue;
        taken->n_missing = count_missing(taken, type, test->n_rows);
        column->n_missing -= taken->n_missing;
    }
    table->classes =
        split_array(spill, table->classes, test->classes, sizeof *table->classes, chosen, n_rows, n_kept);
    table->values =
        split_array(spill, table->values, test->values, sizeof *table->values, chosen, n_rows, n_kept);
    table->weights =
        split_array(spill, table->weights, test->weights, sizeof *table->weights, chosen, n_rows, n_kept);
    table->n_rows = n_kept;
}

static bool allocate_columns(struct bramble_table *test, const struct bramble_table *table)
{
    size_t n = test->n_rows;
    struct spill *spill = test->spill;
    spill_expect(spill, table_bytes(table) / table->n_rows * n);
    test->columns = mem_zalloc(table->schema.n_features, sizeof *test->columns);
    if (!test->columns) return false;
    for (uint32_t f = 0; f < table->schema.n_features; f++) {
        test->columns[f].any =
            spill_resize(spill, NULL, n, feature_type_size(table->schema.features[f].type));
        if (!test->columns[f].any) return false;
    }
    if (table->classes && !(test->classes = spill_resize(spill, NULL, n, sizeof *test->classes)))
        return false;
    if (table->values && !(test->values = spill_resize(spill, NULL, n, sizeof *test->values))) return false;
    if (table->weights && !(test->weights = spill_resize(spill, NULL, n, sizeof *test->weights)))
        return false;
    return true;
}

/* An empty table of the same kind with room for n_rows rows. */
static bramble_status make_test(struct bramble_table **out, const struct bramble_table *table, size_t n_rows,
                                bramble_error *error)
{
    struct bramble_table *test = mem_zalloc(1, sizeof *test);
    if (!test) return error_memory(error, "the rows set aside");
    test->format = table->format;
    test->n_rows = n_rows;
    bramble_status status = spill_new(&test->spill, error);
    if (status == BRAMBLE_OK) status = schema_copy(&test->schema, &table->schema, error);
    if (status == BRAMBLE_OK && !allocate_columns(test, table))
        status = spill_error(test->spill, error, "the rows set aside");
    if (status == BRAMBLE_OK)
        *out = test;
    else
        table_free(test);
    return status;
}

/* Neither part may weigh nothing at all. */
static bool both_weigh(const double *weights, const uint8_t *chosen, size_t n_rows)
{
    bool any[2] = {false, false};
    for (size_t r = 0; r < n_rows; r++) any[chosen[r]] |= weights[r] > 0;
    return any[0] && any[1];
}

bramble_status table_holdout(struct bramble_table *table, double fraction, uint64_t seed,
                             struct bramble_table **test, bramble_error *error)
{
    if (!(fraction > 0 && fraction < 1))
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "a holdout of %g is no share of the rows; give one between "
                         "0 and 1, such as 0.2",
                         fraction);
    if (table->n_rows < 2)
        return error_set(error, BRAMBLE_ERR_DATA, "a table of one row cannot be split; use more data");
    size_t n_test = (size_t)((double)table->n_rows * fraction + 0.5);
    if (n_test < 1) n_test = 1;
    if (n_test > table->n_rows - 1) n_test = table->n_rows - 1;
    uint8_t *chosen = mem_alloc(table->n_rows, 1);
    if (!chosen) return error_memory(error, "the rows set aside");
    draw_rows(chosen, table->n_rows, n_test, seed);
    bramble_status status = BRAMBLE_OK;
    struct bramble_table *taken = NULL;
    if (table->weights && !both_weigh(table->weights, chosen, table->n_rows))
        status = error_set(error, BRAMBLE_ERR_DATA,
                           "all rows of one part of the holdout weigh 0; use another seed or fraction");
    if (status == BRAMBLE_OK) status = make_test(&taken, table, n_test, error);
    if (status == BRAMBLE_OK) {
        split_columns(table, taken, chosen);
        *test = taken;
    }
    mem_free(chosen);
    return status;
}
