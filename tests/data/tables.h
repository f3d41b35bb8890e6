/* Reading tables from text in tests. */
#ifndef TESTS_DATA_TABLES_H
#define TESTS_DATA_TABLES_H

#include <string.h>

#include <bramble/table.h>

#include "data/table.h"
#include "scratch.h"

/* Reads `text` of n bytes as a file of that name; NULL with *error set when that fails. */
static inline bramble_table *tables_read_bytes(const char *name, const char *text, size_t n,
                                               const bramble_read_options *options, bramble_error *error)
{
    struct scratch s = scratch_new();
    bramble_table *table = NULL;
    bramble_status status = bramble_table_read(&table, scratch_write(&s, name, text, n), options, error);
    assert_true((status == BRAMBLE_OK) == (table != NULL));
    if (status != BRAMBLE_OK) {
        assert_int_equal(error->status, status);
        assert_non_null(strstr(error->message, name));
        assert_null(strchr(error->message, '\n'));
    }
    scratch_remove(&s);
    return table;
}

static inline bramble_table *tables_read(const char *text, const bramble_read_options *options)
{
    bramble_error error = {0};
    bramble_table *table = tables_read_bytes("t.csv", text, strlen(text), options, &error);
    if (!table) fail_msg("%s", error.message);
    return table;
}

/* Reading `text` must fail with a message that holds `part`. */
static inline void tables_refuse(const char *text, const bramble_read_options *options, const char *part)
{
    bramble_error error = {0};
    bramble_table *table = tables_read_bytes("t.csv", text, strlen(text), options, &error);
    assert_null(table);
    assert_int_equal(error.status, BRAMBLE_ERR_DATA);
    if (!strstr(error.message, part)) fail_msg("\"%s\" lacks \"%s\"", error.message, part);
}

/* Category of row r as a text, NULL where missing. */
static inline const char *tables_category(const bramble_table *table, uint32_t feature, size_t r)
{
    uint8_t code = table->columns[feature].codes[r];
    assert_int_equal(table->schema.features[feature].type, BRAMBLE_FEATURE_CATEGORY);
    if (code == CATEGORY_MISSING) return NULL;
    assert_true(code < table->schema.features[feature].n_categories);
    return table->schema.features[feature].categories[code];
}

static inline const char *tables_class(const bramble_table *table, size_t r)
{
    return table->schema.classes[table->classes[r]];
}

#endif
