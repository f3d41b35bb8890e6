/*
 * write_snapshot_corpus FOLDER: the small files that fuzz_net_snapshot starts from
 * (fuzz/corpus/net_snapshot): of a training that begins, with its model's bytes, and of one that is further.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "train/net_snapshot.h"

static bool write_one(const char *folder, const char *name, const char *model, uint32_t epochs)
{
    float numbers[6] = {1, -2, 3, -4, 5, -6};
    struct net_history history = {0};
    struct net_checkpoint kept = {.fingerprint = {1, 2},
                                  .position = {.steps = 3 * epochs, .epoch = epochs, .best_epoch = epochs},
                                  .weights = numbers,
                                  .optimiser = numbers,
                                  .best = numbers,
                                  .n_weights = 2,
                                  .n_optimiser = 6};
    void *bytes;
    size_t length;
    char path[512];
    for (uint32_t i = 0; i < epochs; i++)
        if (net_history_add(&history, &(struct net_epoch){.loss = 1, .accuracy = NAN, .best = i == 0}, NULL))
            return false;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (net_snapshot_encode(&bytes, &length, &(struct exchanged){model, strlen(model)}, &history, &kept,
                            NULL))
        return false;
    FILE *file = fopen(path, "wb");
    bool good = file && fwrite(bytes, 1, length, file) == length;
    good = file && fclose(file) == 0 && good;
    net_history_fini(&history);
    mem_free(bytes);
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    bool good = write_one(argv[1], "begin", "a model's file", 0);
    good = write_one(argv[1], "epochs", "", 2) && good;
    return write_one(argv[1], "both", "model", 1) && good ? 0 : 1;
}
