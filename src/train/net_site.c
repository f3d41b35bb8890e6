#include "train/net_site.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/net_strategy.h"

void net_site_close(void *context)
{
    struct net_site *node = context;
    net_job_fini(&node->job);
    rows_file_free(node->file);
    mem_free(node);
}

bramble_status net_site_open(void **context, const char *text, const char *data_path, uint32_t threads,
                             bramble_error *error)
{
    (void)threads;
    if (!data_path) return error_set(error, BRAMBLE_ERR_USAGE, "the job has no rows to train on");
    struct net_site *node = mem_zalloc(1, sizeof *node);
    if (!node) return error_memory(error, "training a network");
    bramble_status status = net_job_read(&node->job, text, error);
    if (!status) status = net_strategy_check(&node->job.options, error);
    if (!status) status = rows_file_open(&node->file, data_path, error);
    if (!status && node->file->encoder.task != node->job.task)
        status = error_set(error, BRAMBLE_ERR_DATA, "the job's rows have another kind of target");
    if (status)
        net_site_close(node);
    else
        *context = node;
    return status;
}
