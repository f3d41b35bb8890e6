/* bramble_cluster_doctor. */
#include "api/cluster_handle.h"
#include "cluster/confine.h"
#include "cluster/doctor.h"
#include "cluster/mpi_check.h"

struct telling {
    const bramble_doctor_options *options;
};

static void tell(const struct doctor_check *check, void *context)
{
    const bramble_doctor_options *options = ((struct telling *)context)->options;
    options->tell(&(bramble_check){.node = check->node ? check->node->name : NULL,
                                   .name = check->name,
                                   .result = (bramble_check_result)check->result,
                                   .text = check->text},
                  options->context);
}

static bool go_on(void *context)
{
    const bramble_doctor_options *options = ((struct telling *)context)->options;
    return !options->go_on || options->go_on(options->context);
}

bramble_status bramble_cluster_doctor(bramble_cluster *cluster, const bramble_doctor_options *options,
                                      bramble_error *error)
{
    struct remote *remote;
    struct telling telling = {options};
    bramble_status status = remote_open(&remote, error);
    if (status) return status;
    status = doctor_run(remote, cluster->cluster, tell, go_on, &telling, error);
    remote_close(remote);
    return status;
}

bramble_status bramble_mpi_check(bramble_error *error)
{
    return mpi_check_run(error);
}

bramble_status bramble_confine(const char *network, const char *const *words, bramble_error *error)
{
    return confine_exec(network, words, error);
}
