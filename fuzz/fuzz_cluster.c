/* cluster.ini: whatever the bytes, reading ends in an error or in a cluster whose words are all fine. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/cluster_read.h"
#include "cluster/node_words.h"

static void require(bool condition)
{
    if (!condition) abort();
}

static void check(const struct cluster *cluster)
{
    require(cluster->n_nodes > 0);
    require(!cluster->network || cluster_network_valid(cluster->network));
    require(cluster->port_low <= cluster->port_high);
    for (size_t i = 0; i < cluster->n_nodes; i++) {
        const struct node *node = &cluster->nodes[i];
        require(node_name_valid(node->name) && node_host_valid(node->host));
        require(!node->user || node_user_valid(node->user));
        require(!node->program || node_program_valid(node->program));
        require(i == 0 || !node->local);
        for (size_t j = 0; j < i; j++) require(strcasecmp(node->name, cluster->nodes[j].name) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cluster *cluster = NULL;
    bramble_error error = {0};
    bramble_status status = cluster_read_text(&cluster, "fuzz.ini", (const char *)data, size, &error);
    require(status == error.status && (status == BRAMBLE_OK) == (cluster != NULL));
    if (cluster) check(cluster);
    cluster_free(cluster);
    return 0;
}
