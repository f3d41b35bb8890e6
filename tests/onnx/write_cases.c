/*
 * write_cases FOLDER: models made by hand, rows to try them on and what bramble says of them, for
 * compare.mjs. A case is NAME.onnx, NAME.x (N x F floats), NAME.out (N x C probabilities or N values) and
 * NAME.json.
 */
#include "../model/hand_forest.h"

#include "files.h"

enum { ROWS = 700 };

static void write_answer(const char *folder, const char *name, const struct bramble_model *model,
                         const float *out)
{
    uint32_t n_classes = model->forest->n_classes;
    FILE *file = create(folder, name, "json");
    fprintf(file, "{\"rows\":%d,\"features\":%u,\"classes\":%u,\"labels\":[", ROWS, model->forest->n_features,
            n_classes);
    for (int r = 0; n_classes && r < ROWS; r++)
        fprintf(file, "%s\"%s\"", r ? "," : "",
                model->schema.classes[winner(out + (size_t)r * n_classes, n_classes)]);
    fprintf(file, "]}\n");
    if (fclose(file) != 0) exit(1);
}

/* Frees the model. */
static void write_case(const char *folder, const char *name, struct bramble_model *model, uint64_t seed)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    bramble_error error;
    if (model_save(model, path, &error)) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    const struct forest *forest = model->forest;
    size_t width = forest->n_classes ? forest->n_classes : 1;
    float *x = hand_rows(model, ROWS, seed), *out = mem_alloc(ROWS * width, sizeof *out);
    forest_predict_rows(forest, x, ROWS, out);
    write_floats(folder, name, "x", x, ROWS * forest->n_features);
    write_floats(folder, name, "out", out, ROWS * width);
    write_answer(folder, name, model, out);
    mem_free(x);
    mem_free(out);
    model_free(model);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    for (uint32_t seed = 1; seed <= 24; seed++) {
        struct hand_options options = {.task =
                                           seed % 4 ? BRAMBLE_TASK_CLASSIFICATION : BRAMBLE_TASK_REGRESSION,
                                       .n_classes = seed % 4 ? 2 + seed % 3 * (seed % 7) : 0,
                                       .n_features = 1 + seed % 11,
                                       .n_trees = seed % 5 ? seed * seed % 150 + 1 : 1,
                                       .depth = seed % 9,
                                       .pure = seed % 2,
                                       .number_labels = seed % 3 == 0};
        char name[16];
        snprintf(name, sizeof name, "case%02u", seed);
        write_case(argv[1], name, hand_model(seed, &options), seed);
    }
    write_case(argv[1], "chain", hand_chain(500), 1);
    return 0;
}
