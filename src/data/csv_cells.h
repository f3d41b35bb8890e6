/* Columns of a CSV file while they grow: what each holds so far, and how a value gets into it. */
#ifndef DATA_CSV_CELLS_H
#define DATA_CSV_CELLS_H

#include "data/csv.h"

/* What a field needs to know of its column; small, so that the columns of a row stay in the cache. */
struct csv_cell {
    void *data;   /* the raw column's array */
    uint8_t type; /* enum raw_type */
    bool fixed;   /* numbers and nothing else: the schema, or being a weight, says so */
};

struct csv_cells {
    struct raw_table *raw;
    struct csv_cell *cells; /* raw->n_columns */
    struct texts **texts;   /* raw->n_columns; NULL where there are none */
    size_t capacity;        /* rows there is room for */
    struct str scratch;
    bool conflict; /* some column of numbers has met a text and must be read again as texts */
};

/* Types for all columns; guess->texts says which are texts. Room for `capacity` rows. */
bramble_status csv_cells_init(struct csv_cells *cells, struct raw_table *raw, const struct csv_guess *guess,
                              const bramble_read_options *options, size_t capacity, bramble_error *error);
void csv_cells_fini(struct csv_cells *cells);

bramble_status csv_cells_grow(struct csv_cells *cells, bramble_error *error);

/* Values into column c; false: out of memory. */
bool csv_cells_put_number(struct csv_cells *cells, uint32_t c, size_t row, double value);
bool csv_cells_put_missing(struct csv_cells *cells, uint32_t c, size_t row);
bool csv_cells_put_text(struct csv_cells *cells, uint32_t c, size_t row, const struct csv_field *field);

/* A text in a column of numbers: no more is stored in it until csv_cells_restart makes it one of texts. */
void csv_cells_conflict(struct csv_cells *cells, uint32_t c);
bramble_status csv_cells_restart(struct csv_cells *cells, bramble_error *error);

/* Hands the texts over to the raw columns. */
void csv_cells_finish(struct csv_cells *cells);

#endif
