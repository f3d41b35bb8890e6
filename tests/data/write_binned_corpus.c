/* write_binned_corpus FOLDER: the small files that fuzz_binned_file starts from (fuzz/corpus/binned_file). */
#include "array_tables.h"

#include "data/binned_file.h"

int main(int argc, char **argv)
{
    static const float x[12] = {1, 0.5F, 0, 2, NAN, 1, 3, 0.25F, 2, 200, -1, NAN};
    static const double y[4] = {0, 1, 0, 1}, w[4] = {0, 1, 2, 0.5};
    if (argc != 2) return 2;
    for (int kind = 0; kind < 4; kind++) {
        struct bramble_table *table =
            table_of(4, 3, x, y, kind & 2 ? w : NULL,
                     kind & 1 ? BRAMBLE_TASK_CLASSIFICATION : BRAMBLE_TASK_REGRESSION);
        struct binned *binned;
        char path[512];
        table_set_categories(table, 2, 3);
        assert_int_equal(binned_new(&binned, table, 1, NULL), BRAMBLE_OK);
        snprintf(path, sizeof path, "%s/%d", argv[1], kind);
        assert_int_equal(binned_file_write(path, table, binned, NULL), BRAMBLE_OK);
        binned_free(binned);
        bramble_table_free(table);
    }
    return 0;
}
