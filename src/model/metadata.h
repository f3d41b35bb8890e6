/*
 * What a model file says in its metadata, as JSON (package jansson): the schema, and numbers that ONNX has no
 * place for. A text that is not UTF-8, which JSON cannot hold, becomes {"hex": "..."}.
 */
#ifndef MODEL_METADATA_H
#define MODEL_METADATA_H

#include "data/schema.h"

/* Keys of metadata_props; every other key is a setting's. */
#define METADATA_SCHEMA "bramble.schema"
#define METADATA_IMPORTANCES "bramble.importances"
#define METADATA_OOB_SCORE "bramble.oob_score"
#define METADATA_ENCODER "bramble.encoder"
#define METADATA_NETWORK "bramble.network"

/* Terminated texts, to be released with mem_free. */
bramble_status schema_to_json(char **out, const struct bramble_schema *schema, bramble_error *error);
bramble_status numbers_to_json(char **out, const double *numbers, size_t n, bramble_error *error);

/* *out is a caller's empty schema, filled; `name` is the file's, for messages. Everything is checked. */
bramble_status schema_from_json(struct bramble_schema *out, const char *json, const char *name,
                                bramble_error *error);
/* An array of exactly n numbers. */
bramble_status numbers_from_json(double *out, size_t n, const char *json, const char *name,
                                 bramble_error *error);

#endif
