#include "cluster/node_record.h"

#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/node_report_json.h"

static const char format_name[] = "bramble-nodes-1";

static void set(json_t *object, const char *key, json_t *value, bool *failed)
{
    if (json_object_set_new(object, key, value) != 0) *failed = true;
}

static void set_text(json_t *object, const char *key, const char *text, bool *failed)
{
    set(object, key, text ? json_from_any_text(text) : json_null(), failed);
}

static json_t *pack_node(const struct node *node, const struct node_state *state, bool *failed)
{
    json_t *object = json_object();
    set_text(object, "name", node->name, failed);
    set_text(object, "host", node->host, failed);
    set_text(object, "user", node->user, failed);
    set_text(object, "program", node->program, failed);
    set(object, "cores", json_integer(node->cores), failed);
    set(object, "memory_bytes", json_integer((json_int_t)node->memory_bytes), failed);
    set(object, "local", json_boolean(node->local), failed);
    set(object, "usable", json_boolean(state->usable), failed);
    set_text(object, "problem", state->problem, failed);
    set(object, "report", state->report.program ? node_report_pack(&state->report) : json_null(), failed);
    return object;
}

char *node_record_to_json(const struct cluster *cluster, const struct node_state *states)
{
    bool failed = false;
    json_t *object = json_object(), *nodes = json_array();
    for (size_t i = 0; i < cluster->n_nodes; i++)
        if (json_array_append_new(nodes, pack_node(&cluster->nodes[i], &states[i], &failed)) != 0)
            failed = true;
    set_text(object, "format", format_name, &failed);
    set(object, "recorded", json_integer((json_int_t)time(NULL)), &failed);
    set(object, "nodes", nodes, &failed);
    if (!failed) return json_to_line(object);
    json_decref(object);
    return NULL;
}

/* The text under a key, NULL for null; *fine is false for anything else. */
static char *text_of(const json_t *object, const char *key, bool *fine)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value) && !json_is_null(value)) *fine = false;
    return (char *)json_string_value(value);
}

static bool unpack_node(struct node *node, struct node_state *state, const json_t *object)
{
    bool fine = json_is_object(object);
    json_int_t cores = json_integer_value(json_object_get(object, "cores"));
    json_int_t memory = json_integer_value(json_object_get(object, "memory_bytes"));
    const json_t *report = json_object_get(object, "report");
    *node = (struct node){.name = text_of(object, "name", &fine),
                          .host = text_of(object, "host", &fine),
                          .user = text_of(object, "user", &fine),
                          .program = text_of(object, "program", &fine)};
    fine = fine && cores >= 0 && cores <= UINT16_MAX + 1 && memory >= 0;
    node->cores = (uint32_t)cores;
    node->memory_bytes = (uint64_t)memory;
    node->local = json_is_true(json_object_get(object, "local"));
    state->usable = json_is_true(json_object_get(object, "usable"));
    const char *problem = text_of(object, "problem", &fine);
    if (!fine || !problem || strlen(problem) >= sizeof state->problem) return false;
    strcpy(state->problem, problem);
    return json_is_null(report) ? !state->usable : node_report_unpack(&state->report, report);
}

static bramble_status unpack_all(struct cluster *cluster, struct node_state *states, const char *path,
                                 const json_t *nodes, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    for (size_t i = 0; i < json_array_size(nodes) && !status; i++) {
        struct node node;
        if (!unpack_node(&node, &states[i], json_array_get(nodes, i)))
            return error_set(error, BRAMBLE_ERR_DATA,
                             "%s: node %zu is damaged; make the record anew: bramble nodes --record", path,
                             i + 1);
        if (node.local && i > 0)
            return error_set(error, BRAMBLE_ERR_DATA, "%s: node %zu: the local node comes first", path,
                             i + 1);
        status = cluster_append(cluster, &node, error);
    }
    return status;
}

static bramble_status unpack(struct cluster **cluster, struct node_state **states, const char *path,
                             const json_t *root, bramble_error *error)
{
    const char *format = json_string_value(json_object_get(root, "format"));
    const json_t *nodes = json_object_get(root, "nodes");
    size_t n = json_array_size(nodes);
    if (!format || strcmp(format, format_name) != 0 || n == 0)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: not a record of a cluster; 'bramble nodes --record FILE' makes one", path);
    struct cluster *found = mem_zalloc(1, sizeof *found);
    struct node_state *their = mem_zalloc(n, sizeof *their);
    bramble_status status = BRAMBLE_OK;
    if (!found || !their || !(found->path = mem_strdup(path))) status = error_memory(error, "the record");
    if (!status) status = unpack_all(found, their, path, nodes, error);
    if (!status) {
        *cluster = found;
        *states = their;
        return BRAMBLE_OK;
    }
    for (size_t i = 0; their && i < n; i++) node_state_fini(&their[i]);
    mem_free(their);
    cluster_free(found);
    return status;
}

bramble_status node_record_from_json(struct cluster **cluster, struct node_state **states, const char *path,
                                     const char *text, size_t length, bramble_error *error)
{
    json_error_t where;
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
    if (!root && json_error_code(&where) == json_error_out_of_memory)
        return error_memory(error, "the record");
    bramble_status status = unpack(cluster, states, path, root, error);
    json_decref(root);
    return status;
}
