/* What evaluate prints for people: the confusion matrix where it fits, the worst mistakes where it does not.
 */
#include "program.h"

/* x,y with `classes` classes; y follows from x, but every fifth row says the next class. */
static void write_classes_csv(struct scratch *s, const char *name, unsigned classes)
{
    FILE *file = fopen(scratch_path(s, name), "w");
    assert_non_null(file);
    fprintf(file, "x,y\n");
    for (unsigned i = 0; i < 40 * classes; i++) {
        unsigned kind = i % classes;
        fprintf(file, "%u.%u,class %02u\n", kind, i / classes, i % 5 ? kind : (kind + 1) % classes);
    }
    assert_int_equal(fclose(file), 0);
}

static struct said evaluate(struct scratch *s, unsigned classes)
{
    write_classes_csv(s, "a.csv", classes);
    struct said said = DONE(s, "train", "forest", "a.csv", "--trees", "5", "--max-depth", "3", "--quiet");
    said_fini(&said);
    return DONE(s, "evaluate", "model.onnx", "a.csv");
}

static void test_few_classes(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    setenv("COLUMNS", "80", 1);
    struct said said = evaluate(&s, 4);
    assert_non_null(strstr(said.out, "a.csv: 160 rows in "));
    assert_non_null(strstr(said.out, "\naccuracy "));
    char *matrix = strstr(said.out, "confusion (rows: truth, columns: prediction)\n");
    assert_non_null(matrix);
    unsigned lines = 0;
    double sum = 0;
    for (char *line = strchr(matrix, '\n') + 1; *line; line = strchr(line, '\n') + 1, lines++) {
        assert_int_equal(strncmp(line, lines ? "  class 0" : "    ", lines ? 9 : 4), 0);
        assert_true(strcspn(line, "\n") <= 80);
        char *cell = line + 2 + 16;
        for (unsigned c = 0; lines && c < 4; c++) sum += strtod(cell, &cell);
    }
    assert_int_equal(lines, 5);
    assert_true(sum == 160);
    said_fini(&said);
    scratch_remove(&s);
}

static void test_many_classes(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    setenv("COLUMNS", "80", 1);
    struct said said = evaluate(&s, 60);
    assert_null(strstr(said.out, "confusion (rows"));
    const char *line = strstr(said.out, "most frequent mistakes");
    assert_non_null(line);
    unsigned lines = 0;
    double before = 1e9, rows;
    while (*(line = strchr(line, '\n') + 1)) {
        assert_int_equal(sscanf(line, "%lf class", &rows), 1);
        assert_true(rows <= before && rows > 0);
        assert_non_null(strstr(line, "taken for  class "));
        before = rows;
        lines++;
    }
    assert_int_equal(lines, 10);
    said_fini(&said);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_classes),
        cmocka_unit_test(test_many_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
