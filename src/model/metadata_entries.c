#include "model/metadata_entries.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { ONNX_IR = 8 };

bramble_status metadata_entries_init(struct metadata_entries *entries, const struct bramble_model *model,
                                     bramble_error *error)
{
    size_t n = (size_t)model->n_settings + METADATA_TEXTS_MAX;
    *entries = (struct metadata_entries){.entry = mem_alloc(n, sizeof *entries->entry),
                                         .pointer = mem_alloc(n, sizeof *entries->pointer)};
    if (entries->entry && entries->pointer) return BRAMBLE_OK;
    metadata_entries_fini(entries);
    return error_memory(error, "a model's metadata");
}

static void add(struct metadata_entries *entries, char *key, char *value)
{
    Onnx__StringStringEntryProto *entry = &entries->entry[entries->n];
    onnx__string_string_entry_proto__init(entry);
    entry->key = key;
    entry->value = value;
    entries->pointer[entries->n++] = entry;
}

void metadata_entries_put(struct metadata_entries *entries, const struct bramble_model *model,
                          char *const keys[METADATA_TEXTS_MAX])
{
    for (int i = 0; i < METADATA_TEXTS_MAX; i++)
        if (entries->texts[i]) add(entries, keys[i], entries->texts[i]);
    for (uint32_t i = 0; i < model->n_settings; i++)
        add(entries, model->settings[i].key, model->settings[i].value);
}

void metadata_entries_fini(struct metadata_entries *entries)
{
    for (int i = 0; i < METADATA_TEXTS_MAX; i++) mem_free(entries->texts[i]);
    mem_free(entries->entry);
    mem_free(entries->pointer);
    *entries = (struct metadata_entries){0};
}

void metadata_entries_sign(const struct metadata_entries *entries, const struct bramble_model *model,
                           Onnx__ModelProto *file)
{
    file->has_ir_version = 1;
    file->ir_version = ONNX_IR;
    file->producer_name = "bramble";
    file->producer_version = BRAMBLE_VERSION;
    for (uint32_t i = 0; i < model->n_settings; i++)
        if (strcmp(model->settings[i].key, "bramble.version") == 0)
            file->producer_version = model->settings[i].value;
    file->n_metadata_props = entries->n;
    file->metadata_props = entries->pointer;
}
