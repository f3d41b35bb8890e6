#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/finish.h"
#include "data/number.h"

enum { AUTO_CLASSES_MAX = 100, CLASSES_SHOWN = 6 };

/* The target column and all that a message about it needs. */
struct target {
    struct bramble_table *table;
    const struct raw_table *raw;
    struct raw_column *column;
    const char *name;
    int shown; /* bytes of the name to show */
};

static bramble_status check_present(const struct target *t, bramble_error *error)
{
    bool text = raw_column_is_text(t->column);
    for (size_t r = 0; r < t->raw->n_rows; r++) {
        bool missing = text ? raw_column_text(t->column, r) == TEXT16_MISSING
                            : !isfinite(raw_column_number(t->column, r));
        if (!missing) continue;
        bool infinite = !text && isinf(raw_column_number(t->column, r));
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: row %zu: the target \"%.*s\" is %s; fill it in or remove the row", t->raw->path,
                         r + 1, t->shown, t->name, infinite ? "infinite or too large" : "missing");
    }
    return BRAMBLE_OK;
}

/* Different values in ascending order. */
struct value_set {
    double *values;
    uint32_t n, capacity;
};

/* Where `value` is or belongs. */
static uint32_t set_place(const struct value_set *set, double value)
{
    uint32_t low = 0, high = set->n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (set->values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool set_add(struct value_set *set, double value)
{
    uint32_t place = set_place(set, value);
    if (place < set->n && set->values[place] == value) return true;
    if (set->n == set->capacity) {
        uint32_t capacity = set->capacity ? set->capacity * 2 : 128;
        double *values = mem_resize(set->values, capacity, sizeof *values);
        if (!values) return false;
        set->values = values;
        set->capacity = capacity;
    }
    memmove(set->values + place + 1, set->values + place, (set->n - place) * sizeof *set->values);
    set->values[place] = value + 0.0;
    set->n++;
    return true;
}

/* All different values, but no more than limit + 1 of them. */
static bool set_collect(struct value_set *set, const struct target *t, uint32_t limit)
{
    double last = NAN;
    for (size_t r = 0; r < t->raw->n_rows && set->n <= limit; r++) {
        double value = raw_column_number(t->column, r);
        if (value == last) continue;
        if (!set_add(set, value)) return false;
        last = value;
    }
    return true;
}

static bool few_whole_numbers(const struct value_set *set)
{
    if (set->n > AUTO_CLASSES_MAX) return false;
    for (uint32_t i = 0; i < set->n; i++)
        if (set->values[i] != floor(set->values[i])) return false;
    return true;
}

static bramble_status decide_task(const struct target *t, bramble_task asked, bramble_task *task,
                                  bramble_error *error)
{
    *task = asked;
    if (asked != BRAMBLE_TASK_AUTO) return BRAMBLE_OK;
    struct value_set set = {0};
    bool text = raw_column_is_text(t->column), fine = text || set_collect(&set, t, AUTO_CLASSES_MAX);
    *task = text || few_whole_numbers(&set) ? BRAMBLE_TASK_CLASSIFICATION : BRAMBLE_TASK_REGRESSION;
    mem_free(set.values);
    return fine ? BRAMBLE_OK : error_memory(error, "the classes");
}

static bramble_status take_values(const struct target *t, bramble_error *error)
{
    if (raw_column_is_text(t->column)) {
        const char *text = t->column->n_texts ? t->column->texts[0] : "";
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: the target \"%.*s\" must be a number for regression, but holds \"%.*s\"",
                         t->raw->path, t->shown, t->name, text_clip(text, strlen(text)), text);
    }
    double *values = spill_resize(t->raw->spill, NULL, t->raw->n_rows, sizeof *values);
    if (!values) return spill_error(t->raw->spill, error, "the target");
    for (size_t r = 0; r < t->raw->n_rows; r++) values[r] = raw_column_number(t->column, r) + 0.0;
    t->table->values = values;
    return BRAMBLE_OK;
}

static bramble_status check_class_count(const struct target *t, size_t n, const char *only,
                                        bramble_error *error)
{
    if (n > CLASS_MAX)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: the target \"%.*s\" has more than %d classes; is another column meant, or is "
                         "it a number to regress on?",
                         t->raw->path, t->shown, t->name, CLASS_MAX);
    if (n < 2)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: the target \"%.*s\" has only one class, \"%.*s\"; classification needs two",
                         t->raw->path, t->shown, t->name, text_clip(only, strlen(only)), only);
    return BRAMBLE_OK;
}

static bramble_status classes_from_numbers(const struct target *t, bramble_error *error)
{
    struct bramble_schema *schema = &t->table->schema;
    struct value_set set = {0};
    char text[32];
    if (!set_collect(&set, t, CLASS_MAX)) {
        mem_free(set.values);
        return error_memory(error, "the classes");
    }
    number_print(set.values[0], text);
    bramble_status status = check_class_count(t, set.n, text, error);
    if (status == BRAMBLE_OK) {
        schema->classes = mem_zalloc(set.n, sizeof *schema->classes);
        schema->n_classes = schema->classes ? set.n : 0;
        if (!schema->classes) status = error_memory(error, "the classes");
    }
    for (uint32_t i = 0; i < schema->n_classes && status == BRAMBLE_OK; i++) {
        number_print(set.values[i], text);
        schema->classes[i] = mem_strdup(text);
        if (!schema->classes[i]) status = error_memory(error, "the classes");
    }
    mem_free(set.values);
    return status;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int compare_numbers(const void *a, const void *b)
{
    const char *left = *(char *const *)a, *right = *(char *const *)b;
    double x = 0, y = 0;
    number_parse(left, strlen(left), &x);
    number_parse(right, strlen(right), &y);
    return x != y ? (x > y) - (x < y) : strcmp(left, right);
}

static bramble_status classes_from_texts(const struct target *t, bramble_error *error)
{
    struct bramble_schema *schema = &t->table->schema;
    uint32_t n = t->column->n_texts;
    bool rest = false;
    for (size_t r = 0; r < t->raw->n_rows && !rest; r++) rest = raw_column_text(t->column, r) == TEXT16_REST;
    bramble_status status =
        check_class_count(t, rest ? CLASS_MAX + 1 : n, n ? t->column->texts[0] : "", error);
    if (status != BRAMBLE_OK) return status;
    schema->classes = mem_zalloc(n, sizeof *schema->classes);
    if (!schema->classes) return error_memory(error, "the classes");
    schema->n_classes = n;
    for (uint32_t i = 0; i < n; i++) {
        schema->classes[i] = mem_strdup(t->column->texts[i]);
        if (!schema->classes[i]) return error_memory(error, "the classes");
    }
    qsort(schema->classes, n, sizeof *schema->classes,
          schema_classes_numeric(schema) ? compare_numbers : compare_texts);
    return BRAMBLE_OK;
}

static bramble_status unknown_class(const struct target *t, size_t row, const char *text,
                                    bramble_error *error)
{
    const struct bramble_schema *schema = &t->table->schema;
    struct str list = {0};
    for (uint32_t c = 0; c < schema->n_classes && c < CLASSES_SHOWN; c++) {
        const char *name = schema->classes[c];
        str_printf(&list, "%s\"%.*s\"", c ? ", " : "", text_clip(name, strlen(name)), name);
    }
    bramble_status status = error_set(
        error, BRAMBLE_ERR_DATA,
        "%s: row %zu: the target \"%.*s\" is \"%.*s\", not one of the %u classes: %s%s", t->raw->path,
        row + 1, t->shown, t->name, text_clip(text, strlen(text)), text, schema->n_classes,
        list.data ? list.data : "...", schema->n_classes > CLASSES_SHOWN ? ", ..." : "");
    str_fini(&list);
    return status;
}

/* The classes, ready for binary search. */
struct class_index {
    const struct bramble_schema *schema;
    struct value_set numbers; /* of the classes, by code; empty when they are not all numbers */
};

static bool index_init(struct class_index *index, const struct bramble_schema *schema)
{
    *index = (struct class_index){.schema = schema};
    if (!schema_classes_numeric(schema)) return true;
    index->numbers.values = mem_alloc(schema->n_classes, sizeof *index->numbers.values);
    if (!index->numbers.values) return false;
    index->numbers.n = schema->n_classes;
    for (uint32_t c = 0; c < schema->n_classes; c++)
        number_parse(schema->classes[c], strlen(schema->classes[c]), &index->numbers.values[c]);
    return true;
}

static bool index_find_number(const struct class_index *index, double value, uint16_t *code)
{
    uint32_t place = set_place(&index->numbers, value);
    if (place == index->numbers.n || index->numbers.values[place] != value) return false;
    *code = (uint16_t)place;
    return true;
}

static bool index_find_text(const struct class_index *index, const char *text, uint16_t *code)
{
    double value;
    if (index->numbers.n)
        return number_parse(text, strlen(text), &value) && index_find_number(index, value, code);
    const struct bramble_schema *schema = index->schema;
    char **found = bsearch(&text, schema->classes, schema->n_classes, sizeof *found, compare_texts);
    if (found) *code = (uint16_t)(found - schema->classes);
    return found != NULL;
}

static bramble_status encode_numbers(const struct target *t, const struct class_index *index, uint16_t *codes,
                                     bramble_error *error)
{
    char text[32];
    for (size_t r = 0; r < t->raw->n_rows; r++) {
        double value = raw_column_number(t->column, r);
        if (index->numbers.n && index_find_number(index, value, &codes[r])) continue;
        number_print(value, text);
        if (index->numbers.n || !index_find_text(index, text, &codes[r]))
            return unknown_class(t, r, text, error);
    }
    return BRAMBLE_OK;
}

static bramble_status encode_texts(const struct target *t, const struct class_index *index, uint16_t *codes,
                                   bramble_error *error)
{
    uint32_t n = t->column->n_texts;
    uint16_t *map = mem_alloc(n, sizeof *map);
    bool *known = mem_alloc(n, sizeof *known);
    bramble_status status = BRAMBLE_OK;
    if (!map || !known) status = error_memory(error, "the classes");
    for (uint32_t i = 0; i < n && status == BRAMBLE_OK; i++)
        known[i] = index_find_text(index, t->column->texts[i], &map[i]);
    for (size_t r = 0; r < t->raw->n_rows && status == BRAMBLE_OK; r++) {
        uint32_t place = raw_column_text(t->column, r);
        if (place < n && known[place])
            codes[r] = map[place];
        else
            status = unknown_class(t, r, place < n ? t->column->texts[place] : "...", error);
    }
    mem_free(map);
    mem_free(known);
    return status;
}

static bramble_status take_classes(const struct target *t, const struct bramble_schema *given,
                                   bramble_error *error)
{
    bool text = raw_column_is_text(t->column);
    bramble_status status = BRAMBLE_OK;
    if (!given) status = text ? classes_from_texts(t, error) : classes_from_numbers(t, error);
    if (status != BRAMBLE_OK) return status;
    struct class_index index;
    t->table->classes = spill_resize(t->raw->spill, NULL, t->raw->n_rows, sizeof *t->table->classes);
    if (!t->table->classes) return spill_error(t->raw->spill, error, "the target");
    if (!index_init(&index, &t->table->schema)) return error_memory(error, "the target");
    status = text ? encode_texts(t, &index, t->table->classes, error)
                  : encode_numbers(t, &index, t->table->classes, error);
    mem_free(index.numbers.values);
    return status;
}

/* What the given schema says of its target, for data that have one. */
static bramble_status copy_target_schema(struct bramble_schema *out, const struct bramble_schema *given,
                                         bramble_error *error)
{
    struct bramble_schema target = *given, copy;
    target.n_features = 0;
    target.features = NULL;
    bramble_status status = schema_copy(&copy, &target, error);
    if (status != BRAMBLE_OK) return status;
    mem_free(copy.features);
    out->target_name = copy.target_name;
    out->task = copy.task;
    out->n_classes = copy.n_classes;
    out->classes = copy.classes;
    return BRAMBLE_OK;
}

bramble_status finish_target(struct bramble_table *table, struct raw_table *raw, uint32_t c,
                             const bramble_read_options *options, bramble_error *error)
{
    char buffer[32];
    const char *name = raw_column_name(raw, c, buffer);
    struct target t = {table, raw, &raw->columns[c], name, text_clip(name, strlen(name))};
    const struct bramble_schema *given = options->schema;
    if (given && given->task == BRAMBLE_TASK_AUTO) given = NULL;
    bramble_status status = check_present(&t, error);
    if (status != BRAMBLE_OK) return status;
    if (given) {
        status = copy_target_schema(&table->schema, given, error);
    } else {
        status = decide_task(&t, options->task, &table->schema.task, error);
        table->schema.target_name = mem_strdup(name);
        if (status == BRAMBLE_OK && !table->schema.target_name)
            status = error_memory(error, "the names of the columns");
    }
    if (status != BRAMBLE_OK) return status;
    status = table->schema.task == BRAMBLE_TASK_CLASSIFICATION ? take_classes(&t, given, error)
                                                               : take_values(&t, error);
    raw_column_drop(t.column);
    return status;
}
