#include <math.h>
#include <string.h>

#include "api/cluster_handle.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "cluster/cache_emptying.h"
#include "cluster/cluster_read.h"
#include "cluster/node_words.h"
#include "cluster/slurm.h"
#include "train/node_speed.h"

void bramble_cluster_free(bramble_cluster *cluster)
{
    if (!cluster) return;
    for (size_t i = 0; cluster->states && i < cluster->cluster->n_nodes; i++)
        node_state_fini(&cluster->states[i]);
    mem_free(cluster->states);
    cluster_free(cluster->cluster);
    mem_free(cluster);
}

/* Takes `cluster` over, also when it fails. */
static bramble_status wrap(bramble_cluster **out, struct cluster *cluster, bramble_error *error)
{
    bramble_cluster *handle = mem_zalloc(1, sizeof *handle);
    struct node_state *states = mem_zalloc(cluster->n_nodes, sizeof *states);
    if (handle && states) {
        *handle = (bramble_cluster){cluster, states};
        *out = handle;
        return BRAMBLE_OK;
    }
    mem_free(handle);
    mem_free(states);
    cluster_free(cluster);
    return error_memory(error, "the list of nodes");
}

bramble_status bramble_cluster_read(bramble_cluster **out, const char *path, bramble_error *error)
{
    struct cluster *cluster;
    bramble_status status = cluster_read(&cluster, path, error);
    return status ? status : wrap(out, cluster, error);
}

bool bramble_cluster_has_leader(const char *path)
{
    return strcmp(path, "slurm") == 0 && slurm_copy_is_spare();
}

/* "user@host" as a node named after its host; one that is this machine is local. */
static bramble_status append_host(struct cluster *cluster, const char *word, bramble_error *error)
{
    char *user, *host;
    bool short_of_memory;
    if (!node_address_split(word, &user, &host, &short_of_memory)) {
        if (short_of_memory) return error_memory(error, "the list of nodes");
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "\"%.80s\" is no host; write a name or an address, or USER@HOST", word);
    }
    struct node node = {.name = host, .host = host, .user = user, .local = host_is_own(host)};
    bramble_status status = cluster_append_from(cluster, &node, "the hosts given", error);
    mem_free(user);
    mem_free(host);
    return status;
}

bramble_status bramble_cluster_of_hosts(bramble_cluster **out, const char *const *hosts, size_t n_hosts,
                                        bool local, bramble_error *error)
{
    struct cluster *cluster = mem_zalloc(1, sizeof *cluster);
    if (!cluster) return error_memory(error, "the list of nodes");
    bramble_status status = BRAMBLE_OK;
    for (size_t i = 0; i < n_hosts && !status; i++) status = append_host(cluster, hosts[i], error);
    bool listed = cluster->n_nodes && cluster->nodes[0].local;
    if (!status && local && !listed) status = cluster_append_own(cluster, error);
    if (!status && cluster->n_nodes == 0)
        status = error_set(error, BRAMBLE_ERR_USAGE, "no machine is named; name at least one host");
    if (!status) return wrap(out, cluster, error);
    cluster_free(cluster);
    return status;
}

bramble_status bramble_cluster_select(bramble_cluster **out, const bramble_cluster *cluster,
                                      const size_t *nodes, size_t n, bramble_error *error)
{
    const struct cluster *from = cluster->cluster;
    struct cluster *some = mem_zalloc(1, sizeof *some);
    if (!some) return error_memory(error, "the list of nodes");
    bramble_status status = BRAMBLE_OK;
    some->path = from->path ? mem_strdup(from->path) : NULL;
    some->network = from->network ? mem_strdup(from->network) : NULL;
    some->port_low = from->port_low;
    some->port_high = from->port_high;
    if ((from->path && !some->path) || (from->network && !some->network))
        status = error_memory(error, "the list of nodes");
    for (size_t i = 0; i < n && !status; i++) {
        if (nodes[i] < from->n_nodes)
            status = cluster_append(some, &from->nodes[nodes[i]], error);
        else
            status = error_set(error, BRAMBLE_ERR_USAGE, "there is no node number %zu", nodes[i]);
    }
    if (!status && n == 0) status = error_set(error, BRAMBLE_ERR_USAGE, "no node is chosen");
    if (!status) return wrap(out, some, error);
    cluster_free(some);
    return status;
}

bramble_status bramble_cluster_empty_caches(const bramble_cluster *cluster, bramble_error *error)
{
    struct remote *remote = NULL;
    bramble_status status = remote_open(&remote, error);
    if (!status) status = caches_empty(remote, cluster->cluster->nodes, cluster->cluster->n_nodes, error);
    remote_close(remote);
    return status;
}

bramble_status bramble_cluster_write(const bramble_cluster *cluster, const char *path, bramble_error *error)
{
    return cluster_write(cluster->cluster, path, error);
}

size_t bramble_cluster_n_nodes(const bramble_cluster *cluster)
{
    return cluster->cluster->n_nodes;
}

void bramble_cluster_node(const bramble_cluster *cluster, size_t i, bramble_node *out)
{
    const struct node *node = &cluster->cluster->nodes[i];
    const struct node_state *state = &cluster->states[i];
    const struct node_report *report = &state->report;
    *out = (bramble_node){.name = node->name, .host = node->host, .user = node->user, .local = node->local};
    out->usable = state->usable;
    out->problem = state->problem;
    out->answered = report->program != NULL;
    out->arch = report->arch;
    out->system = report->system;
    out->model = report->model;
    out->version = report->version;
    out->mpi = report->mpi;
    out->kernels = report->kernels;
    out->program = report->program ? report->program : "";
    out->cores = report->cores;
    out->memory_bytes = report->memory_bytes;
    out->memory_free_bytes = report->memory_free_bytes;
    out->disk_free_bytes = report->disk_free_bytes;
    out->clock_offset_seconds = report->clock_offset_seconds;
    out->under_voltage = report->under_voltage;
    out->throttled = report->throttled;
    out->temperature = out->answered ? report->temperature : NAN;
    out->tree_rate = out->answered ? report->tree_rate : NAN;
    out->gemm_gflops = out->answered ? report->gemm_gflops : NAN;
    out->bandwidth_mbs = out->answered ? report->bandwidth_mbs : NAN;
    out->latency_ms = out->answered ? report->latency_ms : NAN;
}

bramble_status bramble_cluster_probe(bramble_cluster *cluster, const bramble_probe_options *options,
                                     bramble_error *error)
{
    bramble_probe_options defaults = BRAMBLE_PROBE_OPTIONS_INIT;
    if (!options) options = &defaults;
    size_t n = cluster->cluster->n_nodes;
    struct node_state *states = mem_zalloc(n, sizeof *states);
    if (!states) return error_memory(error, "the nodes' reports");
    struct remote *remote = NULL;
    bramble_status status = remote_open(&remote, error);
    if (!status)
        status = probe_nodes(remote, cluster->cluster->nodes, n, options->measure, options->deadline_seconds,
                             states, options->go_on, options->context, error);
    remote_close(remote);
    struct node_state *old = status ? states : cluster->states;
    if (!status) cluster->states = states;
    for (size_t i = 0; i < n; i++) node_state_fini(&old[i]);
    mem_free(old);
    return status;
}

bramble_status bramble_node_report(char **json, bool measure, bramble_error *error)
{
    struct node_report report;
    struct node_speed speed = {NAN, NAN};
    bramble_status status = BRAMBLE_OK;
    if (measure) status = node_speed_measure(&speed, threads_available(), error);
    if (!status) status = node_report_self(&report, error);
    if (status) return status;
    report.tree_rate = speed.tree_rate;
    report.gemm_gflops = speed.gemm_gflops;
    char *text = node_report_to_json(&report);
    node_report_fini(&report);
    if (!text) return error_memory(error, "a node's report");
    *json = text;
    return BRAMBLE_OK;
}
