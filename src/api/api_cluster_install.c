/* bramble_cluster_install. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/cluster_handle.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/paths.h"
#include "cluster/install.h"

/* What is offered to nodes: the programs named, then the one that runs, then a build for the other processor.
 */
struct offers {
    const char **paths;
    size_t n;
    char own[PATH_MAX], beside[PATH_MAX + 32];
};

static void find_own(struct offers *offers)
{
    char *program = program_path();
    snprintf(offers->own, sizeof offers->own, "%s", program ? program : "");
    mem_free(program);
    const char *slash = strrchr(offers->own, '/');
    if (!slash || strcmp(slash + 1, "bramble") != 0) {
        offers->own[0] = 0; /* another program with our library in it */
        return;
    }
    offers->paths[offers->n++] = offers->own;
    snprintf(offers->beside, sizeof offers->beside, "%.*s/arm64/bramble", (int)(slash - offers->own),
             offers->own);
    if (program_arch(offers->beside))
        offers->paths[offers->n++] = offers->beside;
    else if (program_arch("build/arm64/bramble"))
        offers->paths[offers->n++] = "build/arm64/bramble";
}

bramble_status bramble_cluster_install(bramble_cluster *cluster, const char *const *programs,
                                       size_t n_programs, const bramble_install_options *options,
                                       bramble_error *error)
{
    size_t n = cluster->cluster->n_nodes;
    struct offers offers = {.paths = mem_alloc(n_programs + 2, sizeof *offers.paths)};
    struct install_result *results = mem_zalloc(n, sizeof *results);
    struct remote *remote = NULL;
    bramble_status status = offers.paths && results ? BRAMBLE_OK : error_memory(error, "installing");
    for (size_t i = 0; i < n_programs && !status; i++) offers.paths[offers.n++] = programs[i];
    if (!status) find_own(&offers);
    if (!status) status = remote_open(&remote, error);
    if (!status)
        status = install_on_nodes(remote, cluster->cluster->nodes, n, offers.paths, offers.n, results,
                                  options->go_on, options->context, error);
    for (size_t i = 0; i < n && !status; i++)
        options->tell(&(bramble_installed){.node = cluster->cluster->nodes[i].name,
                                           .outcome = (bramble_install_outcome)results[i].outcome,
                                           .arch = results[i].arch,
                                           .text = results[i].text},
                      options->context);
    remote_close(remote);
    mem_free(offers.paths);
    mem_free(results);
    return status;
}
