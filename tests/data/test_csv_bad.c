/* What CSV files should not look like: one line that says where, what, and what to do; and scarce memory. */
#include "base/str.h"
#include "reading.h"
#include "tables.h"

static void empty_files_are_refused(void **state)
{
    (void)state;
    tables_refuse("", NULL, "the file is empty");
    tables_refuse("\xef\xbb\xbf", NULL, "the file is empty");
    tables_refuse("\n\r\n\n", NULL, "the file is empty");
    tables_refuse("a,b,c\n", NULL, "there are no rows");
    tables_refuse("a\n1\n2\n", NULL, "only one column");
    tables_refuse("hello world", NULL, "only one column");
    bramble_read_options options = {.sample_weight = "a"};
    tables_refuse("a,y\n1,0\n2,1\n", &options, "no feature column");
}

static void ragged_rows_are_refused(void **state)
{
    (void)state;
    tables_refuse("a,b,y\n1,2,3\n1,2\n", NULL, "row 2, line 3 has 2 fields where the first row has 3");
    tables_refuse("a,b,y\n1,2,3\n1,2,3,4\n", NULL, "row 2, line 3 has more than 3 fields");
    tables_refuse("1,2,3\n\n1,2,3\n1,2,3,\n", NULL, "row 3, line 4 has more than 3");
    tables_refuse("a,b,y\n\"1\n\n\",2,3\n4\n", NULL, "row 2, line 5 has 1 fields");
    tables_refuse("a\tb\ty\n1\t2\t3\n1\n", NULL, "hold a tab");
    struct str text = {0}; /* far behind the first look */
    for (int i = 0; i < 100000; i++) str_printf(&text, "%d,%d\r\n", i, i % 2);
    str_puts(&text, "5\r\n");
    tables_refuse(text.data, NULL, "row 100001, line 100001 has 1 fields");
    str_fini(&text);
}

/* Wherever a newline of two bytes is cut by a buffer's end, it stays one. */
static void lines_are_counted_right(void **state)
{
    (void)state;
    for (int pad = 0; pad < 8; pad++) {
        struct str text = {0};
        str_printf(&text, "name%0*d,y\r\n", pad + 1, 0);
        for (int i = 0; i < 70000; i++) str_puts(&text, i % 2 ? "1234,1\r\n" : "5678,0\r\n");
        str_puts(&text, "5\r\n");
        tables_refuse(text.data, NULL, "row 70001, line 70002 has 1 fields");
        str_fini(&text);
    }
}

static void broken_quotes_are_refused(void **state)
{
    (void)state;
    tables_refuse("a,b,y\n1,2,3\n1,\"2,3\n4,5,6\n", NULL,
                  "row 2, line 3, column \"b\": the quote that opens");
    tables_refuse("a,b,y\n1,2,3\n1,\"2\"x,3\n", NULL, "row 2, line 3, column \"b\": something stands behind");
    tables_refuse("a,\"b,y\n1,2,3\n", NULL, "line 1, column 2: the quote that opens");
    tables_refuse("\"", NULL, "never closed");
}

static void targets_that_are_not_there_are_refused(void **state)
{
    (void)state;
    bramble_read_options options = {.target = "prise"};
    tables_refuse(
        "a,b,c,d,e,f,g,price\n1,2,3,4,5,6,7,8\n", &options,
        "no column \"prise\" to be the target; name one of the 8 columns: \"a\", \"b\", \"c\", \"d\", \"e\", "
        "\"f\", ...");
    static const char *const absent[] = {"3", "-4", "99999999999999999999", "+1", " 1", "1.0", ""};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++) {
        options.target = absent[i];
        tables_refuse("a,b,y\n1,2,3\n2,3,4\n", &options, "to be the target");
    }
    options = (bramble_read_options){.sample_weight = "w"};
    tables_refuse("a,b,y\n1,2,3\n2,3,4\n", &options, "no column \"w\" to be the sample weight");
    options = (bramble_read_options){.sample_weight = "a", .target = "0"};
    bramble_error error = {0};
    assert_null(tables_read_bytes("t.csv", "a,b\n1,2\n", 8, &options, &error));
    assert_int_equal(error.status, BRAMBLE_ERR_USAGE);
}

static void targets_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    bramble_read_options regression = {.task = BRAMBLE_TASK_REGRESSION};
    tables_refuse("a,y\n1,no\n2,no\n", NULL, "only one class, \"no\"");
    tables_refuse("a,y\n1,3\n2,3\n", NULL, "only one class, \"3\"");
    tables_refuse("a,y\n1,0\n2,\n3,1\n", NULL, "row 2: the target \"y\" is missing");
    tables_refuse("a,y\n1,u\n2,NA\n3,v\n", NULL, "row 2: the target \"y\" is missing");
    tables_refuse("a,y\n1,0\n2,1e999\n", NULL, "row 2: the target \"y\" is infinite or too large");
    tables_refuse("a,y\n1,0.5\n2,low\n", &regression, "must be a number for regression, but holds \"0.5\"");
    tables_refuse("a,y\n1,\n2,\n", NULL, "row 1: the target");
    tables_refuse("a,b,a\n1,2,0\n2,3,1\n", NULL, "columns 1 and 3 are both called \"a\"");
}

static void numbers_must_be_finite(void **state)
{
    (void)state;
    tables_refuse("a,b,y\n1,2,0\n2,inf,1\n", NULL, "row 2, column \"b\": infinite");
    tables_refuse("a,b,y\n1,-Infinity,0\n2,3,1\n", NULL, "row 1, column \"b\": infinite");
    tables_refuse("a,b,y\n1,2,0\n2,1e39,1\n", NULL, "row 2, column \"b\"");
    tables_refuse("1,2,0\n2,1e999,1\n", NULL, "row 2, column \"x1\"");
    bramble_table *t = tables_read("a,b,y\n1,inf,0\n2,finite,1\n", NULL); /* texts may spell it */
    assert_string_equal(tables_category(t, 1, 0), "inf");
    bramble_table_free(t);
}

static void messages_are_utf8(void **state)
{
    (void)state;
    bramble_read_options options = {.sample_weight = "w"};
    tables_refuse("a,w,y\n1,d\xe9j\xe0 vu\x01,0\n2,1,1\n", &options,
                  "column \"w\": \"d?j? vu?\" is not a number");
    tables_refuse("a,w,y\n1,d\xc3\xa9j\xc3\xa0,0\n2,1,1\n", &options, "\"d\xc3\xa9j\xc3\xa0\" is not");
}

static void weights_must_be_weights(void **state)
{
    (void)state;
    bramble_read_options options = {.sample_weight = "w"};
    tables_refuse("a,w,y\n1,1,0\n2,-1,1\n", &options, "row 2, column \"w\": no such weight");
    tables_refuse("a,w,y\n1,,0\n2,1,1\n", &options, "row 1, column \"w\": the weight is missing");
    tables_refuse("a,w,y\n1,1,0\n2,inf,1\n", &options, "row 2, column \"w\"");
    tables_refuse("a,w,y\n1,1,0\n2,heavy,1\n", &options,
                  "row 2, line 3, column \"w\": \"heavy\" is not a number");
    tables_refuse("a,w,y\n1,0,0\n2,0,1\n", &options, "all weights in column \"w\" are 0");
}

static void bytes_must_be_text(void **state)
{
    (void)state;
    bramble_error error = {0};
    static const char nul[] = "a,b,y\n1,2,3\n1,\0,3\n";
    assert_null(tables_read_bytes("t.csv", nul, sizeof nul - 1, NULL, &error));
    struct str text = {0}; /* behind what recognition looks at */
    for (int i = 0; i < 20000; i++) str_printf(&text, "%d,%d\n", i, i % 2);
    size_t n = text.length;
    str_puts(&text, "1,2x3,\"4x5\"\n");
    text.data[n + 3] = 0;
    assert_null(tables_read_bytes("t.csv", text.data, text.length, NULL, &error));
    assert_non_null(strstr(error.message, "row 20001, line 20001, column \"x1\": a NUL byte"));
    memcpy(text.data + n, "1,\"2\0\"\n", 7);
    assert_null(tables_read_bytes("t.csv", text.data, n + 7, NULL, &error));
    assert_non_null(strstr(error.message, "column \"x1\": a NUL byte"));
    str_fini(&text);
}

static void more_columns_than_a_table_has_are_refused(void **state)
{
    (void)state;
    struct str text = {0};
    for (int c = 0; c <= RAW_COLUMNS_MAX; c++) str_puts(&text, c ? ",1" : "1");
    tables_refuse(text.data, NULL, "1000001 columns are more than the 1000000");
    str_fini(&text);
}

/* A file without an end of the record: refused, and not before much of it was read. */
static void rows_without_end_are_refused(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    FILE *f = fopen(scratch_path(&s, "t.csv"), "wb");
    assert_non_null(f);
    static const char start[] = "a,b,y\n1,2,3\n4,5,6\n\"";
    fwrite(start, 1, sizeof start - 1, f);
    char *block = malloc(1 << 20);
    memset(block, 'x', 1 << 20);
    for (int i = 0; i < 260; i++) fwrite(block, 1, 1 << 20, f);
    free(block);
    assert_int_equal(fclose(f), 0);
    assert_refused(reader_csv, s.path, NULL, BRAMBLE_ERR_DATA, "row 3, line 4 is longer than 128 MB");
    scratch_remove(&s);
}

static void files_that_cannot_be_read_are_refused(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    bramble_error error = {0};
    bramble_table *table = NULL;
    assert_int_equal(bramble_table_read(&table, scratch_path(&s, "absent.csv"), NULL, &error),
                     BRAMBLE_ERR_IO);
    assert_int_equal(bramble_table_read(&table, s.folder, NULL, &error), BRAMBLE_ERR_DATA);
    assert_int_equal(bramble_table_read(&table, "/dev/null", NULL, &error), BRAMBLE_ERR_IO);
    assert_int_equal(bramble_table_read(&table, "", NULL, &error), BRAMBLE_ERR_USAGE);
    assert_int_equal(bramble_table_read(&table, NULL, NULL, NULL), BRAMBLE_ERR_USAGE);
    static const char text[] = "a,b,y\n1,2,3\n1,2,4\n";
    const char *path = scratch_write_gz(&s, "t.csv.gz", text, sizeof text - 1);
    assert_int_equal(truncate(path, 25), 0);
    assert_int_equal(bramble_table_read(&table, path, NULL, &error), BRAMBLE_ERR_DATA);
    assert_int_equal(bramble_table_read(&table, path, NULL, NULL), BRAMBLE_ERR_DATA);
    assert_refused(reader_csv, path, NULL, BRAMBLE_ERR_DATA, "t.csv.gz");
    assert_null(table);
    scratch_remove(&s);
}

/* Numbers, texts of both widths, a header, a second pass, a weight. */
static void scarce_memory_is_survived(void **state)
{
    (void)state;
#ifndef BRAMBLE_FAULT_INJECTION
    skip();
#endif
    struct scratch s = scratch_new();
    struct str text = {0};
    str_puts(&text, "byte,number,w,word,id,turns,class\n");
    for (int i = 0; i < 4500; i++)
        str_printf(&text, "%d,%d.5,1,%s,\"i\"\"%d\",%s,%s\n", i % 256, i, i % 3 ? "a" : "b", i % 300,
                   i == 4400 ? "x" : "1", i % 2 ? "\xe9" : "no");
    const char *path = scratch_write(&s, "t.csv", text.data, text.length);
    str_fini(&text);
    bramble_read_options options = {.sample_weight = "w"};
    assert_survives_no_memory(reader_csv, path, &options);
    bramble_table *known = assert_read(reader_csv, path, &options);
    options.schema = &known->schema;
    assert_survives_no_memory(reader_csv, path, &options);
    bramble_table_free(known);
    options = (bramble_read_options){.target = "number"};
    assert_survives_no_memory(reader_csv, path, &options);
    scratch_remove(&s);
}

/* Peak memory stays near the finished table, whether columns stay, widen, or hold texts. */
static void memory_stays_near_the_table(void **state)
{
    (void)state;
    if (!MEASURES_MEMORY) skip();
    enum { N = 400000 };
    static const char *const formats[] = {"%d.5,%d.25,%d.125,%d.5,%d.5,%d.5,%d\n",
                                          "t%d,u%d,%d,%d,v%d,w%d,%d\n"};
    for (int kind = 0; kind < 2; kind++) {
        struct scratch s = scratch_new();
        FILE *f = fopen(scratch_path(&s, "t.csv"), "w");
        assert_non_null(f);
        for (int i = 0; i < N; i++) {
            int v = kind ? i % 200 : i;
            fprintf(f, formats[kind], v, v, v, i == N / 2 ? 1000 : i % 256, v, v, i % 2);
        }
        fclose(f);
        bramble_table *table = assert_read(reader_csv, s.path, NULL);
        size_t bytes = bramble_table_bytes(table);
        bramble_table_free(table);
        bramble_status status;
        size_t peak = reading_peak_bytes(reader_csv, s.path, &status);
        assert_int_equal(status, BRAMBLE_OK);
        if (peak > bytes + bytes * 3 / 10 + (4 << 20)) fail_msg("%zu bytes for a table of %zu", peak, bytes);
        scratch_remove(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_files_are_refused),
        cmocka_unit_test(ragged_rows_are_refused),
        cmocka_unit_test(lines_are_counted_right),
        cmocka_unit_test(broken_quotes_are_refused),
        cmocka_unit_test(targets_that_are_not_there_are_refused),
        cmocka_unit_test(targets_that_make_no_sense_are_refused),
        cmocka_unit_test(numbers_must_be_finite),
        cmocka_unit_test(messages_are_utf8),
        cmocka_unit_test(weights_must_be_weights),
        cmocka_unit_test(bytes_must_be_text),
        cmocka_unit_test(more_columns_than_a_table_has_are_refused),
        cmocka_unit_test(rows_without_end_are_refused),
        cmocka_unit_test(files_that_cannot_be_read_are_refused),
        cmocka_unit_test(scarce_memory_is_survived),
        cmocka_unit_test(memory_stays_near_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
