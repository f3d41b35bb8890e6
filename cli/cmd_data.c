/* bramble data: what a data set is, as training would see it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "common.h"
#include "figures.h"
#include "report/readable.h"

enum { FEATURES_SHOWN = 20, CLASSES_SHOWN = 20, NAME_COLUMNS = 24 };

struct data_values {
    const char *path, *target, *sample_weight;
    int task, split;
    uint32_t image_size[2];
    bool json;
};

struct described {
    const struct data_values *values;
    const bramble_table *table;
    const bramble_schema *schema;
    double load_seconds;
};

static uint64_t count_missing(const struct described *d)
{
    uint64_t n = 0;
    for (uint32_t f = 0; f < bramble_schema_n_features(d->schema); f++)
        n += bramble_table_n_missing(d->table, f);
    return n;
}

static void print_feature(const struct described *d, uint32_t f)
{
    struct readable name = readable_name(bramble_schema_feature_name(d->schema, f), NAME_COLUMNS);
    bramble_feature_type type = bramble_schema_feature_type(d->schema, f);
    printf("  %s%*s  %-9s", name.text, (int)(NAME_COLUMNS - readable_columns(name.text)), "",
           feature_type_name(type));
    double min, max;
    if (type == BRAMBLE_FEATURE_CATEGORY)
        printf(" %s different", readable_count(bramble_schema_n_categories(d->schema, f)).text);
    else if (bramble_table_range(d->table, f, &min, &max))
        printf(" %s to %s", readable_number(min).text, readable_number(max).text);
    uint64_t missing = bramble_table_n_missing(d->table, f);
    if (missing) printf(", %s missing", readable_count(missing).text);
    printf("\n");
}

static void print_target(const struct described *d)
{
    if (!bramble_table_has_target(d->table)) {
        printf("target      none\n");
        return;
    }
    const char *name = bramble_schema_target_name(d->schema);
    uint32_t n_classes = bramble_schema_n_classes(d->schema);
    printf("target      %s, %s", name ? readable_name(name, 40).text : "the labels",
           task_name(bramble_schema_task(d->schema)));
    if (n_classes) printf(", %s", readable_items(n_classes, "class", "classes").text);
    printf("\n");
    for (uint32_t c = 0; c < n_classes && c < CLASSES_SHOWN; c++) {
        struct readable label = readable_name(bramble_schema_class_name(d->schema, c), NAME_COLUMNS);
        printf("  %s%*s  %s\n", label.text, (int)(NAME_COLUMNS - readable_columns(label.text)), "",
               readable_items(bramble_table_class_count(d->table, c), "row", "rows").text);
    }
    if (n_classes > CLASSES_SHOWN)
        printf("  and %s more classes\n", readable_count(n_classes - CLASSES_SHOWN).text);
}

static void print_text(const struct described *d)
{
    uint32_t n_features = bramble_schema_n_features(d->schema);
    char types[128];
    count_types(d->schema, types, sizeof types);
    readable_write(stdout, d->values->path, false);
    printf(": %s%s\n", bramble_table_format(d->table),
           bramble_path_has_test(d->values->path) ? ", with a training and a test part" : "");
    printf("rows        %s\n", readable_count(bramble_table_n_rows(d->table)).text);
    printf("features    %s: %s\n", readable_count(n_features).text, types);
    uint32_t size[2];
    if (bramble_schema_image_size(d->schema, size))
        printf("images      %" PRIu32 "x%" PRIu32 " pixels, %s\n", size[0], size[1],
               (uint64_t)size[0] * size[1] == n_features ? "grey" : "colour");
    printf("missing     %s values\n", readable_count(count_missing(d)).text);
    printf("memory      %s, read in %s\n", readable_bytes((double)bramble_table_bytes(d->table)).text,
           readable_seconds(d->load_seconds).text);
    printf("checksum    %016" PRIx64 "\n", bramble_table_checksum(d->table));
    print_target(d);
    printf("ranges\n");
    for (uint32_t f = 0; f < n_features && f < FEATURES_SHOWN; f++) print_feature(d, f);
    if (n_features > FEATURES_SHOWN)
        printf("  and %s more features\n", readable_count(n_features - FEATURES_SHOWN).text);
}

static json_t *feature_json(const struct described *d, uint32_t f, bool *failed)
{
    struct json_out feature;
    json_out_init(&feature);
    bramble_feature_type type = bramble_schema_feature_type(d->schema, f);
    json_out_text(&feature, "name", bramble_schema_feature_name(d->schema, f));
    json_out_text(&feature, "type", feature_type_name(type));
    json_out_count(&feature, "missing", bramble_table_n_missing(d->table, f));
    double min, max;
    if (type == BRAMBLE_FEATURE_CATEGORY) {
        json_t *categories = json_array();
        for (uint32_t c = 0; c < bramble_schema_n_categories(d->schema, f); c++)
            if (json_array_append_new(categories, json_from_text(bramble_schema_category(d->schema, f, c))) !=
                0)
                feature.failed = true;
        json_out_put(&feature, "categories", categories);
    } else if (bramble_table_range(d->table, f, &min, &max)) {
        json_out_number(&feature, "min", min);
        json_out_number(&feature, "max", max);
    }
    *failed = *failed || feature.failed;
    return feature.root;
}

static void put_image_size(struct json_out *out, const struct described *d)
{
    uint32_t size[2];
    if (!bramble_schema_image_size(d->schema, size)) return;
    json_out_put(out, "image_size", json_pack("[I,I]", (json_int_t)size[0], (json_int_t)size[1]));
}

static void put_columns(struct json_out *out, const struct described *d)
{
    json_t *features = json_array(), *counts = json_array();
    for (uint32_t f = 0; f < bramble_schema_n_features(d->schema); f++)
        if (json_array_append_new(features, feature_json(d, f, &out->failed)) != 0) out->failed = true;
    for (uint32_t c = 0; c < bramble_schema_n_classes(d->schema); c++)
        if (json_array_append_new(counts, json_integer((json_int_t)bramble_table_class_count(d->table, c))) !=
            0)
            out->failed = true;
    json_out_put(out, "feature_list", features);
    figures_put_classes(out, d->schema);
    json_out_put(out, "class_counts", counts);
}

static bramble_status print_json(const struct described *d, bramble_error *error)
{
    struct json_out out;
    char checksum[24];
    snprintf(checksum, sizeof checksum, "%016" PRIx64, bramble_table_checksum(d->table));
    bool has_target = bramble_table_has_target(d->table);
    const char *target = bramble_schema_target_name(d->schema);
    json_out_init(&out);
    json_out_text(&out, "path", d->values->path);
    json_out_text(&out, "format", bramble_table_format(d->table));
    json_out_text(&out, "split", split_choices[d->values->split].word);
    json_out_put(&out, "has_test", json_boolean(bramble_path_has_test(d->values->path)));
    json_out_count(&out, "rows", bramble_table_n_rows(d->table));
    json_out_count(&out, "features", bramble_schema_n_features(d->schema));
    put_image_size(&out, d);
    json_out_count(&out, "missing", count_missing(d));
    json_out_count(&out, "bytes", bramble_table_bytes(d->table));
    json_out_text(&out, "checksum", checksum);
    json_out_put(&out, "target", has_target ? json_from_text(target ? target : "") : json_null());
    if (has_target) json_out_text(&out, "task", task_name(bramble_schema_task(d->schema)));
    json_out_put(&out, "weighted", json_boolean(bramble_table_has_weight(d->table)));
    put_columns(&out, d);
    json_out_number(&out, "load_seconds", d->load_seconds);
    return json_out_end(&out, error);
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct data_values *v = values;
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.target = v->target;
    options.sample_weight = v->sample_weight;
    options.task = (bramble_task)v->task;
    options.split = (bramble_split)v->split;
    memcpy(options.image_size, v->image_size, sizeof options.image_size);
    bramble_table *table;
    double start = clock_seconds();
    bramble_status status = bramble_table_read(&table, v->path, &options, error);
    if (status) return status;
    struct described d = {v, table, bramble_table_schema(table), clock_seconds() - start};
    if (v->json)
        status = print_json(&d, error);
    else
        print_text(&d);
    bramble_table_free(table);
    return status;
}

static const char *const paragraphs[] = {
    "Reads DATA as training would and says what is in it: format, rows, types of the features, missing "
    "values, the "
    "target and its classes, memory, and a checksum of all values.",
    "The format is recognised by content and then by name: CSV and TSV (with or without a header, quotes, "
    "missing "
    "values, text columns as categories), IDX images and labels as MNIST ships them (a file, a pair or the "
    "folder; "
    "the training and t10k parts are found), folders of PNG and JPEG images, one for each class and named "
    "after it, "
    "NPY, NPZ, and libsvm/svmlight. All but NPZ may be gzipped.",
    "A byte feature holds whole numbers from 0 to 255 and takes one byte a row, a number takes four, a "
    "category "
    "one.",
    NULL,
};

static const struct argument arguments[] = {
    {.name = "DATA",
     .help = "a file, or a folder of IDX files or images",
     .offset = FIELD(data_values, path)},
    {.name = NULL},
};

static const struct option options[] = {
    OPTION_TARGET_OF(data_values),
    OPTION_TASK_OF(data_values),
    OPTION_SAMPLE_WEIGHT_OF(data_values),
    OPTION_IMAGE_SIZE_AT(FIELD(data_values, image_size)),
    OPTION_SPLIT_OF(data_values, "train"),
    OPTION_JSON_OF(data_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"path", "DATA as it was given"},
    {"format", "csv, idx, images, npy, npz or libsvm"},
    {"split", "the part that is described: train or test"},
    {"has_test", "whether DATA hold a test part too"},
    {"rows", "number of rows"},
    {"features", "number of features"},
    {"image_size", "images: their height and width in pixels"},
    {"missing", "missing values in all features"},
    {"bytes", "memory the columns take"},
    {"checksum", "XXH3 of all values, hexadecimal; the same data have the same"},
    {"target", "name of the target's column (empty when it has none); null when there is no target"},
    {"task", "classification or regression"},
    {"weighted", "whether rows have weights"},
    {"feature_list", "for each feature its name, type, missing values, and min and max or its categories"},
    {"classes", "names of the classes"},
    {"class_counts", "rows of each class"},
    {"load_seconds", "time to read"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble data diamonds.csv --target price", "describes the table with price as what is to be predicted"},
    {"bramble data /usr/share/datasets/fashion-mnist --split test", "describes the 10,000 test images"},
    {NULL, NULL},
};

const struct command command_data = {
    .name = "data",
    .summary = "describe a data set: rows, features, types, missing values, classes",
    .paragraphs = paragraphs,
    .arguments = arguments,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct data_values){.split = BRAMBLE_SPLIT_TRAIN},
    .values_size = sizeof(struct data_values),
    .run = run,
};
