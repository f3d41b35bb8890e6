/* The metadata of an ONNX file on its way to it: texts of our own under their keys, then the model's
 * settings. */
#ifndef MODEL_METADATA_ENTRIES_H
#define MODEL_METADATA_ENTRIES_H

#include "model/model.h"
#include "model/onnx.pb-c.h"

enum { METADATA_TEXTS_MAX = 3 };

struct metadata_entries {
    size_t n;
    Onnx__StringStringEntryProto *entry, **pointer;
    char *texts[METADATA_TEXTS_MAX]; /* one for each of `keys`, which whoever fills this makes; NULL: left out
                                      */
};

/* Room for them. Then texts are made, and metadata_entries_put enters them and the settings, which it
 * borrows from the model. metadata_entries_fini is for half-filled ones too. */
bramble_status metadata_entries_init(struct metadata_entries *entries, const struct bramble_model *model,
                                     bramble_error *error);
void metadata_entries_put(struct metadata_entries *entries, const struct bramble_model *model,
                          char *const keys[METADATA_TEXTS_MAX]);
void metadata_entries_fini(struct metadata_entries *entries);

/* Fills in who made the file, with the version that the settings name, and the entries; all borrowed. */
void metadata_entries_sign(const struct metadata_entries *entries, const struct bramble_model *model,
                           Onnx__ModelProto *file);

#endif
