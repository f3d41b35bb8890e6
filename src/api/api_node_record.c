/* Recorded clusters: bramble_cluster_record and its kin. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "api/cluster_handle.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "cluster/node_record.h"

enum { RECORD_BYTES_MAX = 16 << 20 };

bramble_status bramble_cluster_record(const bramble_cluster *cluster, char **json, bramble_error *error)
{
    char *text = node_record_to_json(cluster->cluster, cluster->states);
    if (!text) return error_memory(error, "the record");
    *json = text;
    return BRAMBLE_OK;
}

bramble_status bramble_cluster_record_write(const bramble_cluster *cluster, const char *path,
                                            bramble_error *error)
{
    char *json;
    struct outfile *file;
    bramble_status status = bramble_cluster_record(cluster, &json, error);
    if (status) return status;
    status = outfile_open(&file, path, error);
    if (!status) {
        outfile_write(file, json, strlen(json));
        outfile_write(file, "\n", 1);
        status = outfile_commit(file, error);
    }
    mem_free(json);
    return status;
}

static bramble_status load(char **out, size_t *length, const char *path, bramble_error *error)
{
    FILE *file = fopen(path, "re");
    if (!file) return error_set(error, BRAMBLE_ERR_IO, "%s: cannot open: %s", path, strerror(errno));
    char *text = mem_alloc(RECORD_BYTES_MAX + 1, 1);
    size_t n = text ? fread(text, 1, RECORD_BYTES_MAX + 1, file) : 0;
    int reason = ferror(file) ? errno : 0;
    fclose(file);
    if (text && !reason && n <= RECORD_BYTES_MAX) {
        *out = text;
        *length = n;
        return BRAMBLE_OK;
    }
    mem_free(text);
    if (!text) return error_memory(error, "the record");
    if (reason) return error_set(error, BRAMBLE_ERR_IO, "%s: cannot read: %s", path, strerror(reason));
    return error_set(error, BRAMBLE_ERR_DATA, "%s: too large for a record of a cluster", path);
}

bramble_status bramble_cluster_record_read(bramble_cluster **out, const char *path, bramble_error *error)
{
    char *text = NULL;
    size_t length = 0;
    bramble_status status = load(&text, &length, path, error);
    if (status) return status;
    bramble_cluster *handle = mem_zalloc(1, sizeof *handle);
    if (handle)
        status = node_record_from_json(&handle->cluster, &handle->states, path, text, length, error);
    else
        status = error_memory(error, "the record");
    mem_free(text);
    if (status)
        mem_free(handle);
    else
        *out = handle;
    return status;
}
