/* An ONNX file's bytes as protobuf-c's structures, in memory bounded by the file's size. */
#ifndef MODEL_ONNX_FILE_H
#define MODEL_ONNX_FILE_H

#include <bramble/error.h>

#include "model/bounded.h"
#include "model/onnx.pb-c.h"

struct onnx_file {
    Onnx__ModelProto *model;
    struct bounded bounded;
};

/* `wanted` says in messages what to name instead: "name a model that bramble wrote". The caller's storage,
 * not to be moved; released by onnx_file_fini. */
bramble_status onnx_file_load(struct onnx_file *file, const char *path, const char *wanted,
                              bramble_error *error);
bramble_status onnx_file_decode(struct onnx_file *file, const void *bytes, size_t size, const char *name,
                                const char *wanted, bramble_error *error);
void onnx_file_fini(struct onnx_file *file);

/* The value under a key of the metadata, or NULL. */
const char *onnx_file_entry(const Onnx__ModelProto *model, const char *key);

#endif
