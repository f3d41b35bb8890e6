/*
 * How far a training is, as it stands in a run's journal: the parts lie in what was given, one behind the
 * other, and the history is the epochs' bytes. What is taken encodes to the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "train/net_snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool true_statement)
{
    if (!true_statement) abort();
}

/* Its numbers go where the header says; those who really go on with one know how many there are. */
static void take(const struct net_snapshot *snapshot, const struct net_history *history, const uint8_t *data)
{
    enum { MOST = 256 };
    static float weights[MOST], optimiser[MOST], best[MOST];
    const uint8_t *bytes = snapshot->checkpoint.bytes;
    struct net_checkpoint kept = {.weights = weights, .optimiser = optimiser, .best = best};
    bramble_error error = {0};
    struct net_position position;
    uint64_t sizes[2];
    if (!net_checkpoint_peek(bytes, snapshot->checkpoint.length, &position, kept.fingerprint)) return;
    memcpy(sizes, bytes + 112, sizeof sizes);
    if (sizes[0] > MOST || sizes[1] > MOST) return;
    kept.n_weights = sizes[0];
    kept.n_optimiser = sizes[1];
    bramble_status status =
        net_checkpoint_decode(bytes, snapshot->checkpoint.length, &kept, "the snapshot", &error);
    must(!status == !*error.message);
    if (status) return;
    must(memcmp(&kept.position, &position, sizeof position) == 0);
    void *again;
    size_t length, padding = (8 - snapshot->model.length % 8) % 8;
    must(!net_snapshot_encode(&again, &length, &snapshot->model, history, &kept, NULL));
    must(length == (size_t)(bytes + snapshot->checkpoint.length - data));
    const char *model_end = (const char *)snapshot->model.bytes + snapshot->model.length;
    if (padding == 0 || memcmp(model_end, "\0\0\0\0\0\0\0", padding) == 0)
        must(memcmp(again, data, length) == 0);
    mem_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct net_snapshot snapshot;
    struct net_history history = {0};
    bramble_error error = {0};
    bramble_status status = net_snapshot_open(&snapshot, data, size, &error);
    must(!status == !*error.message);
    if (status) return 0;
    const uint8_t *model = snapshot.model.bytes, *epochs = snapshot.epochs.bytes,
                  *checkpoint = snapshot.checkpoint.bytes;
    must(model >= data && epochs >= model && (size_t)(epochs - model) >= snapshot.model.length);
    must(epochs + snapshot.epochs.length == checkpoint &&
         checkpoint + snapshot.checkpoint.length == data + size);
    must(!net_snapshot_history(&history, &snapshot, NULL));
    must(history.n * sizeof *history.epochs == snapshot.epochs.length);
    if (history.n) must(memcmp(history.epochs, epochs, snapshot.epochs.length) == 0);
    take(&snapshot, &history, data);
    net_history_fini(&history);
    return 0;
}
