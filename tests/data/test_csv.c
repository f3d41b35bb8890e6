/* What CSV files can look like, and that all of it is understood. */
#include <math.h>

#include "base/str.h"
#include "tables.h"

static const bramble_schema *schema(const bramble_table *t)
{
    return bramble_table_schema(t);
}

static void types_are_found_out(void **state)
{
    (void)state;
    bramble_table *t = tables_read("size,depth,color,price\n"
                                   "1,0.5,red,10.5\n"
                                   "255,,blue,11\n"
                                   "0,-3e2,red,12.25\n",
                                   NULL);
    assert_string_equal(bramble_table_format(t), "csv");
    assert_int_equal(bramble_table_n_rows(t), 3);
    assert_int_equal(bramble_schema_n_features(schema(t)), 3);
    assert_int_equal(bramble_schema_feature_type(schema(t), 0), BRAMBLE_FEATURE_BYTE);
    assert_int_equal(bramble_schema_feature_type(schema(t), 1), BRAMBLE_FEATURE_NUMBER);
    assert_int_equal(bramble_schema_feature_type(schema(t), 2), BRAMBLE_FEATURE_CATEGORY);
    assert_string_equal(bramble_schema_feature_name(schema(t), 1), "depth");
    assert_string_equal(bramble_schema_target_name(schema(t)), "price");
    assert_int_equal(bramble_schema_task(schema(t)), BRAMBLE_TASK_REGRESSION);
    assert_true(t->values[0] == 10.5 && t->values[1] == 11 && t->values[2] == 12.25);
    assert_int_equal(t->columns[0].bytes[1], 255);
    assert_true(isnan(t->columns[1].numbers[1]) && t->columns[1].numbers[2] == -300);
    assert_string_equal(tables_category(t, 2, 1), "blue");
    assert_int_equal(t->columns[2].codes[0], 1);
    assert_int_equal(bramble_table_n_missing(t, 1), 1);
    assert_false(bramble_table_range(t, 2, &(double){0}, &(double){0}));
    bramble_table_free(t);
}

static void any_delimiter_will_do(void **state)
{
    (void)state;
    static const char *const texts[] = {"a,b,y\n1,2,u\n3,4.5,v\n", "a;b;y\n1;2;u\n3;4.5;v\n",
                                        "a\tb\ty\n1\t2\tu\n3\t4.5\tv\n", "a|b|y\n1|2|u\n3|4.5|v\n",
                                        "a;b;y\n1;2;\"u\"\n3;4.5;\"v\"\n"};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bramble_table *t = tables_read(texts[i], NULL);
        assert_int_equal(bramble_schema_n_features(schema(t)), 2);
        if (i == 0) sum = bramble_table_checksum(t);
        assert_int_equal(bramble_table_checksum(t), sum);
        bramble_table_free(t);
    }
    bramble_table *t = tables_read("a;b;y\n\"1,5\";\"2,5,5\";u\n\"3,5\";\"4,5,5\";v\n", NULL);
    assert_int_equal(bramble_schema_n_features(schema(t)), 2);
    assert_string_equal(tables_category(t, 1, 0), "2,5,5");
    bramble_table_free(t);
}

static void any_newline_will_do(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a,b,y\n1,2,u\n3,4.5,v\n",
        "a,b,y\r\n1,2,u\r\n3,4.5,v\r\n",
        "a,b,y\r1,2,u\r3,4.5,v\r",
        "a,b,y\n1,2,u\n3,4.5,v",
        "a,b,y\r\n1,2,u\r\n3,4.5,v",
        "\xef\xbb\xbf"
        "a,b,y\n1,2,u\n3,4.5,v\n",
        "\n\na,b,y\n\n1,2,u\n\n3,4.5,v\n\n",
        "\r\na,b,y\r\n\r\n1,2,u\r\n3,4.5,v",
        " a , b,y \n 1,2 , u\n3 ,  4.5,v  \n",
        "\"a\",\"b\",\"y\"\n\"1\",\"2\",\"u\"\n\"3\" , \"4.5\",\"v\"\n",
    };
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bramble_table *t = tables_read(texts[i], NULL);
        assert_int_equal(bramble_table_n_rows(t), 2);
        assert_string_equal(bramble_schema_feature_name(schema(t), 0), "a");
        if (i == 0) sum = bramble_table_checksum(t);
        assert_int_equal(bramble_table_checksum(t), sum);
        assert_string_equal(tables_class(t, 1), "v");
        bramble_table_free(t);
    }
}

static void quotes_hold_anything(void **state)
{
    (void)state;
    bramble_table *t = tables_read("\"the, name\",\"say \"\"hi\"\"\",y\r\n"
                                   "\"a\nb\",\" x \",u\r\n"
                                   "\"a,b\",5\" disk,\"\"\"v\"\"\"\r\n"
                                   "\"\",\"\"\"\",u\r\n",
                                   NULL);
    assert_string_equal(bramble_schema_feature_name(schema(t), 0), "the, name");
    assert_string_equal(bramble_schema_feature_name(schema(t), 1), "say \"hi\"");
    assert_string_equal(tables_category(t, 0, 0), "a\nb");
    assert_string_equal(tables_category(t, 1, 0), " x ");
    assert_string_equal(tables_category(t, 0, 1), "a,b");
    assert_string_equal(tables_category(t, 1, 1), "5\" disk");
    assert_string_equal(tables_class(t, 1), "\"v\"");
    assert_null(tables_category(t, 0, 2));
    assert_string_equal(tables_category(t, 1, 2), "\"");
    bramble_table_free(t);
}

static void headers_are_told_from_data(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool header;
    } cases[] = {
        {"a,b,y\n1,2,3\n1,2,4\n", true},              /* texts above numbers */
        {"1,2,3\n1,2,4\n", false},                    /* numbers */
        {"x,y,p\nx,z,q\ny,z,p\n", false},             /* texts that come again */
        {"k,l,m\nx,z,q\ny,z,p\n", true},              /* texts that do not */
        {"5.1,3.5,setosa\n4.9,3,virginica\n", false}, /* a number in a column of numbers */
        {"0,1,2,y\n4,5,6,0\n7,8,9,1\n", true},        /* names that are numbers, but for one */
        {"place,1990,1995\n7,8,9\n6,5,4\n", true},    /* as years do */
        {"6,some,5,1\n7,8,9,0\n6,5,4,1\n", false},    /* numbers that do not */
        {"0.5,some,0\n7,8,1\n6,5,0\n", false},
        {",a,y\n1,2,3\n2,3,4\n", true},   /* one without a name, as R writes row names */
        {"a,a,b\nx,z,q\ny,z,p\n", false}, /* a name twice is no name */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bramble_table *t = tables_read(cases[i].text, NULL);
        if (t->schema.named != cases[i].header) fail_msg("case %zu", i);
        if (!cases[i].header) assert_string_equal(bramble_schema_feature_name(schema(t), 1), "x1");
        bramble_table_free(t);
    }
    bramble_table *t = tables_read(",a,y\n1,2,3\n2,3,4\n", NULL);
    assert_string_equal(bramble_schema_feature_name(schema(t), 0), "x0");
    bramble_table_free(t);
    bramble_read_options options = {.target = "p"}; /* a name that is asked for must be a name */
    t = tables_read("x,y,p\nx,z,q\ny,z,p\n", &options);
    assert_true(t->schema.named);
    assert_int_equal(t->n_rows, 2);
    bramble_table_free(t);
}

static void targets_are_named_or_counted(void **state)
{
    (void)state;
    static const struct {
        const char *target, *name;
    } cases[] = {{NULL, "d"}, {"a", "a"}, {"0", "a"}, {"1", "b"}, {"-1", "d"}, {"-4", "a"}, {"7", "7"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bramble_read_options options = {.target = cases[i].target};
        bramble_table *t = tables_read("a,b,7,d\n1,0,1,0\n2,1,0,1\n", &options);
        assert_string_equal(bramble_schema_target_name(schema(t)), cases[i].name);
        assert_int_equal(bramble_schema_n_features(schema(t)), 3);
        bramble_table_free(t);
    }
    bramble_read_options options = {.target = "0", .sample_weight = "-1"};
    bramble_table *t = tables_read("0,5,1.5\n1,6,0\n", &options);
    assert_int_equal(bramble_schema_n_features(schema(t)), 1);
    assert_string_equal(bramble_schema_feature_name(schema(t), 0), "x1");
    assert_true(bramble_table_has_weight(t) && t->weights[0] == 1.5 && t->weights[1] == 0);
    bramble_table_free(t);
    options = (bramble_read_options){.sample_weight = "w"}; /* the last column is taken: the one before */
    t = tables_read("a,y,w\n1,0,1\n2,1,2\n", &options);
    assert_string_equal(bramble_schema_target_name(schema(t)), "y");
    bramble_table_free(t);
}

static void missing_values_are_marked(void **state)
{
    (void)state;
    bramble_table *t =
        tables_read("n,t,none,y\n1,a,,0\nNA,NA,NaN,1\nnull,?,,0\nNone,N/A,?,1\n,,nan,0\n2.5,b,,1\n", NULL);
    assert_int_equal(bramble_table_n_missing(t, 0), 4);
    assert_int_equal(bramble_table_n_missing(t, 1), 4);
    assert_int_equal(bramble_table_n_missing(t, 2), 6);
    assert_int_equal(bramble_schema_n_categories(schema(t), 1), 2);
    assert_null(tables_category(t, 1, 2));
    assert_false(bramble_table_range(t, 2, &(double){0}, &(double){0}));
    bramble_table_free(t);
}

/* Bytes, then numbers with a point, then missing ones; numbers, then texts, far behind the first look. */
static void columns_change_their_mind(void **state)
{
    (void)state;
    enum { N = 60000 };
    struct str text = {0};
    str_puts(&text, "widens,turns,late,y\n");
    for (int i = 0; i < N; i++)
        str_printf(&text, "%s,%s,%d,%s\n",
                   i == N - 2   ? "0.5"
                   : i == N - 1 ? ""
                   : i % 2      ? "7"
                                : "200",
                   i == N - 3 ? "abc"
                   : i % 2    ? "7"
                              : "07",
                   i == N - 1 ? 300 : i % 256,
                   i == N - 4 ? "maybe"
                   : i % 3    ? "1"
                              : "01");
    bramble_table *t = tables_read(text.data, NULL);
    str_fini(&text);
    assert_int_equal(t->n_rows, N);
    assert_int_equal(bramble_schema_feature_type(schema(t), 0), BRAMBLE_FEATURE_NUMBER);
    assert_int_equal(bramble_schema_feature_type(schema(t), 1), BRAMBLE_FEATURE_CATEGORY);
    assert_int_equal(bramble_schema_feature_type(schema(t), 2), BRAMBLE_FEATURE_NUMBER);
    assert_int_equal(bramble_schema_n_categories(schema(t), 1), 3); /* "07" and "7" are texts now */
    assert_int_equal(bramble_schema_n_classes(schema(t)), 3);
    for (int i = 0; i < N - 4; i++) {
        assert_true(t->columns[0].numbers[i] == (i % 2 ? 7 : 200));
        assert_string_equal(tables_category(t, 1, (size_t)i), i % 2 ? "7" : "07");
        assert_true(t->columns[2].numbers[i] == (float)(i % 256));
        assert_string_equal(tables_class(t, (size_t)i), i % 3 ? "1" : "01");
    }
    assert_string_equal(tables_class(t, N - 4), "maybe");
    assert_string_equal(tables_category(t, 1, N - 3), "abc");
    assert_true(t->columns[0].numbers[N - 2] == 0.5 && isnan(t->columns[0].numbers[N - 1]));
    bramble_table_free(t);
}

static void many_texts_leave_the_most_frequent(void **state)
{
    (void)state;
    struct str text = {0};
    str_puts(&text, "code,id,y\n");
    /* 255 codes fit; of 400 ids the last 100 come twice and win, and 154 of the others by their text */
    for (int i = 0; i < 500; i++)
        str_printf(&text, "c%03d,id%03d,%d\n", i % 255, i < 400 ? i : i - 100, i % 2);
    bramble_table *t = tables_read(text.data, NULL);
    str_fini(&text);
    assert_int_equal(bramble_schema_n_categories(schema(t), 0), 255);
    assert_false(t->schema.features[0].has_other);
    assert_string_equal(tables_category(t, 0, 499), "c244");
    assert_int_equal(bramble_schema_n_categories(schema(t), 1), 255);
    assert_true(t->schema.features[1].has_other);
    assert_string_equal(bramble_schema_category(schema(t), 1, 254), "(other)");
    assert_string_equal(bramble_schema_category(schema(t), 1, 0), "id000");
    assert_string_equal(bramble_schema_category(schema(t), 1, 153), "id153");
    assert_string_equal(bramble_schema_category(schema(t), 1, 154), "id300");
    assert_string_equal(tables_category(t, 1, 200), "(other)");
    assert_string_equal(tables_category(t, 1, 399), "id399");
    assert_int_equal(bramble_table_n_missing(t, 1), 0);
    assert_int_equal(schema_category_code(&t->schema.features[1], "new", 3), 254);
    assert_int_equal(schema_category_code(&t->schema.features[0], "new", 3), CATEGORY_MISSING);
    bramble_table_free(t);
}

static void endless_texts_are_bounded(void **state)
{
    (void)state;
    struct str text = {0};
    for (int i = 0; i < 70000; i++) str_printf(&text, "t%d,%d\n", i, i % 2);
    str_puts(&text, "t0,1\n,1\nt69999,1\n");
    bramble_table *t = tables_read(text.data, NULL);
    str_fini(&text);
    assert_int_equal(bramble_schema_n_categories(schema(t), 0), 255);
    assert_string_equal(tables_category(t, 0, 0), "t0");
    assert_string_equal(tables_category(t, 0, 69999), "(other)");
    assert_null(tables_category(t, 0, 70001));
    bramble_table_free(t);
}

static void a_checksum_knows_texts_from_numbers(void **state)
{
    (void)state;
    bramble_table *texts = tables_read("a,0\nb,1\n", NULL), *numbers = tables_read("0,0\n1,1\n", NULL);
    assert_memory_equal(texts->columns[0].any, numbers->columns[0].any, 2);
    assert_int_not_equal(bramble_table_checksum(texts), bramble_table_checksum(numbers));
    bramble_table_free(texts);
    bramble_table_free(numbers);
}

static void texts_are_made_utf8(void **state)
{
    (void)state;
    bramble_table *t = tables_read("caf\xe9,y\nd\xe9j\xe0,a\nd\xc3\xa9j\xc3\xa0,b\nplain,\xff\n", NULL);
    assert_string_equal(bramble_schema_feature_name(schema(t), 0), "caf\xc3\xa9");
    assert_int_equal(bramble_schema_n_categories(schema(t), 0), 2);
    assert_string_equal(tables_category(t, 0, 0), "d\xc3\xa9j\xc3\xa0");
    assert_string_equal(tables_category(t, 0, 1), "d\xc3\xa9j\xc3\xa0");
    assert_string_equal(tables_class(t, 2), "\xc3\xbf");
    bramble_table_free(t);
}

static void classes_are_sorted(void **state)
{
    (void)state;
    bramble_read_options as_classes = {.task = BRAMBLE_TASK_CLASSIFICATION};
    bramble_table *t = tables_read("1,10\n2,9\n3,-2\n4,9.0\n", NULL);
    assert_int_equal(bramble_schema_n_classes(schema(t)), 3);
    assert_string_equal(tables_class(t, 0), "10");
    assert_int_equal(t->classes[0], 2);
    assert_int_equal(t->classes[1], t->classes[3]);
    bramble_table_free(t);
    t = tables_read("1,10\n2,9\n3,b\n4,B\n", NULL); /* as texts when one is none */
    assert_string_equal(bramble_schema_class_name(schema(t), 0), "10");
    assert_string_equal(bramble_schema_class_name(schema(t), 1), "9");
    assert_string_equal(bramble_schema_class_name(schema(t), 2), "B");
    bramble_table_free(t);
    t = tables_read("1,0.5\n2,1e3\n3,1000\n", &as_classes);
    assert_int_equal(bramble_schema_n_classes(schema(t)), 2);
    assert_string_equal(bramble_schema_class_name(schema(t), 0), "0.5");
    assert_string_equal(bramble_schema_class_name(schema(t), 1), "1000");
    bramble_table_free(t);
}

static uint32_t draw(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % n;
}

/* The same values, written in all ways there are, in a file of many buffers. */
static void long_files_are_read_whole(void **state)
{
    (void)state;
    enum { N = 50000 };
    static const char *const words[] = {"a",         "two words", "comma, here",
                                        "new\nline", "quote\"d",  "\xc3\xa4\xc3\xb6"};
    static const char *const quoted[] = {"\"a\"",         "\"two words\"",  "\"comma, here\"",
                                         "\"new\nline\"", "\"quote\"\"d\"", "\"\xc3\xa4\xc3\xb6\""};
    static const char *const newlines[] = {"\n", "\r\n", "\r", "\n\n", "\r\n\r\n"};
    struct str text = {0};
    uint32_t seed = 7;
    str_puts(&text, "x,word,byte,y\r\n");
    for (int i = 0; i < N; i++) {
        uint32_t w = draw(&seed, 6), plain = w < 2 && draw(&seed, 2), spaces = draw(&seed, 20) == 0 ? 300 : 0;
        str_printf(&text, draw(&seed, 2) ? "%d.25," : "\"%d.25\",", i);
        str_printf(&text, "%*s%s,", (int)spaces, "", plain ? words[w] : quoted[w]);
        str_printf(&text, "%d,%d%s", i % 256, w, newlines[draw(&seed, 5)]);
    }
    bramble_table *t = tables_read(text.data, NULL);
    str_fini(&text);
    assert_int_equal(t->n_rows, N);
    assert_int_equal(bramble_schema_feature_type(schema(t), 2), BRAMBLE_FEATURE_BYTE);
    for (int i = 0; i < N; i++) {
        assert_true(t->columns[0].numbers[i] == (float)i + 0.25f);
        assert_int_equal(t->columns[2].bytes[i], i % 256);
        assert_string_equal(tables_category(t, 1, (size_t)i), words[atoi(tables_class(t, (size_t)i))]);
    }
    bramble_table_free(t);
}

static void fields_may_be_long(void **state)
{
    (void)state;
    enum { LONG = 3000000 };
    struct str text = {0};
    char *many = malloc(LONG + 1);
    memset(many, 'z', LONG);
    many[LONG] = 0;
    str_printf(&text, "a,b,y\n\"%s\",1,u\nshort,2.00%0*d1,v\n", many, 500000, 0);
    bramble_table *t = tables_read(text.data, NULL);
    assert_string_equal(tables_category(t, 0, 0), many);
    assert_int_equal(bramble_schema_feature_type(schema(t), 1), BRAMBLE_FEATURE_BYTE);
    assert_int_equal(t->columns[1].bytes[1], 2);
    bramble_table_free(t);
    str_fini(&text);
    free(many);
}

static void rows_may_be_wide(void **state)
{
    (void)state;
    enum { COLUMNS = 200000 };
    struct str text = {0};
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < COLUMNS; c++)
            str_printf(&text, "%d%c", (c + r) % 200, c == COLUMNS - 1 ? '\n' : ',');
    bramble_table *t = tables_read(text.data, NULL);
    str_fini(&text);
    assert_int_equal(bramble_schema_n_features(schema(t)), COLUMNS - 1);
    assert_int_equal(t->n_rows, 3);
    assert_int_equal(t->columns[COLUMNS - 2].bytes[2], (COLUMNS - 2 + 2) % 200);
    bramble_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_found_out),
        cmocka_unit_test(any_delimiter_will_do),
        cmocka_unit_test(any_newline_will_do),
        cmocka_unit_test(quotes_hold_anything),
        cmocka_unit_test(headers_are_told_from_data),
        cmocka_unit_test(targets_are_named_or_counted),
        cmocka_unit_test(missing_values_are_marked),
        cmocka_unit_test(columns_change_their_mind),
        cmocka_unit_test(many_texts_leave_the_most_frequent),
        cmocka_unit_test(endless_texts_are_bounded),
        cmocka_unit_test(a_checksum_knows_texts_from_numbers),
        cmocka_unit_test(texts_are_made_utf8),
        cmocka_unit_test(classes_are_sorted),
        cmocka_unit_test(long_files_are_read_whole),
        cmocka_unit_test(fields_may_be_long),
        cmocka_unit_test(rows_may_be_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
