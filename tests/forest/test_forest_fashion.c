/* Real images: 6,000 rows of Fashion-MNIST are enough to name four in five of 4,000 others. */
#include "forests.h"

#include <unistd.h>

#define FASHION "/usr/share/datasets/fashion-mnist"

static void images_are_told_apart(void **state)
{
    (void)state;
    if (access(FASHION, R_OK)) {
        print_message("%s is not there (package dataset-fashion-mnist)\n", FASHION);
        skip();
    }
    struct bramble_table *train, *test;
    bramble_read_options read = BRAMBLE_READ_OPTIONS_INIT;
    bramble_error error;
    read.split = BRAMBLE_SPLIT_TEST; /* 10,000 rows, a sixth of the bytes of the other part */
    if (bramble_table_read(&train, FASHION, &read, &error)) fail_msg("%s", error.message);
    assert_int_equal(bramble_table_holdout(train, 0.4, 1, &test, &error), BRAMBLE_OK);
    bramble_forest_options options = forest_defaults;
    options.trees = 10;
    options.oob_score = true;
    struct forest *forest = grow(train, &options);
    assert_in_range(train->n_rows, 5800, 6200);
    double score = accuracy(forest, test);
    print_message("accuracy %.4f with 10 trees on %zu rows, out of bag %.4f\n", score, train->n_rows,
                  forest->oob_score);
    assert_true(score > 0.8);
    assert_true(forest->oob_score > 0.7 && forest->oob_score < score); /* a third of the trees a row */
    forest_free(forest);
    bramble_table_free(train);
    bramble_table_free(test);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(images_are_told_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
