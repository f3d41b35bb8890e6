/* What bramble/net.h offers. */
#include <bramble/net.h>

#include "api/engine_handle.h"
#include "base/error.h"
#include "base/mem.h"
#include "net/layer_list.h"
#include "net/presets.h"
#include "train/cluster_net.h"
#include "train/net_fit.h"
#include "train/net_model.h"
#include "train/net_steps.h"

struct bramble_trainer {
    struct net_steps steps;
};

static bool tell(void *context, const bramble_net_progress *progress, const struct engine_status *nodes)
{
    const bramble_net_options *options = context;
    bramble_net_progress now = *progress;
    if (!options->progress) return true;
    bramble_member *members = nodes ? engine_members(nodes) : NULL;
    now.members = members;
    now.n_members = members ? nodes->n_members : 0;
    bool go_on = options->progress(&now, options->progress_context);
    mem_free(members);
    return go_on;
}

static bramble_status train_on_engine(bramble_model **out, const bramble_table *train,
                                      bramble_net_options *options, bramble_net_stats *stats,
                                      bramble_error *error)
{
    const struct cluster_net_watch watch = {tell, options};
    return cluster_net_fit(out, options->engine->engine, options->engine->folder, train, options, &watch,
                           stats, error);
}

bramble_status bramble_net_train(bramble_model **out, const bramble_table *train,
                                 const bramble_net_options *options, bramble_net_stats *stats,
                                 bramble_error *error)
{
    bramble_net_options defaults = BRAMBLE_NET_OPTIONS_INIT;
    bramble_net_stats cost;
    if (options) defaults = *options;
    if (!stats) stats = &cost;
    return defaults.engine ? train_on_engine(out, train, &defaults, stats, error)
                           : net_fit(out, train, &defaults, stats, error);
}

const char *bramble_net_preset(uint32_t i)
{
    return preset_name(i);
}

const char *bramble_net_preset_summary(uint32_t i)
{
    return preset_summary(i);
}

bool bramble_net_layer_kind(uint32_t i, bramble_net_layer *out)
{
    return layer_list_help(i, &out->name, &out->arguments, &out->what);
}

bramble_status bramble_trainer_open(bramble_trainer **out, const bramble_table *table,
                                    const bramble_net_options *options, bramble_error *error)
{
    bramble_net_options defaults = BRAMBLE_NET_OPTIONS_INIT;
    struct bramble_trainer *trainer = mem_zalloc(1, sizeof *trainer);
    if (!trainer) return error_memory(error, "a trainer");
    bramble_status status = net_steps_init(&trainer->steps, table, options ? options : &defaults, error);
    if (status)
        bramble_trainer_free(trainer);
    else
        *out = trainer;
    return status;
}

bramble_status bramble_trainer_step(bramble_trainer *trainer, const float *x, const double *y, size_t n_rows,
                                    double learning_rate, bramble_step *out, bramble_error *error)
{
    return bramble_trainer_step_weighted(trainer, x, y, NULL, n_rows, learning_rate, out, error);
}

bramble_status bramble_trainer_step_weighted(bramble_trainer *trainer, const float *x, const double *y,
                                             const double *weight, size_t n_rows, double learning_rate,
                                             bramble_step *out, bramble_error *error)
{
    bramble_step step;
    return net_steps_take(&trainer->steps, x, y, weight, n_rows, learning_rate, out ? out : &step, error);
}

bramble_status bramble_trainer_model(const bramble_trainer *trainer, bramble_model **out,
                                     bramble_error *error)
{
    return net_model_copy(out, trainer->steps.model, error);
}

void bramble_trainer_free(bramble_trainer *trainer)
{
    if (!trainer) return;
    net_steps_fini(&trainer->steps);
    mem_free(trainer);
}
