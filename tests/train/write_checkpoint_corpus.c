/*
 * write_checkpoint_corpus FOLDER: the small files that fuzz_net_checkpoint starts from
 * (fuzz/corpus/net_checkpoint): of its training, before the first step and behind two epochs. Those of
 * another version of bramble are another training's until the fuzzer seals them.
 */
#include <bramble/bramble.h>
#include <stdio.h>

/* As fuzz_net_checkpoint has them. */
enum { ROWS = 10, TRAINED = 8, BATCH = 3, EPOCHS = 3 };

struct place {
    const char *name;
    uint32_t epochs; /* that are done */
};

static bool go_on(const bramble_net_progress *progress, void *context)
{
    const struct place *place = context;
    return place->epochs && !(progress->epoch_done && progress->epoch == place->epochs);
}

static bool write_place(const bramble_table *table, const char *folder, struct place *place)
{
    char path[512];
    bramble_model *model;
    bramble_net_options options = BRAMBLE_NET_OPTIONS_INIT;
    snprintf(path, sizeof path, "%s/%s", folder, place->name);
    remove(path);
    options.net = "linear";
    options.epochs = EPOCHS;
    options.batch_size = BATCH;
    options.validation = 1 - (double)TRAINED / ROWS;
    options.patience = 2;
    options.threads = 1;
    options.checkpoint = path;
    options.progress = go_on;
    options.progress_context = place;
    return bramble_net_train(&model, table, &options, NULL, NULL) == BRAMBLE_ERR_CANCELLED;
}

int main(int argc, char **argv)
{
    static struct place places[] = {{"begin", 0}, {"epoch1", 1}, {"epoch2", 2}};
    bramble_table *table;
    float x[ROWS * 2];
    double y[ROWS];
    if (argc != 2) return 2;
    for (int i = 0; i < 2 * ROWS; i++) x[i] = (float)(i * 7 % 5);
    for (int i = 0; i < ROWS; i++) y[i] = i % 2;
    if (bramble_table_from_arrays(&table, ROWS, 2, x, y, NULL, BRAMBLE_TASK_CLASSIFICATION, NULL)) return 1;
    bool done = true;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        done = write_place(table, argv[1], &places[i]) && done;
    bramble_table_free(table);
    return done ? 0 : 1;
}
