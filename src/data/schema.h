/*
 * What the columns of a data set mean, without its rows: names, types, categories, target and classes.
 * A table has one, a model keeps a copy, and reading with a schema makes new data fit it.
 */
#ifndef DATA_SCHEMA_H
#define DATA_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include <bramble/table.h>

enum {
    CATEGORY_MAX = 255,     /* categories a feature can have; the codes are 0..254 */
    CATEGORY_MISSING = 255, /* the code of a missing category */
    CLASS_MAX = 65535,
};

struct feature {
    char *name;
    bramble_feature_type type;
    uint32_t n_categories; /* 0 unless type is CATEGORY */
    char **categories;     /* by code; sorted, but for a last one that stands for all rarer texts */
    bool has_other;        /* the last category is "(other)": texts not listed get its code, not missing */
};

struct bramble_schema {
    uint32_t n_features; /* F */
    struct feature *features;
    bool named;         /* feature names come from the file: match new data by name, else by position */
    uint32_t shape[2];  /* height and width of an image whose pixels the features are (1 to 4 features each,
                           the channels), else 0 */
    char *target_name;  /* NULL when there is no target */
    bramble_task task;  /* AUTO when there is no target */
    uint32_t n_classes; /* C; 0 unless classification */
    char **classes;     /* sorted: by value when all are numbers, else as text */
};

/* A deep copy into *out (caller's storage). On failure *out is empty. */
bramble_status schema_copy(struct bramble_schema *out, const struct bramble_schema *schema,
                           bramble_error *error);
void schema_fini(struct bramble_schema *schema);

/* Code of `text` (length bytes) in a CATEGORY feature: its own, "(other)", or CATEGORY_MISSING. O(log n). */
uint8_t schema_category_code(const struct feature *feature, const char *text, size_t length);

/* Class number of `text`; "1", "1.0" and "01" are the same class when the classes are numbers. False: none.
 * O(C). */
bool schema_class_code(const struct bramble_schema *schema, const char *text, size_t length, uint32_t *code);
/* True when every class is a number. O(C). */
bool schema_classes_numeric(const struct bramble_schema *schema);

#endif
