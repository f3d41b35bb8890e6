#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/finish.h"

enum { KEPT_BESIDE_OTHER = CATEGORY_MAX - 1 };
static const char other_text[] = "(other)";

struct counted_text {
    const char *text;
    uint64_t count;
    uint32_t place; /* in the raw column's texts */
};

static int by_count(const void *a, const void *b)
{
    const struct counted_text *left = a, *right = b;
    if (left->count != right->count) return left->count < right->count ? 1 : -1;
    return strcmp(left->text, right->text);
}

static int by_text(const void *a, const void *b)
{
    const struct counted_text *left = a, *right = b;
    return strcmp(left->text, right->text);
}

/* n_texts texts with their number of rows; *rest is set when some row has a text beyond them. */
static struct counted_text *count_texts(const struct raw_column *column, size_t n_rows, bool *rest)
{
    struct counted_text *counts = mem_alloc(column->n_texts, sizeof *counts);
    if (!counts) return NULL;
    for (uint32_t i = 0; i < column->n_texts; i++) counts[i] = (struct counted_text){column->texts[i], 0, i};
    *rest = false;
    for (size_t r = 0; r < n_rows; r++) {
        uint32_t place = raw_column_text(column, r);
        if (place < column->n_texts) counts[place].count++;
        *rest |= place == TEXT16_REST;
    }
    return counts;
}

/* Moves the kept texts, sorted, into the feature and fills map[place] for them. */
static bool take_categories(struct feature *feature, struct raw_column *column,
                            const struct counted_text *kept, uint32_t n_kept, bool other, uint8_t *map)
{
    uint32_t n = n_kept + other;
    char **categories = mem_zalloc(n, sizeof *categories);
    char *last = other ? mem_strdup(other_text) : NULL;
    if (!categories || (other && !last)) {
        mem_free(categories);
        mem_free(last);
        return false;
    }
    for (uint32_t i = 0; i < n_kept; i++) {
        categories[i] = column->texts[kept[i].place];
        column->texts[kept[i].place] = NULL;
        map[kept[i].place] = (uint8_t)i;
    }
    if (other) categories[n_kept] = last;
    feature->categories = categories;
    feature->n_categories = n;
    feature->has_other = other;
    return true;
}

/* Decides the categories of a feature nobody described: all texts, or the most frequent and "(other)". */
static bool choose_categories(struct feature *feature, struct raw_column *column, size_t n_rows, uint8_t *map,
                              uint8_t *rest_code)
{
    bool rest;
    struct counted_text *counts = count_texts(column, n_rows, &rest);
    if (!counts) return false;
    bool other = rest || column->n_texts > CATEGORY_MAX;
    uint32_t n_kept = column->n_texts;
    if (other && n_kept > KEPT_BESIDE_OTHER) n_kept = KEPT_BESIDE_OTHER;
    if (n_kept < column->n_texts) qsort(counts, column->n_texts, sizeof *counts, by_count);
    qsort(counts, n_kept, sizeof *counts, by_text);
    *rest_code = (uint8_t)n_kept;
    memset(map, *rest_code, column->n_texts);
    bool done = take_categories(feature, column, counts, n_kept, other, map);
    mem_free(counts);
    return done;
}

static void map_known(const struct feature *feature, const struct raw_column *column, uint8_t *map,
                      uint8_t *rest_code)
{
    for (uint32_t i = 0; i < column->n_texts; i++)
        map[i] = schema_category_code(feature, column->texts[i], strlen(column->texts[i]));
    *rest_code = feature->has_other ? (uint8_t)(feature->n_categories - 1) : CATEGORY_MISSING;
}

/* Writes the codes over the places, one byte a row from the front: reading is never behind writing. */
static uint64_t encode(struct raw_column *column, size_t n_rows, const uint8_t *map, uint8_t rest_code)
{
    uint64_t n_missing = 0;
    uint8_t *codes = column->any;
    for (size_t r = 0; r < n_rows; r++) {
        uint32_t place = raw_column_text(column, r);
        uint8_t code = rest_code;
        if (place < column->n_texts) code = map[place];
        if (place == TEXT16_MISSING) code = CATEGORY_MISSING;
        codes[r] = code;
        n_missing += code == CATEGORY_MISSING;
    }
    return n_missing;
}

bramble_status finish_categories(struct bramble_table *table, struct raw_table *raw, uint32_t c,
                                 const struct bramble_schema *schema, bramble_error *error)
{
    struct raw_column *column = &raw->columns[c];
    struct feature *feature = &table->schema.features[column->feature];
    uint8_t rest_code, *map = mem_alloc(column->n_texts, 1);
    if (!map) return error_memory(error, "the categories of a column");
    if (schema) {
        map_known(feature, column, map, &rest_code);
    } else if (!choose_categories(feature, column, raw->n_rows, map, &rest_code)) {
        mem_free(map);
        return error_memory(error, "the categories of a column");
    }
    feature->type = BRAMBLE_FEATURE_CATEGORY;
    table->columns[column->feature].n_missing = encode(column, raw->n_rows, map, rest_code);
    mem_free(map);
    return BRAMBLE_OK;
}
