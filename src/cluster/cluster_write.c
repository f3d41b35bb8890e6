/* cluster.ini, written: as a person would, and read back it is the same cluster. */
#include "base/error.h"
#include "base/outfile.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "cluster/node_words.h"

static void put_cluster(struct str *text, const struct cluster *cluster)
{
    bool local = cluster->n_nodes && cluster->nodes[0].local;
    if (local && !cluster->network && !cluster->port_low) return;
    str_puts(text, "\n[cluster]\n");
    if (cluster->network) str_printf(text, "network = %s\n", cluster->network);
    if (cluster->port_low) str_printf(text, "ports = %u-%u\n", cluster->port_low, cluster->port_high);
    if (!local) str_puts(text, "local = no\n");
}

static void put_node(struct str *text, const struct node *node)
{
    str_printf(text, "\n[%s]\nhost = %s\n", node->name, node->host);
    if (node->user) str_printf(text, "user = %s\n", node->user);
    if (node->cores) str_printf(text, "cores = %u\n", node->cores);
    if (node->memory_bytes) {
        str_puts(text, "memory = ");
        node_memory_print(text, node->memory_bytes);
        str_puts(text, "\n");
    }
    if (node->program) str_printf(text, "program = %s\n", node->program);
    if (node->local != host_is_own(node->host)) str_printf(text, "local = %s\n", node->local ? "yes" : "no");
}

bramble_status cluster_write(const struct cluster *cluster, const char *path, bramble_error *error)
{
    struct str text = {0};
    str_puts(&text,
             "# The machines that train together. 'bramble nodes --cluster FILE' looks at them.\n"
             "# A node may also say user = NAME, cores = 4, memory = 2 GB, program = /usr/bin/bramble.\n");
    put_cluster(&text, cluster);
    for (size_t i = 0; i < cluster->n_nodes; i++) put_node(&text, &cluster->nodes[i]);
    struct outfile *file;
    bramble_status status = BRAMBLE_OK;
    if (text.failed) status = error_memory(error, "the cluster file");
    if (!status) status = outfile_open(&file, path, error);
    if (!status) {
        outfile_write(file, text.data, text.length);
        status = outfile_commit(file, error);
    }
    str_fini(&text);
    return status;
}
