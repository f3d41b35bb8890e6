#include "train/net_fit.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "train/net_loop.h"
#include "train/net_model.h"
#include "train/net_settings.h"
#include "train/net_steps.h"

struct fitting {
    struct net_loop loop;
    struct bramble_model *model;
    struct net_data data;
    bool resumed;
};

static bramble_status keep(void *context, const struct net_checkpoint *kept, bramble_error *error)
{
    const struct fitting *f = context;
    return net_checkpoint_write(f->loop.options->checkpoint, kept, error);
}

/* From the checkpoint, where there is one. */
static bramble_status go_on(struct fitting *f, bramble_error *error)
{
    const char *path = f->loop.options->checkpoint;
    if (!path) return BRAMBLE_OK;
    f->loop.keep = keep;
    f->loop.context = f;
    net_checkpoint_sweep(path);
    bramble_status status = net_checkpoint_read(path, &f->loop.kept, &f->resumed, error);
    return status ? status : net_loop_go_on(&f->loop, path, error);
}

static bramble_status prepare(struct fitting *f, const struct bramble_table *table,
                              const bramble_net_options *options, bramble_error *error)
{
    double start = clock_seconds();
    bramble_status status = net_options_check(options, error);
    if (!status && (options->parallel != BRAMBLE_PARALLEL_AUTO || options->compress))
        return error_set(error, BRAMBLE_ERR_USAGE, "parallel and compress are for training on a cluster");
    if (!status) status = net_data_open(&f->data, table, options, error);
    if (!status) status = net_model_build(&f->model, table, &f->data.encoder, options, error);
    if (status) return status;
    f->loop = (struct net_loop){.options = options, .model = f->model, .data = &f->data};
    const struct trainer_options training = net_trainer_options(options, &f->data.loss);
    status = net_loop_init(&f->loop, &training, error);
    f->loop.start = start;
    if (!status) status = net_fingerprint(f->model, f->loop.kept.fingerprint, error);
    return status ? status : go_on(f, error);
}

bramble_status net_fit(struct bramble_model **out, const struct bramble_table *table,
                       const bramble_net_options *options, bramble_net_stats *stats, bramble_error *error)
{
    struct fitting f = {0};
    bramble_status status = prepare(&f, table, options, error);
    if (!status) status = net_loop_run(&f.loop, error);
    if (!status) {
        *stats = net_loop_stats(&f.loop);
        stats->resumed = f.resumed;
        stats->file_bytes = rows_file_bytes(&f.data.rows);
        *out = f.model;
        f.model = NULL;
    }
    net_loop_fini(&f.loop);
    net_data_fini(&f.data);
    model_free(f.model);
    return status;
}
