/*
 * write_net_cases FOLDER: networks made by hand, samples to try them on and what bramble says of them, for
 * compare.mjs. A case is as write_cases.c has it; samples are as the file wants them, images channels first.
 */
#include "../model/hand_net.h"

#include "files.h"

enum { ROWS = 200 };

/* What a class has of the sum: of exponentials, or of sigmoids. */
static double weight(const struct bramble_model *model, double logit)
{
    return model->encoder.one_vs_rest ? 1 / (1 + exp(-logit)) : exp(logit);
}

/* Class shares of logits, or numbers in the target's units. */
static void finish(const struct bramble_model *model, float *out)
{
    uint32_t n = model->encoder.n_outputs;
    for (size_t r = 0; r < ROWS; r++) {
        float *row = out + r * n;
        double total = 0;
        for (uint32_t c = 0; c < n && n > 1; c++) total += weight(model, (double)row[c]);
        for (uint32_t c = 0; c < n; c++)
            row[c] = (float)(n > 1 ? weight(model, (double)row[c]) / total
                                   : encoder_target_value(&model->encoder, row[c]));
    }
}

static void write_answer(const char *folder, const char *name, const struct bramble_model *model,
                         const float *out)
{
    const uint32_t *shape = model->encoder.shape, n_classes = model->schema.n_classes;
    FILE *file = create(folder, name, "json");
    fprintf(file, "{\"rows\":%d,\"features\":%u,\"classes\":%u,\"tolerance\":1e-4,", ROWS,
            model->schema.n_features, n_classes);
    if (model->encoder.pixels) fprintf(file, "\"shape\":[%u,%u,%u],", shape[2], shape[0], shape[1]);
    fprintf(file, "\"labels\":[");
    for (int r = 0; n_classes && r < ROWS; r++)
        fprintf(file, "%s\"%s\"", r ? "," : "",
                model->schema.classes[winner(out + (size_t)r * n_classes, n_classes)]);
    fprintf(file, "]}\n");
    if (fclose(file) != 0) exit(1);
}

/* Rows have channels last. */
static float *as_file(const struct bramble_model *model, const float *x)
{
    const uint32_t *shape = model->encoder.shape;
    size_t n = model->schema.n_features;
    float *y = malloc(ROWS * n * sizeof *y);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t i = 0; i < n; i++) {
            size_t pixels = (size_t)shape[0] * shape[1];
            size_t from = model->encoder.pixels ? i % pixels * shape[2] + i / pixels : i;
            y[r * n + i] = x[r * n + from];
        }
    return y;
}

static void write_case(const char *folder, enum hand_net kind, bool regression)
{
    struct bramble_model *model = hand_net_model(kind, regression, kind + 11);
    char path[512], name[32];
    bramble_error error = {0};
    snprintf(name, sizeof name, "%s%s", hand_net_names[kind], regression ? "-number" : "");
    snprintf(path, sizeof path, "%s/%s.onnx", folder, name);
    if (model_save(model, path, &error)) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    float *x = hand_net_rows(model, ROWS, kind), *out = hand_net_run(model, x, ROWS), *y = as_file(model, x);
    finish(model, out);
    write_floats(folder, name, "x", y, (size_t)ROWS * model->schema.n_features);
    write_floats(folder, name, "out", out, (size_t)ROWS * model->encoder.n_outputs);
    write_answer(folder, name, model, out);
    free(x);
    free(y);
    free(out);
    model_free(model);
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    for (int kind = 0; kind < HAND_NETS; kind++) {
        write_case(argv[1], (enum hand_net)kind, false);
        write_case(argv[1], (enum hand_net)kind, true);
    }
    return 0;
}
