/* A few epochs of the smallest network make sense of Fashion-MNIST. */
#include "program.h"

#define FASHION "/usr/share/datasets/fashion-mnist"

static void test_fashion(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* ten times as long, and shorter trainings take the same steps */
#endif
    if (access(FASHION, R_OK) != 0) {
        print_message("%s is not there (package dataset-fashion-mnist)\n", FASHION);
        skip();
    }
    struct scratch s = scratch_new();
    json_t *trained =
        JSON(&s, "train", "net", FASHION, "--net", "mlp", "--epochs", "8", "--schedule", "cosine", "--json");
    assert_true(json_number_of(trained, "rows") == 60000 && json_number_of(trained, "test_rows") == 10000);
    assert_true(json_number_of(trained, "accuracy") >= 0.88);
    json_decref(trained);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fashion)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
