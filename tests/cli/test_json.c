/* The keys --json prints are those that the manual explains: no other is printed, and each one is somewhere.
 */
#include "command.h"
#include "data/pictures.h"
#include "program.h"

enum { FIELDS_MAX = 40 };

struct seen {
    const struct command *command;
    bool key[FIELDS_MAX];
};

static void note_keys(struct seen *seen, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        unsigned f = 0;
        while (seen->command->fields[f].key && strcmp(seen->command->fields[f].key, key) != 0) f++;
        if (!seen->command->fields[f].key) fail_msg("%s: \"%s\" is in no manual", seen->command->name, key);
        seen->key[f] = true;
    }
    json_decref(object);
}

static void check_all_seen(const struct seen *seen)
{
    for (unsigned f = 0; seen->command->fields[f].key; f++)
        if (!seen->key[f])
            fail_msg("%s: \"%s\" was never printed", seen->command->name, seen->command->fields[f].key);
}

/* A cluster of this machine alone, with the program that is tested. */
static void write_cluster_of_one(struct scratch *s, const char *name)
{
    char text[4096];
    snprintf(text, sizeof text, "[here]\nhost = localhost\nprogram = %s/bramble\n", getenv("BRAMBLE_BUILD"));
    scratch_write(s, name, text, strlen(text));
}

/* A folder of a picture of each of two classes. */
static void write_pictures(struct scratch *s)
{
    static const char *const folders[] = {"pictures", "pictures/a", "pictures/b"};
    for (int i = 0; i < 3; i++) assert_int_equal(mkdir(scratch_path(s, folders[i]), 0700), 0);
    struct picture grey = {1, 1, PNG_COLOR_TYPE_GRAY, 8, 0, "\x80"};
    picture_write_png(s, "pictures/a/1.png", grey);
    picture_write_png(s, "pictures/b/1.png", grey);
}

static void test_keys(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct seen data = {&command_data, {0}}, train = {&command_train_forest, {0}},
                predict = {&command_predict, {0}}, evaluate = {&command_evaluate, {0}},
                inspect = {&command_inspect, {0}}, scaling = {&command_bench_scaling, {0}},
                runs = {&command_runs, {0}}, show = {&command_show, {0}}, net = {&command_train_net, {0}},
                compare = {&command_compare, {0}};
    write_kinds_csv(&s, "kinds.csv", 200, 1);
    write_numbers_csv(&s, "numbers.csv", 200, 1);
    note_keys(&data, JSON(&s, "data", "kinds.csv", "--json"));
    note_keys(&data, JSON(&s, "data", "numbers.csv", "--json"));
    write_pictures(&s);
    note_keys(&data, JSON(&s, "data", "pictures", "--json"));
    note_keys(&train, JSON(&s, "train", "forest", "numbers.csv", "--trees", "3", "--holdout", "0.2", "--json",
                           "--out", "numbers.onnx"));
    note_keys(&train, JSON(&s, "train", "forest", "kinds.csv", "--trees", "20", "--holdout", "0.2", "--json",
                           "--oob-score", "--out", "kinds.onnx"));
    write_cluster_of_one(&s, "cluster.ini");
    note_keys(&train,
              JSON(&s, "train", "forest", "kinds.csv", "--trees", "3", "--json", "--cluster", "cluster.ini"));
    note_keys(&scaling, JSON(&s, "bench", "scaling", "kinds.csv", "--seconds", "1", "--json"));
    note_keys(&evaluate, JSON(&s, "evaluate", "kinds.onnx", "kinds.csv", "--json"));
    note_keys(&evaluate, JSON(&s, "evaluate", "numbers.onnx", "numbers.csv", "--json"));
    note_keys(&predict, JSON(&s, "predict", "kinds.onnx", "kinds.csv", "--json"));
    note_keys(&predict, JSON(&s, "predict", "kinds.onnx", "kinds.csv", "--json", "--proba"));
    note_keys(&predict, JSON(&s, "predict", "numbers.onnx", "numbers.csv", "--json", "--out", "p.csv"));
    note_keys(&inspect, JSON(&s, "inspect", "kinds.onnx", "--json", "--tree", "1"));
    note_keys(&inspect, JSON(&s, "inspect", "numbers.onnx", "--json"));
    note_keys(&net, JSON(&s, "train", "net", "kinds.csv", "--epochs", "2", "--holdout", "0.2", "--json",
                         "--out", "net.onnx"));
    note_keys(&net, JSON(&s, "train", "net", "numbers.csv", "--epochs", "2", "--holdout", "0.2", "--json"));
    note_keys(&net,
              JSON(&s, "train", "net", "kinds.csv", "--epochs", "2", "--json", "--cluster", "cluster.ini"));
    note_keys(&inspect, JSON(&s, "inspect", "net.onnx", "--json"));
    note_keys(&compare, JSON(&s, "compare", "net-1", "net-2", "--json"));
    note_keys(&runs, JSON(&s, "runs", "--json"));
    note_keys(&show, JSON(&s, "show", "last", "--json", "--events"));
    note_keys(&runs, JSON(&s, "runs", "--json", "--remove", "last"));
    check_all_seen(&data);
    check_all_seen(&train);
    check_all_seen(&evaluate);
    check_all_seen(&predict);
    check_all_seen(&inspect);
    check_all_seen(&runs);
    check_all_seen(&show);
    check_all_seen(&net);
    check_all_seen(&compare);
    check_all_seen(&scaling);
    scratch_remove(&s);
}

/* Names that are no UTF-8, or would end a string, still give an object that parses. */
static void test_hostile_names(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const char *csv = "na\xffme,\"quo\"\"te\",kind\n1,x,\xfe\n2,\xe9,b\\\n3,x,\xfe\n4,y,b\\\n";
    scratch_write(&s, "a.csv", csv, strlen(csv));
    struct said said = RUN(&s, "data", "a.csv", "--json");
    if (said.code == 0) {
        json_t *data = said_json(said);
        assert_string_equal(json_text_of(json_array_get(json_object_get(data, "feature_list"), 1), "name"),
                            "quo\"te");
        json_decref(data);
    } else {
        said_failed(said, 1, "a.csv");
    }
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_hostile_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
