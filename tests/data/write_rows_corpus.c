/* write_rows_corpus FOLDER: the small files that fuzz_rows_file starts from (fuzz/corpus/rows_file). */
#include "array_tables.h"

#include "data/rows_file.h"

enum { IMAGES, MIXED, WEIGHTED, REGRESSION, PLACES, KINDS };

static struct bramble_table *some_table(int kind)
{
    static const float x[16] = {1, 0.5F, 0, 2, 7, NAN, 1, 1, 3, 0.25F, 2, 9, 200, -1, NAN, 4};
    static const float pixels[16] = {0, 255, 3, 7, 90, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const double y[4] = {0, 1, 0, 1}, w[4] = {1, 2, 0, 0.5};
    struct bramble_table *table =
        table_of(4, 4, kind == IMAGES ? pixels : x, y, kind == WEIGHTED ? w : NULL,
                 kind == REGRESSION ? BRAMBLE_TASK_REGRESSION : BRAMBLE_TASK_CLASSIFICATION);
    if (kind == IMAGES)
        table->schema.shape[0] = table->schema.shape[1] = 2;
    else
        table_set_categories(table, 2, 3);
    return table;
}

int main(int argc, char **argv)
{
    static const uint32_t tables[4] = {1, ENCODER_NO_TABLE, 1, 2};
    if (argc != 2) return 2;
    for (int kind = 0; kind < KINDS; kind++) {
        struct bramble_table *table = some_table(kind);
        struct encoder encoder;
        struct rows rows;
        char path[512];
        assert_int_equal(kind == PLACES ? encoder_init_places(&encoder, table, NULL, tables, NULL)
                                        : encoder_init(&encoder, table, NULL, NULL),
                         BRAMBLE_OK);
        assert_int_equal(rows_init(&rows, table, &encoder, NULL), BRAMBLE_OK);
        snprintf(path, sizeof path, "%s/%d", argv[1], kind);
        assert_int_equal(rows_file_write(path, &rows, 1, &encoder, NULL), BRAMBLE_OK);
        rows_fini(&rows);
        encoder_fini(&encoder);
        bramble_table_free(table);
    }
    return 0;
}
