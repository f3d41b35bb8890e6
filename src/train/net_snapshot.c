#include "train/net_snapshot.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { PADDING = 8 };

struct header {
    uint64_t model_bytes, n_epochs;
};

bramble_status net_history_add(struct net_history *history, const struct net_epoch *epoch,
                               bramble_error *error)
{
    if (history->n == history->capacity) {
        size_t capacity = history->capacity ? 2 * history->capacity : 16;
        struct net_epoch *epochs = mem_resize(history->epochs, capacity, sizeof *epochs);
        if (!epochs) return error_memory(error, "what the epochs came to");
        history->epochs = epochs;
        history->capacity = capacity;
    }
    history->epochs[history->n++] = *epoch;
    return BRAMBLE_OK;
}

void net_history_fini(struct net_history *history)
{
    mem_free(history->epochs);
    *history = (struct net_history){0};
}

static size_t padded(size_t length)
{
    return (length + PADDING - 1) / PADDING * PADDING;
}

bramble_status net_snapshot_encode(void **out, size_t *length, const struct exchanged *model,
                                   const struct net_history *history, const struct net_checkpoint *kept,
                                   bramble_error *error)
{
    struct header header = {model->length, history->n};
    size_t epochs = history->n * sizeof *history->epochs,
           before = sizeof header + padded(model->length) + epochs;
    size_t total = before + net_checkpoint_size(kept);
    char *bytes = mem_alloc(total, 1);
    if (!bytes) return error_memory(error, "how far the training is");
    memset(bytes, 0, before);
    memcpy(bytes, &header, sizeof header);
    if (model->length) memcpy(bytes + sizeof header, model->bytes, model->length);
    if (epochs) memcpy(bytes + before - epochs, history->epochs, epochs);
    bramble_status status = net_checkpoint_encode(kept, bytes + before, error);
    if (status) {
        mem_free(bytes);
        return status;
    }
    *out = bytes;
    *length = total;
    return BRAMBLE_OK;
}

bramble_status net_snapshot_open(struct net_snapshot *out, const void *bytes, size_t length,
                                 bramble_error *error)
{
    struct header header = {0};
    const char *at = bytes;
    if (length >= sizeof header) memcpy(&header, bytes, sizeof header);
    size_t left = length >= sizeof header ? length - sizeof header : 0;
    if (length < sizeof header || header.model_bytes > left || padded(header.model_bytes) > left ||
        header.n_epochs > (left - padded(header.model_bytes)) / sizeof(struct net_epoch))
        return error_set(error, BRAMBLE_ERR_DATA, "what tells how far the training is is damaged");
    size_t epochs = header.n_epochs * sizeof(struct net_epoch), model = padded(header.model_bytes);
    at += sizeof header;
    *out = (struct net_snapshot){.model = {at, header.model_bytes},
                                 .epochs = {at + model, epochs},
                                 .checkpoint = {at + model + epochs, left - model - epochs}};
    return BRAMBLE_OK;
}

bramble_status net_snapshot_history(struct net_history *history, const struct net_snapshot *snapshot,
                                    bramble_error *error)
{
    size_t n = snapshot->epochs.length / sizeof(struct net_epoch);
    bramble_status status = BRAMBLE_OK;
    history->n = 0;
    for (size_t i = 0; !status && i < n; i++) {
        struct net_epoch epoch;
        memcpy(&epoch, (const char *)snapshot->epochs.bytes + i * sizeof epoch, sizeof epoch);
        status = net_history_add(history, &epoch, error);
    }
    return status;
}
