/* Reading new data as a model's schema says, and recognising what a path is. */
#include <math.h>
#include <sys/stat.h>

#include "tables.h"

static const char train_text[] = "size,color,weight,class\n"
                                 "1,red,0.5,yes\n"
                                 "2,blue,1.5,no\n"
                                 "3,,2.5,yes\n";

static bramble_read_options as(const bramble_table *train, bool target_optional)
{
    return (bramble_read_options){.schema = bramble_table_schema(train), .target_optional = target_optional};
}

static void columns_are_found_by_name(void **state)
{
    (void)state;
    bramble_table *train = tables_read(train_text, NULL);
    bramble_read_options options = as(train, false);
    bramble_table *t = tables_read("extra,class,weight,color,size\n"
                                   "abc,no,1,green,7\n"
                                   "def,yes,2,blue,8\n",
                                   &options);
    assert_int_equal(bramble_schema_n_features(bramble_table_schema(t)), 3);
    assert_string_equal(bramble_schema_feature_name(bramble_table_schema(t), 0), "size");
    assert_int_equal(t->columns[0].bytes[1], 8);
    assert_null(tables_category(t, 1, 0)); /* green was never seen */
    assert_string_equal(tables_category(t, 1, 1), "blue");
    assert_int_equal(bramble_table_n_missing(t, 1), 1);
    assert_int_equal(bramble_schema_feature_type(bramble_table_schema(t), 2), BRAMBLE_FEATURE_NUMBER);
    assert_true(t->columns[2].numbers[1] == 2);
    assert_int_equal(t->classes[0], 0);
    assert_int_equal(t->classes[1], 1);
    bramble_table_free(t);
    t = tables_read("size,color,weight,class\n1,7,3,no\n", &options); /* a category may look like a number */
    assert_null(tables_category(t, 1, 0));
    bramble_table_free(t);
    bramble_table_free(train);
}

static void columns_are_found_by_position(void **state)
{
    (void)state;
    bramble_table *train = tables_read(train_text, NULL);
    bramble_read_options options = as(train, true);
    bramble_table *t = tables_read("7,green,1\n8,red,2\n", &options);
    assert_false(t->schema.named && bramble_table_has_target(t));
    assert_int_equal(t->columns[0].bytes[0], 7);
    assert_true(t->columns[2].numbers[1] == 2);
    assert_null(bramble_schema_target_name(bramble_table_schema(t)));
    assert_int_equal(bramble_schema_task(bramble_table_schema(t)), BRAMBLE_TASK_AUTO);
    bramble_table_free(t);
    t = tables_read("7,green,1,yes\n8,red,2,no\n", &options);
    assert_true(bramble_table_has_target(t));
    assert_string_equal(tables_class(t, 1), "no");
    bramble_table_free(t);
    options.target = "0";
    t = tables_read("yes,7,green,1\nno,8,red,2\n", &options);
    assert_string_equal(tables_class(t, 0), "yes");
    assert_int_equal(t->columns[0].bytes[0], 7);
    bramble_table_free(t);
    t = tables_read("7,green,1\n8,red,2\n", &options); /* three columns: no target among them */
    assert_false(bramble_table_has_target(t));
    bramble_table_free(t);
    bramble_table_free(train);
}

/* Neither file has names: a target in front leaves gaps in the features' places. */
static void places_are_kept_without_names(void **state)
{
    (void)state;
    bramble_read_options options = {.target = "0", .sample_weight = "2"};
    bramble_table *train = tables_read("0,1,1,0.5\n1,2,1,1.5\n0,3,1,2.5\n", &options);
    assert_string_equal(bramble_schema_feature_name(bramble_table_schema(train), 1), "x3");
    options = as(train, true);
    bramble_table *t = tables_read("1,9,5,7.5\n0,8,5,8.5\n", &options); /* target and weight stand there */
    assert_true(bramble_table_has_target(t));
    assert_int_equal(t->columns[0].bytes[0], 9);
    assert_true(t->columns[1].numbers[1] == 8.5);
    assert_int_equal(t->classes[0], 1);
    bramble_table_free(t);
    t = tables_read("9,7.5\n8,8.5\n", &options); /* only the features */
    assert_false(bramble_table_has_target(t));
    assert_true(t->columns[1].numbers[1] == 8.5);
    bramble_table_free(t);
    bramble_table_free(train);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    bramble_table *train = tables_read(train_text, NULL);
    bramble_read_options options = as(train, false), optional = as(train, true);
    tables_refuse("size,weight,class\n1,2,no\n", &options,
                  "1 of the 3 columns the model needs are missing: \"color\"");
    tables_refuse("nothing,weight,class\n1,2,no\n", &options, "\"size\", \"color\"");
    tables_refuse("size,color,weight\n1,red,2\n", &options, "no column \"class\" to be the target");
    tables_refuse("7,green\n8,red\n", &optional,
                  "2 feature columns where the model needs 3: there is none for \"weight\"");
    tables_refuse("size,color,weight,class\n1,red,2,yes\n1,red,3,perhaps\n", &options,
                  "row 2: the target \"class\" is \"perhaps\", not one of the 2 classes: \"no\", \"yes\"");
    tables_refuse("size,color,weight,class\n1,red,2,yes\n1,red,3,\n", &options,
                  "row 2: the target \"class\" is missing");
    tables_refuse("size,color,weight,class\n1,red,2,yes\nbig,red,3,no\n", &options,
                  "row 2, line 3, column \"size\": \"big\" is not a number");
    bramble_table_free(train);
}

static void bytes_may_become_numbers(void **state)
{
    (void)state;
    bramble_table *train = tables_read(train_text, NULL);
    bramble_read_options options = as(train, true);
    bramble_table *t = tables_read("size,color,weight\n1,red,2\n,red,3\n256,blue,4\n", &options);
    assert_int_equal(bramble_schema_feature_type(bramble_table_schema(t), 0), BRAMBLE_FEATURE_NUMBER);
    assert_true(isnan(t->columns[0].numbers[1]) && t->columns[0].numbers[2] == 256);
    assert_int_equal(bramble_schema_feature_type(bramble_table_schema(train), 0), BRAMBLE_FEATURE_BYTE);
    bramble_table_free(t);
    bramble_table_free(train);
}

static void classes_are_compared_as_what_they_are(void **state)
{
    (void)state;
    bramble_table *numbers = tables_read("1,10\n2,9\n3,1\n", NULL);
    bramble_read_options options = as(numbers, false);
    bramble_table *t = tables_read("5,1.0\n6,010\n", &options);
    assert_string_equal(tables_class(t, 0), "1");
    assert_string_equal(tables_class(t, 1), "10");
    bramble_table_free(t);
    tables_refuse("5,9\n6,x\n", &options, "is \"x\", not one of the 3 classes: \"1\", \"9\", \"10\"");
    tables_refuse("5,9\n6,8\n", &options, "is \"8\", not one of the 3 classes");
    bramble_table_free(numbers);
    bramble_table *texts = tables_read("1,01\n2,1\n3,x\n", NULL);
    options = as(texts, false);
    t = tables_read("5,1\n6,01\n", &options);
    assert_string_equal(tables_class(t, 0), "1");
    assert_string_equal(tables_class(t, 1), "01");
    bramble_table_free(t);
    tables_refuse("5,1\n6,001\n", &options, "\"001\"");
    bramble_table_free(texts);
}

static void numbers_stay_numbers(void **state)
{
    (void)state;
    bramble_table *train = tables_read("a,b,y\n0.5,1,1.5\n1.5,2,2.5\n", NULL);
    bramble_read_options options = as(train, false);
    assert_int_equal(bramble_schema_task(bramble_table_schema(train)), BRAMBLE_TASK_REGRESSION);
    bramble_table *t = tables_read("a,b,y\n1,2,1\n2,3,0\n", &options); /* would be bytes and classes alone */
    assert_int_equal(bramble_schema_feature_type(bramble_table_schema(t), 0), BRAMBLE_FEATURE_NUMBER);
    assert_int_equal(bramble_schema_task(bramble_table_schema(t)), BRAMBLE_TASK_REGRESSION);
    assert_true(t->values[1] == 0 && t->columns[0].numbers[1] == 2);
    bramble_table_free(t);
    tables_refuse("a,b,y\n1,2,1\n2,3,x\n", &options, "row 2, line 3, column \"y\": \"x\" is not a number");
    bramble_table_free(train);
}

/* A header of which only the schema knows that it is one. */
static void a_schema_knows_its_header(void **state)
{
    (void)state;
    bramble_table *train = tables_read("0,1,2,y\n5,6,a,0\n7,8,b,1\n", NULL);
    bramble_read_options options = as(train, true);
    bramble_table *t = tables_read("0,1,2\n5,6,a\n5,6,b\n", &options);
    assert_int_equal(t->n_rows, 2);
    assert_string_equal(tables_category(t, 2, 0), "a");
    bramble_table_free(t);
    bramble_table_free(train);
}

static void formats_are_recognised_by_content(void **state)
{
    (void)state;
    static const char npy[] =
        "\x93NUMPY\x01\x00\x76\x00{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }";
    char bytes[134];
    memset(bytes, ' ', sizeof bytes);
    memcpy(bytes, npy, sizeof npy - 1);
    memcpy(bytes + 127, "\n\1\2\0\3\4\1", 7);
    static const struct {
        const char *text, *format;
    } cases[] = {
        {"1 1:0.5 3:2\n0 2:1\n", "libsvm"},
        {"# made by hand\n\n-1 qid:3 1:2 # x\n+1 4:5\n", "libsvm"},
        {"1\n0 1:5\n", "libsvm"},
        {"1,a:b\n2,c:d\n", "csv"},
        {"a b,y\n1 2:3,4\n5 6:7,8\n", "csv"},
    };
    bramble_error error = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bramble_table *t = tables_read_bytes("data", cases[i].text, strlen(cases[i].text), NULL, &error);
        if (!t) fail_msg("%s", error.message);
        assert_string_equal(bramble_table_format(t), cases[i].format);
        bramble_table_free(t);
    }
    bramble_table *t = tables_read_bytes("data.csv", bytes, sizeof bytes, NULL, &error);
    if (!t) fail_msg("%s", error.message);
    assert_string_equal(bramble_table_format(t), "npy");
    bramble_table_free(t);
}

static void other_things_are_refused(void **state)
{
    (void)state;
    bramble_error error = {0};
    assert_null(tables_read_bytes("cat.gif", "GIF89a\1\0\1\0\0\0\0\0\0\0", 16, NULL, &error));
    assert_non_null(
        strstr(error.message, "CSV or TSV, IDX (as MNIST), NPY, NPZ, libsvm, or PNG or JPEG images"));
    assert_null(tables_read_bytes("wide.csv",
                                  "\xff\xfe"
                                  "a\0,\0b\0\n\0",
                                  10, NULL, &error));
    assert_non_null(strstr(error.message, "UTF-16; save it as UTF-8"));
    bramble_read_options test = {.split = BRAMBLE_SPLIT_TEST};
    tables_refuse("1,0\n2,1\n", &test, "no test part");
    struct scratch s = scratch_new();
    bramble_table *table = NULL;
    const char *path = scratch_write_gz(&s, "a.npz.gz", "PK\3\4...", 7);
    assert_int_equal(bramble_table_read(&table, path, NULL, &error), BRAMBLE_ERR_UNSUPPORTED);
    path = scratch_write_gz(&s, "plain", "a,b\n1,0\n2,1\n", 12); /* gzip without the name */
    assert_int_equal(bramble_table_read(&table, path, NULL, &error), BRAMBLE_OK);
    assert_int_equal(table->n_rows, 2);
    bramble_table_free(table);
    assert_false(bramble_path_has_test(path));
    assert_false(bramble_path_has_test(s.folder));
    assert_false(bramble_path_has_test("/nowhere"));
    assert_false(bramble_path_has_test(NULL));
    scratch_remove(&s);
}

static void folders_and_archives_may_have_a_test_part(void **state)
{
    (void)state;
    static const char images[] = "\0\0\x08\x03\0\0\0\2\0\0\0\1\0\0\0\2\1\2\3\4",
                      labels[] = "\0\0\x08\x01\0\0\0\2\0\1";
    struct scratch s = scratch_new();
    scratch_write(&s, "train-images-idx3-ubyte", images, sizeof images - 1);
    scratch_write(&s, "train-labels-idx1-ubyte", labels, sizeof labels - 1);
    assert_false(bramble_path_has_test(s.folder));
    scratch_write_gz(&s, "t10k-images-idx3-ubyte.gz", images, sizeof images - 1);
    scratch_write_gz(&s, "t10k-labels-idx1-ubyte.gz", labels, sizeof labels - 1);
    assert_true(bramble_path_has_test(s.folder));
    bramble_table *train = NULL, *test = NULL;
    bramble_error error = {0};
    if (bramble_table_read(&train, s.folder, NULL, &error)) fail_msg("%s", error.message);
    assert_string_equal(bramble_table_format(train), "idx");
    assert_string_equal(bramble_schema_feature_name(bramble_table_schema(train), 1), "pixel1");
    bramble_read_options options = {.schema = bramble_table_schema(train), .split = BRAMBLE_SPLIT_TEST};
    if (bramble_table_read(&test, s.folder, &options, &error)) fail_msg("%s", error.message);
    assert_int_equal(bramble_table_checksum(test), bramble_table_checksum(train));
    bramble_table_free(test);
    bramble_table_free(train);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_name),
        cmocka_unit_test(columns_are_found_by_position),
        cmocka_unit_test(places_are_kept_without_names),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(bytes_may_become_numbers),
        cmocka_unit_test(classes_are_compared_as_what_they_are),
        cmocka_unit_test(numbers_stay_numbers),
        cmocka_unit_test(a_schema_knows_its_header),
        cmocka_unit_test(formats_are_recognised_by_content),
        cmocka_unit_test(other_things_are_refused),
        cmocka_unit_test(folders_and_archives_may_have_a_test_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
