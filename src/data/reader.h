/*
 * What a reader hands over: a raw table, one typed array a column, before anybody knows what a target or a
 * category is. table_finish turns it into the table that people see, the same way for every format.
 *
 *   reader_X    names the columns  ->  raw_table_resolve  ->  fills the arrays   (read_X.c)
 *   table_finish   target, classes, categories, missing values, checks           (finish.c)
 *
 * A reader starts from a zeroed raw table and leaves clearing it to its caller, also after a failure. Its
 * messages name the file, the row (1 is the first row of data) and the column, and say what to do.
 */
#ifndef DATA_READER_H
#define DATA_READER_H

#include "data/spill.h"
#include "data/table.h"

enum {
    RAW_COLUMNS_MAX = 1000000,  /* columns a file may have */
    RAW_NO_FEATURE = 0xffffffff /* raw_column.feature of a column that is none */
};

enum raw_type {
    RAW_NOTHING = 0, /* no array: only for ROLE_IGNORED */
    RAW_BYTES,       /* whole numbers 0..255, none missing */
    RAW_FLOATS,      /* NaN is missing; infinities are found and refused by table_finish */
    RAW_DOUBLES,     /* the same; meant for target and weight, where float32 would lose digits */
    RAW_CODES8,      /* places in `texts`, TEXT8_MISSING is missing */
    RAW_CODES16,     /* the same with TEXT16_MISSING; TEXT16_REST: a text beyond those in `texts` */
};
enum { TEXT8_MISSING = 0xff, TEXT16_REST = 0xfffe, TEXT16_MISSING = 0xffff };

/* What a column is for. Readers need not store a column that is ignored. */
enum raw_role { ROLE_IGNORED = 0, ROLE_FEATURE, ROLE_TARGET, ROLE_WEIGHT };

struct raw_column {
    char *name; /* NULL: the table's prefix and the column's place, as in "x0" */
    enum raw_role role;
    uint32_t feature; /* its number in the finished table, or RAW_NO_FEATURE */
    enum raw_type type;
    union {
        uint8_t *bytes; /* also CODES8 */
        uint16_t *codes;
        float *floats;
        double *doubles;
        void *any;
    };
    uint32_t n_texts;
    char **texts; /* different, in order of first appearance */
};

struct raw_table {
    const char *path;   /* for messages; borrowed */
    const char *format; /* static: "csv", "idx", "images", "npy", "npz", "libsvm", "array" */
    const char *prefix; /* static: "x", or "pixel" for images */
    bool named;         /* names come from the file */
    bool labels_apart;  /* the format keeps labels apart from features: the last column holds them if it is
                           named "label", and otherwise there are none */
    uint32_t shape[2];  /* height and width where the features are an image's pixels, else 0: as schema.h */
    size_t n_rows;      /* N */
    uint32_t n_columns;
    struct raw_column *columns;
    struct spill *spill; /* holds their arrays */
};

/* Makes room for n_columns columns without name, role or array. BRAMBLE_ERR_DATA beyond RAW_COLUMNS_MAX. */
bramble_status raw_table_init(struct raw_table *raw, const char *path, const char *format, const char *prefix,
                              size_t n_columns, bramble_error *error);
void raw_table_fini(struct raw_table *raw); /* half-built ones too */

/*
 * Gives every column its role, from the column names, options->target, sample_weight and schema. Call it
 * once n_columns, names and `named` are set, before filling. Without a schema every column that is not
 * target or weight is a feature; with one, only those that the schema knows. Targets and weights that are
 * not there and features that are missing are errors. Formats that keep labels apart from features (IDX,
 * NPZ, libsvm) set labels_apart before.
 */
bramble_status raw_table_resolve(struct raw_table *raw, const bramble_read_options *options,
                                 bramble_error *error);

/* Tells raw->spill how large the table will be about: N rows of row_bytes. For readers, before they make
 * room.
 */
void raw_table_expect(struct raw_table *raw, size_t n_rows, uint64_t row_bytes);
/* Room for n values of `type` in a column of `raw`; an array that is there already is resized (its values
 * kept).
 */
bramble_status raw_column_resize(struct raw_table *raw, struct raw_column *column, enum raw_type type,
                                 size_t n, bramble_error *error);
size_t raw_type_size(enum raw_type type);
/* What column c is called, written into buffer when it has no name of its own. */
const char *raw_column_name(const struct raw_table *raw, uint32_t c, char buffer[32]);
/* How much of a text from a file to show in a message ("%.*s"): at most 40 bytes, whole characters. */
int text_clip(const char *text, size_t length);

/*
 * Makes the finished table, taking arrays and texts out of `raw` column by column, so that peak memory stays
 * near the larger of the two. `raw` must be resolved with the same options and is the caller's to fini.
 */
bramble_status table_finish(bramble_table **out, struct raw_table *raw, const bramble_read_options *options,
                            bramble_error *error);

/* The readers. *out is zeroed by the caller, who runs raw_table_fini on it whatever the outcome. */
bramble_status reader_csv(struct raw_table *out, const char *path, const bramble_read_options *options,
                          bramble_error *error);
bramble_status reader_idx(struct raw_table *out, const char *path, const bramble_read_options *options,
                          bramble_error *error);
bramble_status reader_images(struct raw_table *out, const char *path, const bramble_read_options *options,
                             bramble_error *error);
bramble_status reader_npy(struct raw_table *out, const char *path, const bramble_read_options *options,
                          bramble_error *error);
bramble_status reader_npz(struct raw_table *out, const char *path, const bramble_read_options *options,
                          bramble_error *error);
bramble_status reader_libsvm(struct raw_table *out, const char *path, const bramble_read_options *options,
                             bramble_error *error);

/* True when PATH (a folder, an NPZ file) has a test part beside its training part. Reads names only. */
bool reader_idx_has_test(const char *path);
bool reader_images_has_test(const char *path);
bool reader_npz_has_test(const char *path);

#endif
