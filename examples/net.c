/*
 * A network in two ways. First in one call: trained on a table, tried on rows it has not seen, kept as a
 * file, loaded again. Then a step at a time, on arrays of the program's own.
 *
 *     cc net.c -o net $(pkg-config --cflags --libs bramble)
 *     ./net diamonds.csv model.onnx
 */
#include <stdio.h>
#include <stdlib.h>

#include <bramble/bramble.h>

static bool show(const bramble_net_progress *progress, void *context)
{
    (void)context;
    if (progress->epoch_done)
        printf("epoch %u: loss %.4f, validation loss %.4f\n", progress->epoch, progress->loss,
               progress->validation_loss);
    return true; /* false would stop the training */
}

static bramble_status train(bramble_model **model, bramble_table *table, bramble_error *error)
{
    bramble_table *test;
    bramble_status status = bramble_table_holdout(table, 0.2, 1, &test, error);
    if (status) return status;
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT; /* a multi-layer perceptron, ten epochs */
    options.batch_size = 32;
    options.validation = 0.1; /* a tenth of the rows chooses the best epoch */
    options.seed = 1;
    options.progress = show;
    status = bramble_net_train(model, table, &options, NULL, error);
    bramble_evaluation figures;
    if (!status && !(status = bramble_model_evaluate(*model, test, 0, &figures, error))) {
        if (figures.n_classes)
            printf("accuracy %.4f on %zu rows\n", figures.accuracy, figures.n_rows);
        else
            printf("R2 %.4f on %zu rows\n", figures.r2, figures.n_rows);
        bramble_evaluation_fini(&figures);
    }
    bramble_table_free(test);
    return status;
}

/* y is 1 where the two numbers of a row have the same sign. */
static void make_rows(float *x, double *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (int j = 0; j < 2; j++) x[2 * i + j] = (float)rand() / (float)RAND_MAX * 2 - 1;
        y[i] = (x[2 * i] > 0) == (x[2 * i + 1] > 0);
    }
}

static bramble_status learn_signs(bramble_trainer *trainer, bramble_error *error)
{
    float x[64 * 2];
    double y[64];
    bramble_step step = {0};
    bramble_status status = BRAMBLE_OK;
    for (int i = 0; !status && i < 300; i++) {
        make_rows(x, y, 64);
        status = bramble_trainer_step(trainer, x, y, 64, 0.1, &step, error);
    }
    if (!status) printf("step %d: loss %.4f\n", (int)step.step, step.loss);
    return status;
}

static bramble_status train_by_steps(bramble_error *error)
{
    float x[64 * 2], row[2] = {0.5f, -0.5f};
    double y[64], prediction;
    bramble_table *like;
    bramble_trainer *trainer;
    bramble_model *model = NULL;
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
    options.batch_size = 64;
    make_rows(x, y, 64); /* the table says what rows look like */
    bramble_status status =
        bramble_table_from_arrays(&like, 64, 2, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION, error);
    if (status) return status;
    status = bramble_trainer_open(&trainer, like, &options, error);
    bramble_table_free(like);
    if (status) return status;
    status = learn_signs(trainer, error);
    if (!status) status = bramble_trainer_model(trainer, &model, error);
    if (!status) status = bramble_model_predict_rows(model, row, 1, 1, &prediction, error);
    if (!status) printf("0.5 and -0.5 have %s sign\n", prediction > 0.5 ? "the same" : "not the same");
    bramble_model_free(model);
    bramble_trainer_free(trainer);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: net DATA MODEL\n");
        return 2;
    }
    bramble_error error;
    bramble_table *table;
    bramble_model *model = NULL, *again = NULL;
    bramble_read_options reading = BRAMBLE_READ_OPTIONS_INIT; /* the last column is the target */
    bramble_status status = bramble_table_read(&table, argv[1], &reading, &error);
    if (!status) {
        status = train(&model, table, &error);
        bramble_table_free(table);
    }
    if (!status) status = bramble_model_save(model, argv[2], &error);
    if (!status) status = bramble_model_load(&again, argv[2], &error);
    if (!status) status = train_by_steps(&error);
    bramble_model_free(again);
    bramble_model_free(model);
    if (status) fprintf(stderr, "net: %s\n", error.message);
    return status ? 1 : 0;
}
