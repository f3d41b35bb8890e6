/* The steps of table_finish: one column each, from what a reader stored to what the table keeps. */
#ifndef DATA_FINISH_H
#define DATA_FINISH_H

#include <math.h>

#include "data/reader.h"

/*
 * Feature column c becomes table->columns[feature], its array moved or replaced; table->schema's entry gets
 * type and categories. With `schema` (its entry was copied already) the values are made to fit it; a BYTE
 * feature with values that are not bytes is a NUMBER in this table.
 */
bramble_status finish_feature(struct bramble_table *table, struct raw_table *raw, uint32_t c,
                              const struct bramble_schema *schema, bramble_error *error);

/* The same for texts: u8 category codes in place of CODES8 or CODES16 (finish_categories.c). */
bramble_status finish_categories(struct bramble_table *table, struct raw_table *raw, uint32_t c,
                                 const struct bramble_schema *schema, bramble_error *error);

/* Target column c becomes table->classes or ->values, and the schema learns task and classes. */
bramble_status finish_target(struct bramble_table *table, struct raw_table *raw, uint32_t c,
                             const bramble_read_options *options, bramble_error *error);

/* Weight column c becomes table->weights. */
bramble_status finish_weight(struct bramble_table *table, struct raw_table *raw, uint32_t c,
                             bramble_error *error);

/* Value of a column of numbers at `row`; NaN is missing. */
static inline double raw_column_number(const struct raw_column *column, size_t row)
{
    switch (column->type) {
    case RAW_BYTES: return column->bytes[row];
    case RAW_FLOATS: return column->floats[row];
    case RAW_DOUBLES: return column->doubles[row];
    default: return NAN;
    }
}

/* Place in `texts` of a column of texts, or TEXT16_REST or TEXT16_MISSING. */
static inline uint32_t raw_column_text(const struct raw_column *column, size_t row)
{
    if (column->type == RAW_CODES16) return column->codes[row];
    return column->bytes[row] == TEXT8_MISSING ? TEXT16_MISSING : column->bytes[row];
}

static inline bool raw_column_is_text(const struct raw_column *column)
{
    return column->type == RAW_CODES8 || column->type == RAW_CODES16;
}
void raw_column_drop(struct raw_column *column); /* its array */

#endif
