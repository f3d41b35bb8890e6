#include "emulated.h"

#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { NODES_MOST = 1000, CORES_MOST = 100000, MEGABYTES_MOST = 1000000000 };

void emulated_fini(struct emulated *emulated)
{
    for (size_t i = 0; i < emulated->n; i++) mem_free((char *)emulated->machines[i].node);
    mem_free(emulated->machines);
    *emulated = (struct emulated){0};
}

/* One of "nodes"; *speed is how fast it says the machine is. */
static bool read_machine(const json_t *node, bramble_scaling_machine *out, double *speed)
{
    const char *name = json_string_value(json_object_get(node, "name"));
    json_int_t cores = json_integer_value(json_object_get(node, "cores"));
    json_int_t megabytes = json_integer_value(json_object_get(node, "memory_mb"));
    *speed = json_number_value(json_object_get(node, "speed"));
    if (!name || cores < 1 || cores > CORES_MOST || megabytes < 1 || megabytes > MEGABYTES_MOST) return false;
    *out = (bramble_scaling_machine){mem_strdup(name), (uint32_t)cores, (uint64_t)megabytes * 1000000};
    return out->node != NULL;
}

static bool read_machines(struct emulated *out, const json_t *nodes)
{
    double fastest = 0, speed;
    size_t n = json_array_size(nodes);
    if (n < 1 || n > NODES_MOST) return false;
    out->machines = mem_zalloc(n, sizeof *out->machines);
    for (size_t i = 0; out->machines && i < n; i++) {
        if (!read_machine(json_array_get(nodes, i), &out->machines[i], &speed)) return false;
        out->n++;
        if (!(speed > fastest)) continue;
        fastest = speed;
        out->fastest = i;
    }
    return out->machines != NULL;
}

bramble_status emulated_read(struct emulated *out, const char *path, bramble_error *error)
{
    json_error_t wrong;
    struct emulated read = {0};
    json_t *lab = json_load_file(path, 0, &wrong);
    if (!lab)
        return error_set(error, BRAMBLE_ERR_IO,
                         "%s: line %d: %s; --emulated takes the lab.json that lab/up writes", path,
                         wrong.line, wrong.text);
    bool fine = read_machines(&read, json_object_get(lab, "nodes"));
    json_decref(lab);
    if (fine) {
        *out = read;
        return BRAMBLE_OK;
    }
    emulated_fini(&read);
    return error_set(
        error, BRAMBLE_ERR_DATA,
        "%s: no list of nodes with their cores and memory_mb; --emulated takes the lab.json that "
        "lab/up writes",
        path);
}

bramble_status emulated_cluster(bramble_cluster **out, const struct emulated *emulated, bramble_error *error)
{
    const char **hosts = mem_alloc(emulated->n, sizeof *hosts);
    if (!hosts) return error_memory(error, "the list of nodes");
    for (size_t i = 0; i < emulated->n; i++) hosts[i] = emulated->machines[i].node;
    bramble_status status = bramble_cluster_of_hosts(out, hosts, emulated->n, false, error);
    mem_free(hosts);
    return status;
}
