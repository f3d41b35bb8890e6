#include "train/net_settings.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/number.h"
#include "data/table.h"
#include "net/operator.h"

enum { SETTINGS_MAX = 36, LOCAL_STEPS = 64, STEP_ROWS_MOST = 1 << 20 };

static const char *const optimiser_names[] = {"sgd", "adam", "adamw", "rmsprop"};
static const char *const loss_names[] = {"auto", "cross_entropy", "mean_squared_error",
                                         "binary_cross_entropy", "huber"};
static const char *const schedule_names[] = {"constant", "step", "cosine", "one_cycle"};
static const char *const compress_names[] = {"none", "int8"};
static const char *const parallel_names[] = {"auto", "ring", "central", "local", "pipeline"};

enum {
    N_OPTIMISERS = sizeof optimiser_names / sizeof *optimiser_names,
    N_LOSSES = sizeof loss_names / sizeof *loss_names,
    N_SCHEDULES = sizeof schedule_names / sizeof *schedule_names,
    N_COMPRESS = sizeof compress_names / sizeof *compress_names,
    N_PARALLEL = sizeof parallel_names / sizeof *parallel_names
};

uint32_t net_step_rows(const bramble_net_options *o)
{
    if (o->parallel != BRAMBLE_PARALLEL_LOCAL) return o->batch_size;
    uint64_t rows = (uint64_t)o->batch_size * (o->local_steps ? o->local_steps : LOCAL_STEPS);
    return rows < STEP_ROWS_MOST ? (uint32_t)rows : STEP_ROWS_MOST;
}

double net_learning_rate(const bramble_net_options *o)
{
    if (o->learning_rate > 0) return o->learning_rate;
    if (o->optimiser == BRAMBLE_OPTIMISER_SGD) return 0.05;
    return o->optimiser == BRAMBLE_OPTIMISER_RMSPROP ? 0.01 : 0.001;
}

double net_momentum(const bramble_net_options *o)
{
    if (o->momentum >= 0) return o->momentum;
    return o->optimiser == BRAMBLE_OPTIMISER_SGD ? 0.9 : 0;
}

/* So many epochs' steps, at least `least`. */
static uint64_t steps_in(double epochs, uint64_t epoch_steps, double least)
{
    return (uint64_t)fmin(fmax(least, round(epochs * (double)epoch_steps)), 0x1p62);
}

struct schedule net_schedule(const bramble_net_options *o, uint64_t epoch_steps)
{
    static const enum schedule_kind kinds[] = {[BRAMBLE_SCHEDULE_CONSTANT] = SCHEDULE_CONSTANT,
                                               [BRAMBLE_SCHEDULE_STEP] = SCHEDULE_STEP,
                                               [BRAMBLE_SCHEDULE_COSINE] = SCHEDULE_COSINE,
                                               [BRAMBLE_SCHEDULE_ONE_CYCLE] = SCHEDULE_ONE_CYCLE};
    struct schedule schedule = SCHEDULE_INIT;
    schedule.kind = kinds[o->schedule];
    schedule.learning_rate = net_learning_rate(o);
    schedule.steps = o->epochs * epoch_steps;
    schedule.period = steps_in(o->step_epochs, epoch_steps, 1);
    schedule.gamma = o->step_factor;
    double warmup = fmin(o->warmup_epochs, o->epochs);
    if (schedule.kind != SCHEDULE_ONE_CYCLE)
        schedule.warmup = steps_in(warmup, epoch_steps, 0);
    else if (warmup > 0 && warmup < o->epochs)
        schedule.rise = warmup / o->epochs;
    return schedule;
}

/* A field that must be a number in low..high, both included. */
struct range {
    const char *name;
    double value, low, high;
};

static bramble_status check_ranges(const bramble_net_options *o, bramble_error *error)
{
    const struct range ranges[] = {
        {"epochs", o->epochs, 1, UINT32_MAX},
        {"batch_size", o->batch_size, 1, 1 << 20},
        {"learning_rate", o->learning_rate, 0, 1e9},
        {"momentum", net_momentum(o), 0, 1},
        {"weight_decay", o->weight_decay, 0, 1e9},
        {"label_smoothing", o->label_smoothing, 0, 1},
        {"huber_delta", o->huber_delta, 1e-30, 1e30},
        {"warmup_epochs", o->warmup_epochs, 0, 1e9},
        {"step_epochs", o->step_epochs, 1e-6, 1e9},
        {"step_factor", o->step_factor, 1e-30, 1},
        {"clip_norm", o->clip_norm, 0, 1e30},
        {"validation", o->validation, 0, 1},
        {"optimiser", (double)o->optimiser, 0, N_OPTIMISERS - 1},
        {"loss", (double)o->loss, 0, N_LOSSES - 1},
        {"schedule", (double)o->schedule, 0, N_SCHEDULES - 1},
        {"parallel", (double)o->parallel, 0, N_PARALLEL - 1},
        {"compress", (double)o->compress, 0, N_COMPRESS - 1},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (!(ranges[i].value >= ranges[i].low && ranges[i].value <= ranges[i].high))
            return error_set(error, BRAMBLE_ERR_USAGE, "%s: %g is out of range; it can be %g to %g",
                             ranges[i].name, ranges[i].value, ranges[i].low, ranges[i].high);
    return BRAMBLE_OK;
}

static bramble_status check_parallel(const bramble_net_options *o, bramble_error *error)
{
    if (o->local_steps && o->parallel != BRAMBLE_PARALLEL_LOCAL)
        return error_set(error, BRAMBLE_ERR_USAGE, "local_steps are for training with parallel local");
    if (o->staleness && o->parallel != BRAMBLE_PARALLEL_CENTRAL)
        return error_set(error, BRAMBLE_ERR_USAGE, "staleness is for training with parallel central");
    return BRAMBLE_OK;
}

bramble_status net_options_check(const bramble_net_options *o, bramble_error *error)
{
    bramble_status status = check_ranges(o, error);
    if (status) return status;
    if (!o->net || !*o->net) return error_set(error, BRAMBLE_ERR_USAGE, "net: name a preset or a file");
    if (net_momentum(o) >= 1 || o->label_smoothing >= 1 || o->validation >= 1)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "momentum, label_smoothing and validation are shares, and less than 1");
    if (o->nesterov && (o->optimiser != BRAMBLE_OPTIMISER_SGD || net_momentum(o) == 0))
        return error_set(error, BRAMBLE_ERR_USAGE, "nesterov is for sgd with momentum");
    if (o->patience && o->validation == 0)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "patience needs validation rows to judge epochs by; set validation, to 0.1 say");
    return check_parallel(o, error);
}

bool net_is_exact(const bramble_net_options *o)
{
    return !o->compress && o->staleness == 0 &&
           (o->parallel == BRAMBLE_PARALLEL_AUTO || o->parallel == BRAMBLE_PARALLEL_RING ||
            o->parallel == BRAMBLE_PARALLEL_CENTRAL || o->parallel == BRAMBLE_PARALLEL_PIPELINE);
}

static void set(struct bramble_model *model, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A failed allocation leaves a NULL. */
static void set(struct bramble_model *model, const char *key, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    struct str value = {0};
    str_vprintf(&value, format, args);
    va_end(args);
    struct setting *setting = &model->settings[model->n_settings++];
    setting->key = mem_strdup(key);
    setting->value = str_take(&value);
}

static void set_number(struct bramble_model *model, const char *key, double value)
{
    char text[32];
    number_print(value, text);
    set(model, key, "%s", text);
}

static void set_training(struct bramble_model *m, const bramble_net_options *o)
{
    set(m, "epochs", "%" PRIu32, o->epochs);
    set(m, "batch_size", "%" PRIu32, o->batch_size);
    set_number(m, "learning_rate", net_learning_rate(o));
    set(m, "schedule", "%s", schedule_names[o->schedule]);
    set_number(m, "warmup_epochs", o->warmup_epochs);
    if (o->schedule == BRAMBLE_SCHEDULE_STEP) {
        set_number(m, "step_epochs", o->step_epochs);
        set_number(m, "step_factor", o->step_factor);
    }
    set(m, "optimiser", "%s", optimiser_names[o->optimiser]);
    set_number(m, "momentum", net_momentum(o));
    set(m, "nesterov", "%s", o->nesterov ? "true" : "false");
    set_number(m, "weight_decay", o->weight_decay);
    set_number(m, "clip_norm", o->clip_norm);
}

/* A file's folder is nobody's business. */
static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Nodes that train exactly as one machine does leave nothing to be told of them. */
static void set_parallel(struct bramble_model *m, const bramble_net_options *o)
{
    if (net_is_exact(o)) return;
    set(m, "parallel", "%s", parallel_names[o->parallel]);
    set(m, "compress", "%s", compress_names[o->compress]);
    set(m, "local_steps", "%" PRIu32, o->local_steps);
    set(m, "staleness", "%" PRIu32, o->staleness);
}

static void set_all(struct bramble_model *m, const struct bramble_table *table, const bramble_net_options *o)
{
    set(m, "bramble.version", "%s", BRAMBLE_VERSION);
    set(m, "seed", "%" PRIu64, o->seed);
    set(m, "net", "%s", file_name(o->net));
    set(m, "from_scratch", "%s", o->from_scratch ? "true" : "false");
    set_training(m, o);
    bramble_loss loss = o->loss;
    if (loss == BRAMBLE_LOSS_AUTO)
        loss = table->schema.task == BRAMBLE_TASK_CLASSIFICATION ? BRAMBLE_LOSS_CROSS_ENTROPY
                                                                 : BRAMBLE_LOSS_MEAN_SQUARED_ERROR;
    set(m, "loss", "%s", loss_names[loss]);
    set_number(m, "label_smoothing", o->label_smoothing);
    if (loss == BRAMBLE_LOSS_HUBER) set_number(m, "huber_delta", o->huber_delta);
    set(m, "max_samples", "%" PRIu32, o->max_samples);
    set_number(m, "validation", o->validation);
    set(m, "patience", "%" PRIu32, o->patience);
    set(m, "augment", "%s", o->augment ? o->augment : "");
    set_parallel(m, o);
    set(m, "data.rows", "%zu", table->n_rows);
    set(m, "data.checksum", "%016" PRIx64, table_checksum(table));
}

bramble_status net_settings_record(struct bramble_model *model, const struct bramble_table *table,
                                   const bramble_net_options *options, bramble_error *error)
{
    model->settings = mem_zalloc(SETTINGS_MAX, sizeof *model->settings);
    if (!model->settings) return error_memory(error, "the model's settings");
    set_all(model, table, options);
    for (uint32_t i = 0; i < model->n_settings; i++)
        if (!model->settings[i].key || !model->settings[i].value)
            return error_memory(error, "the model's settings");
    return BRAMBLE_OK;
}

static void add_text(XXH3_state_t *sum, const char *text)
{
    XXH3_128bits_update(sum, text, strlen(text) + 1);
}

static void add_node(XXH3_state_t *sum, const struct net_graph *net, const struct net_node *node)
{
    add_text(sum, node->op->name);
    XXH3_128bits_update(sum, node->inputs, node->n_inputs * sizeof *node->inputs);
    XXH3_128bits_update(sum, &node->attributes.rate, sizeof node->attributes.rate);
    for (uint32_t i = 0; i < node->n_outputs; i++) {
        const struct net_shape *shape = &net->values[node->outputs[i]].shape;
        XXH3_128bits_update(sum, shape->dim, shape->rank * sizeof *shape->dim);
    }
}

bramble_status net_fingerprint(const struct bramble_model *model, uint64_t fingerprint[2],
                               bramble_error *error)
{
    char hash[33];
    XXH3_state_t *sum = XXH3_createState();
    if (!sum) return error_memory(error, "a checkpoint");
    XXH3_128bits_reset(sum);
    graph_hash(model->net, hash);
    add_text(sum, hash);
    for (uint32_t i = 0; i < model->n_settings; i++) {
        add_text(sum, model->settings[i].key);
        add_text(sum, model->settings[i].value);
    }
    for (uint32_t n = 0; n < model->net->n_nodes; n++) add_node(sum, model->net, &model->net->nodes[n]);
    XXH128_hash_t digest = XXH3_128bits_digest(sum);
    XXH3_freeState(sum);
    fingerprint[0] = digest.low64;
    fingerprint[1] = digest.high64;
    return BRAMBLE_OK;
}
