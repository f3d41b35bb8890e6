/* bramble train net: from data to a network that predicts, is inspected, compared and kept as a run. */
#include <math.h>

#include "program.h"

static void test_workflow(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 600, 1);
    json_t *trained = JSON(&s, "train", "net", "kinds.csv", "--net", "mlp", "--epochs", "8", "--batch-size",
                           "32", "--holdout", "0.25", "--validation", "0.2", "--json", "--plot", "curve.svg");
    assert_true(json_number_of(trained, "accuracy") > 0.75);
    assert_true(json_number_of(trained, "loss") < 0.8);
    assert_true(json_number_of(trained, "epochs") == 8);
    assert_true(json_number_of(trained, "samples_per_second") > 0);
    assert_true(json_number_of(trained, "parameters") > 100000);
    assert_true(json_number_of(trained, "threads") >= 1);
    assert_true(json_number_of(trained, "peak_rss_bytes") > 1e6);
    assert_true(json_number_of(trained, "validation_rows") == 90);
    assert_string_equal(json_text_of(trained, "run"), "net-1");
    assert_int_equal(access(scratch_path(&s, "curve.svg"), F_OK), 0);
    assert_int_not_equal(access(scratch_path(&s, ".bramble/runs/net-1/checkpoint"), F_OK), 0);

    json_t *inspected = JSON(&s, "inspect", "model.onnx", "--json");
    assert_string_equal(json_text_of(inspected, "kind"), "network");
    assert_string_equal(json_text_of(inspected, "model_hash"), json_text_of(trained, "model_hash"));
    assert_true(json_number_of(inspected, "parameters") == json_number_of(trained, "parameters"));
    assert_true(json_number_of(inspected, "macs") > 100000);
    assert_true(json_array_size(json_object_get(inspected, "layers")) >= 3);
    json_t *evaluated = JSON(&s, "evaluate", "model.onnx", "kinds.csv", "--json");
    assert_true(json_number_of(evaluated, "accuracy") > 0.75);
    struct said said = DONE(&s, "predict", "model.onnx", "kinds.csv", "--proba");
    assert_non_null(strchr(said.out, '\n'));
    said_fini(&said);
    said = DONE(&s, "inspect", "model.onnx");
    assert_non_null(strstr(said.out, "layers\n"));
    assert_non_null(strstr(said.out, "Gemm"));
    said_fini(&said);
    json_decref(evaluated);
    json_decref(inspected);
    json_decref(trained);
    scratch_remove(&s);
}

static json_t *train_weighted(const struct scratch *s, const char *column, const char *threads)
{
    return JSON(s, "train", "net", "kinds.csv", "--epochs", "3", "--holdout", "0.25", "--validation", "0.2",
                "--sample-weight", column, "--threads", threads, "--json");
}

/* Weights decide what is learned, and count in the figures on test rows as they do for forests. */
static void test_sample_weights(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 400, 1);
    json_t *one = train_weighted(&s, "weight", "1"), *two = train_weighted(&s, "weight", "2");
    assert_string_equal(json_text_of(one, "model_hash"), json_text_of(two, "model_hash"));
    assert_true(json_number_of(one, "log_loss") == json_number_of(two, "log_loss"));
    json_t *with = JSON(&s, "evaluate", "model.onnx", "kinds.csv", "--sample-weight", "weight", "--json");
    json_t *without = JSON(&s, "evaluate", "model.onnx", "kinds.csv", "--json");
    assert_true(json_number_of(with, "log_loss") != json_number_of(without, "log_loss"));
    FAILS(1, "no column \"heft\"", &s, "train", "net", "kinds.csv", "--sample-weight", "heft");
    json_decref(without);
    json_decref(with);
    json_decref(two);
    json_decref(one);
    scratch_remove(&s);
}

static void test_a_run_has_its_curve(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 300, 1);
    for (unsigned i = 0; i < 2; i++) {
        struct said said = DONE(&s, "train", "net", "kinds.csv", "--epochs", "3", "--quiet",
                                "--learning-rate", i ? "0.02" : "0.1");
        said_fini(&said);
    }
    json_t *compared = JSON(&s, "compare", "net-1", "net-2", "--json");
    const json_t *curve = json_array_get(json_object_get(compared, "curves"), 1);
    assert_int_equal(json_array_size(json_object_get(curve, "loss")), 3);
    const json_t *settings = json_object_get(compared, "settings");
    assert_int_equal(json_object_size(settings), 1);
    assert_non_null(json_object_get(settings, "learning-rate"));
    json_decref(compared);
    struct said said = DONE(&s, "show", "last");
    assert_non_null(strstr(said.out, "loss over epochs: a: net-2\n"));
    said_fini(&said);
    scratch_remove(&s);
}

static void test_numbers(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_numbers_csv(&s, "numbers.csv", 1000, 1);
    json_t *trained = JSON(&s, "train", "net", "numbers.csv", "--holdout", "0.2", "--epochs", "20",
                           "--optimiser", "adam", "--loss", "huber", "--json");
    assert_true(json_number_of(trained, "r2") > 0.9);
    assert_true(json_is_null(json_object_get(trained, "training_accuracy")));
    json_decref(trained);
    FAILS(2, "have no probabilities", &s, "predict", "model.onnx", "numbers.csv", "--proba");
    FAILS(2, "a network, which has no trees", &s, "inspect", "model.onnx", "--tree", "0");
    scratch_remove(&s);
}

/* The same hash whatever the threads; another with another seed. */
static void test_threads_change_nothing(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 300, 1);
    const char *const threads[] = {"1", "2", "3"};
    char hash[64] = "";
    for (unsigned i = 0; i < 3; i++) {
        json_t *trained =
            JSON(&s, "train", "net", "kinds.csv", "--epochs", "2", "--json", "--threads", threads[i]);
        if (i) assert_string_equal(hash, json_text_of(trained, "model_hash"));
        snprintf(hash, sizeof hash, "%s", json_text_of(trained, "model_hash"));
        json_decref(trained);
    }
    json_t *other = JSON(&s, "train", "net", "kinds.csv", "--epochs", "2", "--json", "--seed", "1");
    assert_string_not_equal(hash, json_text_of(other, "model_hash"));
    json_decref(other);
    scratch_remove(&s);
}

static void test_early_stopping(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 200, 1);
    json_t *trained = JSON(&s, "train", "net", "kinds.csv", "--epochs", "500", "--validation", "0.3",
                           "--patience", "2", "--json", "--max-samples", "100");
    assert_true(json_number_of(trained, "rows") == 70 && json_number_of(trained, "validation_rows") == 30);
    assert_true(json_number_of(trained, "epochs") < 500);
    assert_true(json_number_of(trained, "epochs") == json_number_of(trained, "best_epoch") + 2);
    json_decref(trained);
    scratch_remove(&s);
}

static void test_divergence(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_numbers_csv(&s, "numbers.csv", 300, 1);
    FAILS(1, "the training diverged at step ", &s, "train", "net", "numbers.csv", "--learning-rate", "1e8",
          "--checkpoint-seconds", "0", "--quiet");
    assert_int_equal(access(scratch_path(&s, ".bramble/runs/net-1/checkpoint"), F_OK), 0);
    assert_int_not_equal(access(scratch_path(&s, "model.onnx"), F_OK), 0);
    scratch_remove(&s);
}

static const char *const words_net = "embedding 12 4\nlstm 8 last\ndense outputs\n";

static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245 + 12345;
    return (*seed >> 16) % below;
}

/* Sentences of up to six words, 1 to 11; cells behind the end are empty. Whether word 7 is there is the
 * class.
 */
static void write_words_csv(struct scratch *s, const char *name, unsigned rows, unsigned top)
{
    FILE *file = fopen(scratch_path(s, name), "w");
    assert_non_null(file);
    fprintf(file, "w1,w2,w3,w4,w5,w6,seven\n");
    unsigned seed = 1;
    for (unsigned i = 0; i < rows; i++) {
        bool seven = false;
        unsigned length = 2 + draw(&seed, 5);
        for (unsigned w = 0; w < 6; w++) {
            unsigned word = 1 + draw(&seed, 11);
            if (i == 17 && w == 0) word = top;
            seven |= w < length && word == 7;
            if (w < length) fprintf(file, "%u", word);
            fprintf(file, ",");
        }
        fprintf(file, "%s\n", seven ? "yes" : "no");
    }
    assert_int_equal(fclose(file), 0);
}

static void test_embedding(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    scratch_write(&s, "words.layers", words_net, strlen(words_net));
    write_words_csv(&s, "words.csv", 800, 5);
    write_words_csv(&s, "more.csv", 100, 12);
    json_t *trained =
        JSON(&s, "train", "net", "words.csv", "--net", "words.layers", "--epochs", "12", "--batch-size", "16",
             "--optimiser", "adam", "--learning-rate", "0.01", "--holdout", "0.25", "--json");
    assert_true(json_number_of(trained, "accuracy") > 0.95);
    json_decref(trained);
    struct said said = DONE(&s, "predict", "model.onnx", "words.csv");
    said_fini(&said);
    FAILS(1, "row 18: the network puts out no finite number", &s, "predict", "model.onnx", "more.csv");
    FAILS(1, "\"w1\" has place 12 in row 18, and the embedding has 0 to 11", &s, "train", "net", "more.csv",
          "--net", "words.layers");
    scratch_remove(&s);
}

static void test_usage(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "kinds.csv", 100, 1);
    write_numbers_csv(&s, "numbers.csv", 100, 1);
#define REFUSES(code, part, ...) FAILS(code, part, &s, "train", "net", __VA_ARGS__)
    REFUSES(2, "neither a preset", "kinds.csv", "--net", "alexnet");
    REFUSES(1, "images", "kinds.csv", "--net", "cnn");
    REFUSES(2, "patience needs validation", "kinds.csv", "--patience", "2");
    REFUSES(2, "the target is a class", "kinds.csv", "--loss", "huber");
    REFUSES(2, "the target is a number", "numbers.csv", "--loss", "cross_entropy");
    REFUSES(2, "\"twist\" is none of", "kinds.csv", "--augment", "crop,twist");
    REFUSES(2, "nesterov", "kinds.csv", "--nesterov", "--optimiser", "adam");
    REFUSES(2, "--epochs", "kinds.csv", "--epochs", "0");
    REFUSES(2, ".svg or .png", "kinds.csv", "--plot", "curve.txt");
    REFUSES(1, "absent.csv", "absent.csv");
#undef REFUSES
    assert_int_not_equal(access(scratch_path(&s, "model.onnx"), F_OK), 0);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workflow),
        cmocka_unit_test(test_sample_weights),
        cmocka_unit_test(test_a_run_has_its_curve),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_early_stopping),
        cmocka_unit_test(test_divergence),
        cmocka_unit_test(test_embedding),
        cmocka_unit_test(test_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
