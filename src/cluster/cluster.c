#include "cluster/cluster.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/node_words.h"

enum { NODES_MAX = 1024 };

void node_fini(struct node *node)
{
    mem_free(node->name);
    mem_free(node->host);
    mem_free(node->user);
    mem_free(node->program);
}

void cluster_free(struct cluster *cluster)
{
    if (!cluster) return;
    for (size_t i = 0; i < cluster->n_nodes; i++) node_fini(&cluster->nodes[i]);
    mem_free(cluster->nodes);
    mem_free(cluster->path);
    mem_free(cluster->network);
    mem_free(cluster);
}

/* NULL stays NULL. */
static bool copy_text(char **out, const char *text)
{
    *out = text ? mem_strdup(text) : NULL;
    return *out || !text;
}

bool node_copy(struct node *out, const struct node *node)
{
    *out = (struct node){
        .cores = node->cores, .memory_bytes = node->memory_bytes, .local = node->local, .slurm = node->slurm};
    bool name = copy_text(&out->name, node->name), host = copy_text(&out->host, node->host);
    bool user = copy_text(&out->user, node->user), program = copy_text(&out->program, node->program);
    if (name && host && user && program) return true;
    node_fini(out);
    return false;
}

static bramble_status check_words(const char *file, const struct node *node, bramble_error *error)
{
    if (!node->name || !node_name_valid(node->name))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: \"%.80s\" cannot name a node; use letters, digits, '-', '_' and '.'", file,
                         node->name ? node->name : "");
    if (!node->host || !node_host_valid(node->host))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: [%s]: \"%.80s\" is no host; write a name or an address", file, node->name,
                         node->host ? node->host : "");
    if (node->user && !node_user_valid(node->user))
        return error_set(error, BRAMBLE_ERR_DATA, "%s: [%s]: \"%.80s\" is no user's name", file, node->name,
                         node->user);
    if (node->program && !node_program_valid(node->program))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: [%s]: program \"%.80s\" is no path; write one that begins with / or ~/", file,
                         node->name, node->program);
    return BRAMBLE_OK;
}

static bramble_status check_duplicates(const struct cluster *cluster, const char *file,
                                       const struct node *node, bramble_error *error)
{
    for (size_t i = 0; i < cluster->n_nodes; i++) {
        const struct node *other = &cluster->nodes[i];
        if (strcasecmp(other->name, node->name) == 0)
            return error_set(error, BRAMBLE_ERR_DATA, "%s: there are two nodes named %s; rename one", file,
                             node->name);
        if (strcasecmp(other->host, node->host) == 0)
            return error_set(error, BRAMBLE_ERR_DATA,
                             "%s: [%s] and [%s] have the same host, %s; list each machine once", file,
                             other->name, node->name, node->host);
        if (other->local && node->local)
            return error_set(error, BRAMBLE_ERR_DATA, "%s: [%s] and [%s] are both this machine; list it once",
                             file, other->name, node->name);
    }
    if (cluster->n_nodes >= NODES_MAX)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED, "%s: more than %d nodes", file, NODES_MAX);
    return BRAMBLE_OK;
}

bramble_status cluster_append_from(struct cluster *cluster, const struct node *node, const char *where,
                                   bramble_error *error)
{
    bramble_status status = check_words(where, node, error);
    if (!status) status = check_duplicates(cluster, where, node, error);
    if (status) return status;
    struct node copy;
    if (!node_copy(&copy, node)) return error_memory(error, "the list of nodes");
    struct node *nodes = mem_resize(cluster->nodes, cluster->n_nodes + 1, sizeof *nodes);
    if (!nodes) {
        node_fini(&copy);
        return error_memory(error, "the list of nodes");
    }
    cluster->nodes = nodes;
    size_t at = copy.local ? 0 : cluster->n_nodes;
    memmove(nodes + at + 1, nodes + at, (cluster->n_nodes - at) * sizeof *nodes);
    nodes[at] = copy;
    cluster->n_nodes++;
    return BRAMBLE_OK;
}

bramble_status cluster_append(struct cluster *cluster, const struct node *node, bramble_error *error)
{
    return cluster_append_from(cluster, node, cluster->path ? cluster->path : "cluster", error);
}
