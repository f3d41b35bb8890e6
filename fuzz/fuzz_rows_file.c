/* Files of training rows: whatever is taken has targets, weights and an encoder that training can rely on. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/rows_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool true_statement)
{
    if (!true_statement) abort();
}

/* Rows are encoded into just as much memory as they may take. */
static void encode(const struct rows_file *file)
{
    struct row_encoder *coder;
    float *x = malloc(file->encoder.n_inputs * sizeof *x);
    must(x && row_encoder_new(&coder, &file->encoder, &file->rows, NULL) == BRAMBLE_OK);
    for (size_t r = 0; r < file->rows.n_rows; r++) row_encoder_encode(coder, r, x);
    row_encoder_free(coder);
    free(x);
}

static void use(const struct rows_file *file)
{
    const struct rows *rows = &file->rows;
    const struct encoder *encoder = &file->encoder;
    const uint32_t *classes = rows->targets;
    const float *values = rows->targets;
    bool classify = encoder->task == BRAMBLE_TASK_CLASSIFICATION;
    must(file->n_validation < rows->n_rows && encoder->n_features == rows->n_features);
    must(encoder->n_inputs > 0 && encoder->n_outputs > 0);
    must(!encoder->shape[0] ||
         encoder->shape[0] * encoder->shape[1] * encoder->shape[2] == encoder->n_inputs);
    for (size_t r = 0; r < rows->n_rows; r++) {
        must(classify ? classes[r] < encoder->n_outputs : isfinite(values[r]));
        must(!rows->weights || (rows->weights[r] >= 0 && isfinite(rows->weights[r])));
    }
    encode(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    bramble_error error;
    struct rows_file *file;
    snprintf(path, sizeof path, "%s/bramble-fuzz-%d", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm",
             getpid());
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    close(fd);
    if (rows_file_open(&file, path, &error)) {
        must(*error.message && !strchr(error.message, '\n'));
    } else {
        use(file);
        rows_file_free(file);
    }
    unlink(path);
    return 0;
}
