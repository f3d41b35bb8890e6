/*
 * The shortest complete program: trains a forest on a table, tries it on rows it has not seen, keeps it as a
 * file, and predicts one row.
 *
 *     cc forest.c -o forest $(pkg-config --cflags --libs bramble)
 *     ./forest diamonds.csv model.onnx
 */
#include <stdio.h>

#include <bramble/bramble.h>

static bramble_status train(bramble_model **model, const char *path, bramble_error *error)
{
    bramble_table *table, *test;
    bramble_read_options reading = BRAMBLE_READ_OPTIONS_INIT; /* the last column is the target */
    bramble_status status = bramble_table_read(&table, path, &reading, error);
    if (status) return status;
    status = bramble_table_holdout(table, 0.2, 1, &test, error);
    if (status) {
        bramble_table_free(table);
        return status;
    }

    bramble_forest_options options = BRAMBLE_FOREST_OPTIONS_INIT;
    options.trees = 50;
    options.seed = 1;
    status = bramble_forest_train(model, table, &options, NULL, error);
    bramble_evaluation figures;
    if (!status && !(status = bramble_model_evaluate(*model, test, 0, &figures, error))) {
        if (figures.n_classes)
            printf("accuracy %.4f on %zu rows\n", figures.accuracy, figures.n_rows);
        else
            printf("R2 %.4f on %zu rows\n", figures.r2, figures.n_rows);
        bramble_evaluation_fini(&figures);
    }
    bramble_table_free(test);
    bramble_table_free(table);
    return status;
}

/* A row of nothing but missing values: what the model says about a stranger. */
static bramble_status predict_stranger(const bramble_model *model, bramble_error *error)
{
    const bramble_schema *schema = bramble_model_schema(model);
    float row[256];
    double prediction;
    if (bramble_schema_n_features(schema) > 256) return BRAMBLE_OK;
    for (uint32_t f = 0; f < 256; f++) row[f] = __builtin_nanf("");
    bramble_status status = bramble_model_predict_rows(model, row, 1, 1, &prediction, error);
    if (status) return status;
    if (bramble_schema_n_classes(schema))
        printf("a row of missing values is %s\n", bramble_schema_class_name(schema, (uint32_t)prediction));
    else
        printf("a row of missing values is %g\n", prediction);
    return BRAMBLE_OK;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: forest DATA MODEL\n");
        return 2;
    }
    bramble_error error;
    bramble_model *model = NULL;
    bramble_status status = train(&model, argv[1], &error);
    if (!status) status = bramble_model_save(model, argv[2], &error);
    if (!status) status = predict_stranger(model, &error);
    bramble_model_free(model);
    if (status) fprintf(stderr, "forest: %s\n", error.message);
    return status ? 1 : 0;
}
