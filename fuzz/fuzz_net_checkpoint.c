/*
 * Checkpoints of networks: what is taken comes back the same from the file it is written to, and a training
 * goes on from it to its end or says why not.
 *
 * Half of the mutations are sealed again for the training there is: its fingerprint, its sizes, the right
 * checksum, and some with the numbers of a step that it comes by.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include <bramble/bramble.h>

#include "train/net_checkpoint.h"

/* The training, and where its checkpoint has what (docs/formats.md). */
enum { ROWS = 10, TRAINED = 8, BATCH = 3, EPOCH_STEPS = 3, EPOCHS = 3 };
enum { FLAGS = 12, POSITION = 32, SIZES = 112, HEADER = 128, SUM = 16, FILE_MAX = 4096 };
enum { STEPS, EPOCH, SAMPLES, CORRECT, BEST_EPOCH = 9 }; /* numbers of the position */

struct training {
    uint8_t bytes[FILE_MAX]; /* of the checkpoint that this training writes before its first step */
    size_t size;
    uint64_t fingerprint[2], n_weights, n_optimiser;
    char path[64];
    bramble_table *table;
};
static struct training made;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

static void must(bool true_statement)
{
    if (!true_statement) abort();
}

static void spill(const void *bytes, size_t size)
{
    FILE *file = fopen(made.path, "wb");
    must(file && fwrite(bytes, 1, size, file) == size);
    must(fclose(file) == 0);
}

static size_t slurp(uint8_t bytes[FILE_MAX])
{
    FILE *file = fopen(made.path, "rb");
    must(file);
    size_t size = fread(bytes, 1, FILE_MAX, file);
    must(fclose(file) == 0);
    return size;
}

static bool stop(const bramble_net_progress *progress, void *context)
{
    (void)progress;
    (void)context;
    return false;
}

static bramble_status train(bool stopped, bramble_net_stats *stats, bramble_error *error)
{
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
    options.net = "linear";
    options.epochs = EPOCHS;
    options.batch_size = BATCH;
    options.validation = 1 - (double)TRAINED / ROWS;
    options.patience = 2;
    options.threads = 1;
    options.checkpoint = made.path;
    options.checkpoint_seconds = 1e6;
    if (stopped) options.progress = stop;
    bramble_model *model;
    bramble_status status = bramble_net_train(&model, made.table, &options, stats, error);
    if (!status) bramble_model_free(model);
    return status;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    float x[ROWS * 2];
    double y[ROWS];
    for (int i = 0; i < 2 * ROWS; i++) x[i] = (float)(i * 7 % 5);
    for (int i = 0; i < ROWS; i++) y[i] = i % 2;
    must(!bramble_table_from_arrays(&made.table, ROWS, 2, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION, NULL));
    snprintf(made.path, sizeof made.path, "%s/bramble-fuzz-%d",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", getpid());
    must(train(true, NULL, NULL) == BRAMBLE_ERR_CANCELLED);
    made.size = slurp(made.bytes);
    must(made.size > HEADER + SUM && made.size < FILE_MAX / 2);
    memcpy(made.fingerprint, made.bytes + 16, sizeof made.fingerprint);
    memcpy(&made.n_weights, made.bytes + SIZES, sizeof made.n_weights);
    memcpy(&made.n_optimiser, made.bytes + SIZES + 8, sizeof made.n_optimiser);
    unlink(made.path);
    return 0;
}

static void must_be_error(bramble_status status, const bramble_error *error)
{
    must(status == BRAMBLE_ERR_DATA && *error->message && !strchr(error->message, '\n'));
}

/* Reads the file that holds these bytes; whether it is taken. */
static bool take(const uint8_t *data, size_t size)
{
    static float weights[FILE_MAX], optimiser[FILE_MAX], best[FILE_MAX];
    struct net_checkpoint checkpoint = {.fingerprint = {made.fingerprint[0], made.fingerprint[1]},
                                        .weights = weights,
                                        .optimiser = optimiser,
                                        .best = best,
                                        .n_weights = made.n_weights,
                                        .n_optimiser = made.n_optimiser};
    bramble_error error = {0};
    bool found = false;
    bramble_status status = net_checkpoint_read(made.path, &checkpoint, &found, &error);
    if (status) {
        must_be_error(status, &error);
        must(!found && !checkpoint.position.steps && !checkpoint.position.best_epoch);
        return false;
    }
    must(found);
    for (size_t i = 0; i < made.n_weights; i++) must(isfinite(weights[i]));
    for (size_t i = 0; i < made.n_optimiser; i++) must(isfinite(optimiser[i]));
    uint8_t again[FILE_MAX];
    must(!net_checkpoint_write(made.path, &checkpoint, &error));
    must(slurp(again) == size && memcmp(again, data, size) == 0);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    spill(data, size);
    bool taken = take(data, size);
    bramble_net_stats stats = {0};
    bramble_error error = {0};
    bramble_status status = train(false, &stats, &error);
    must(taken || status);
    if (status)
        must_be_error(status, &error);
    else
        must(stats.resumed && stats.epochs >= 1 && stats.epochs <= EPOCHS && stats.best_epoch <= EPOCHS &&
             stats.steps == (uint64_t)stats.epochs * EPOCH_STEPS);
    unlink(made.path);
    return 0;
}

static uint64_t *number(uint8_t *data, int place)
{
    return (uint64_t *)(data + POSITION) + place;
}

/* A place that the training comes by, as near to the given one as it gets. */
static void put_in_place(uint8_t *data)
{
    uint64_t epoch = *number(data, EPOCH) % (EPOCHS + 1), steps = *number(data, STEPS) % (EPOCH_STEPS + 1);
    *number(data, EPOCH) = epoch;
    *number(data, STEPS) = epoch * EPOCH_STEPS + steps;
    *number(data, SAMPLES) = steps * BATCH < TRAINED ? steps * BATCH : TRAINED;
    *number(data, CORRECT) %= *number(data, SAMPLES) + 1;
    *number(data, BEST_EPOCH) = epoch ? 1 + *number(data, BEST_EPOCH) % epoch : 0;
}

/* As this training would have written it; the arrays' numbers stay as they are. */
static size_t seal(uint8_t *data, size_t size, bool in_place)
{
    size_t longest = made.size + made.n_weights * sizeof(float);
    if (size < longest) memset(data + size, 0, longest - size);
    memcpy(data, made.bytes, FLAGS);
    memcpy(data + 16, made.fingerprint, sizeof made.fingerprint);
    memcpy(data + SIZES, made.bytes + SIZES, HEADER - SIZES);
    if (in_place) put_in_place(data);
    uint32_t has_best = *number(data, BEST_EPOCH) != 0;
    memcpy(data + FLAGS, &has_best, sizeof has_best);
    size_t length = has_best ? longest : made.size;
    XXH128_hash_t hash = XXH3_128bits(data, length - SUM);
    memcpy(data + length - SUM, &hash, SUM);
    return length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    size = LLVMFuzzerMutate(data, size, max_size);
    bool fits = max_size >= made.size + made.n_weights * sizeof(float);
    return seed & 1 && fits ? seal(data, size, seed & 6) : size;
}
