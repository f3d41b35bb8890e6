#include "train/net_job.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/job_text.h"
#include "train/net_data.h"
#include "train/net_settings.h"

static bramble_status check(const bramble_net_options *options, bramble_task task, bramble_error *error)
{
    struct loss_options loss;
    if (task != BRAMBLE_TASK_CLASSIFICATION && task != BRAMBLE_TASK_REGRESSION)
        return error_set(error, BRAMBLE_ERR_USAGE, "task: %d is neither classification nor regression", task);
    bramble_status status = net_options_check(options, error);
    return status ? status : net_loss_of(&loss, options, task, error);
}

static json_t *pack(const bramble_net_options *o, bramble_task task)
{
    char seed[JOB_SEED_TEXT];
    job_text_seed(seed, o->seed);
    double momentum = o->momentum >= 0 ? o->momentum : -1; /* NaN means the default too, as to net_momentum */
    return json_pack("{s:i, s:I, s:I, s:f, s:i, s:f, s:b, s:f, s:i, s:f, s:f, s:i, s:f, s:f, s:f, s:f, s:I,"
                     " s:f, s:I, s:s*, s:s, s:i, s:i, s:I, s:I}",
                     "task", (int)task, "epochs", (json_int_t)o->epochs, "batch_size",
                     (json_int_t)o->batch_size, "learning_rate", o->learning_rate, "optimiser",
                     (int)o->optimiser, "momentum", momentum, "nesterov", (int)o->nesterov, "weight_decay",
                     o->weight_decay, "loss", (int)o->loss, "label_smoothing", o->label_smoothing,
                     "huber_delta", o->huber_delta, "schedule", (int)o->schedule, "warmup_epochs",
                     o->warmup_epochs, "step_epochs", o->step_epochs, "step_factor", o->step_factor,
                     "clip_norm", o->clip_norm, "max_samples", (json_int_t)o->max_samples, "validation",
                     o->validation, "patience", (json_int_t)o->patience, "augment", o->augment, "seed", seed,
                     "parallel", (int)o->parallel, "compress", (int)o->compress, "local_steps",
                     (json_int_t)o->local_steps, "staleness", (json_int_t)o->staleness);
}

bramble_status net_job_write(char **text, const bramble_net_options *options, bramble_task task,
                             bramble_error *error)
{
    bramble_status status = check(options, task, error);
    if (status) return status;
    return job_text_dump(text, pack(options, task), error);
}

/* The whole numbers of a job, which a hostile one may have of any size. */
struct numbers {
    json_int_t task, epochs, batch_size, optimiser, loss, schedule, max_samples, patience, parallel, compress,
        local_steps, staleness;
};

static bool take_numbers(struct net_job *job, const struct numbers *n)
{
    bramble_net_options *o = &job->options;
    if (!job_text_fits(n->task) || !job_text_fits(n->epochs) || !job_text_fits(n->batch_size) ||
        !job_text_fits(n->optimiser) || !job_text_fits(n->loss) || !job_text_fits(n->schedule) ||
        !job_text_fits(n->max_samples) || !job_text_fits(n->patience) || !job_text_fits(n->parallel) ||
        !job_text_fits(n->compress) || !job_text_fits(n->local_steps) || !job_text_fits(n->staleness))
        return false;
    job->task = (bramble_task)n->task;
    o->epochs = (uint32_t)n->epochs;
    o->batch_size = (uint32_t)n->batch_size;
    o->optimiser = (bramble_optimiser)n->optimiser;
    o->loss = (bramble_loss)n->loss;
    o->schedule = (bramble_schedule)n->schedule;
    o->max_samples = (uint32_t)n->max_samples;
    o->patience = (uint32_t)n->patience;
    o->parallel = (bramble_parallel)n->parallel;
    o->compress = (bramble_compress)n->compress;
    o->local_steps = (uint32_t)n->local_steps;
    o->staleness = (uint32_t)n->staleness;
    return true;
}

/* The fields of a parsed job; its text is copied. */
static bramble_status read_fields(struct net_job *job, json_t *root, bramble_error *error)
{
    bramble_net_options *o = &job->options;
    struct numbers n;
    int nesterov;
    const char *augment = NULL, *seed;
    json_error_t why;
    if (json_unpack_ex(root, &why, JSON_STRICT,
                       "{s:I, s:I, s:I, s:F, s:I, s:F, s:b, s:F, s:I, s:F, s:F, s:I, s:F, s:F, s:F, s:F, s:I,"
                       " s:F, s:I, s?s, s:s, s:I, s:I, s:I, s:I}",
                       "task", &n.task, "epochs", &n.epochs, "batch_size", &n.batch_size, "learning_rate",
                       &o->learning_rate, "optimiser", &n.optimiser, "momentum", &o->momentum, "nesterov",
                       &nesterov, "weight_decay", &o->weight_decay, "loss", &n.loss, "label_smoothing",
                       &o->label_smoothing, "huber_delta", &o->huber_delta, "schedule", &n.schedule,
                       "warmup_epochs", &o->warmup_epochs, "step_epochs", &o->step_epochs, "step_factor",
                       &o->step_factor, "clip_norm", &o->clip_norm, "max_samples", &n.max_samples,
                       "validation", &o->validation, "patience", &n.patience, "augment", &augment, "seed",
                       &seed, "parallel", &n.parallel, "compress", &n.compress, "local_steps", &n.local_steps,
                       "staleness", &n.staleness))
        return job_text_bad(why.text, error);
    if (!take_numbers(job, &n) || !job_text_read_seed(seed, &o->seed))
        return job_text_bad("a number is out of range", error);
    o->nesterov = nesterov;
    bramble_error wrong;
    if (check(o, job->task, &wrong)) return job_text_bad(wrong.message, error);
    job->augment = augment ? mem_strdup(augment) : NULL;
    return job->augment || !augment ? BRAMBLE_OK : error_memory(error, "the text of a job");
}

bramble_status net_job_read(struct net_job *job, const char *text, bramble_error *error)
{
    struct net_job read = {.options = BRAMBLE_NET_OPTIONS_INIT};
    read.options.net = "mlp"; /* the checks want a name; a job must not name a file that would be opened */
    json_error_t why;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!root) return job_text_bad(why.text, error);
    bramble_status status = read_fields(&read, root, error);
    json_decref(root);
    if (status) return status;
    read.options.augment = read.augment;
    *job = read;
    return BRAMBLE_OK;
}

void net_job_fini(struct net_job *job)
{
    mem_free(job->augment);
    *job = (struct net_job){0};
}
