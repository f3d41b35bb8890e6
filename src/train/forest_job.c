#include "train/forest_job.h"

#include "base/error.h"
#include "base/mem.h"
#include "train/job_text.h"

bramble_status forest_job_write(const bramble_forest_options *o, char **text, bramble_error *error)
{
    char seed[JOB_SEED_TEXT];
    job_text_seed(seed, o->seed);
    json_t *job = json_pack("{s:I, s:i, s:i, s:I, s:f, s:f, s:s*, s:I, s:f, s:i, s:f, s:s*, s:s}", /**/
                            "trees", (json_int_t)o->trees, "criterion", (int)o->criterion, "splitter",
                            (int)o->splitter, "max_depth", (json_int_t)o->max_depth, "min_samples_split",
                            o->min_samples_split, "min_samples_leaf", o->min_samples_leaf, "max_features",
                            o->max_features, "max_leaf_nodes", (json_int_t)o->max_leaf_nodes,
                            "min_impurity_decrease", o->min_impurity_decrease, "bootstrap", o->bootstrap,
                            "max_samples", o->max_samples, "class_weight", o->class_weight, "seed", seed);
    return job_text_dump(text, job, error);
}

static bramble_status copy_text(char **copy, const char *text, bramble_error *error)
{
    if (!text) return BRAMBLE_OK;
    *copy = mem_strdup(text);
    return *copy ? BRAMBLE_OK : error_memory(error, "the text of a job");
}

/* The fields of a parsed job; its texts are copied. */
static bramble_status read_fields(struct forest_job *job, json_t *root, bramble_error *error)
{
    bramble_forest_options *o = &job->options;
    json_int_t trees, max_depth, max_leaf_nodes;
    int criterion, splitter;
    const char *max_features = NULL, *class_weight = NULL, *seed;
    json_error_t why;
    if (json_unpack_ex(root, &why, JSON_STRICT,
                       "{s:I, s:i, s:i, s:I, s:F, s:F, s?s, s:I, s:F, s:i, s:F, s?s, s:s}", "trees", &trees,
                       "criterion", &criterion, "splitter", &splitter, "max_depth", &max_depth,
                       "min_samples_split", &o->min_samples_split, "min_samples_leaf", &o->min_samples_leaf,
                       "max_features", &max_features, "max_leaf_nodes", &max_leaf_nodes,
                       "min_impurity_decrease", &o->min_impurity_decrease, "bootstrap", &o->bootstrap,
                       "max_samples", &o->max_samples, "class_weight", &class_weight, "seed", &seed))
        return job_text_bad(why.text, error);
    if (!job_text_fits(trees) || !job_text_fits(max_depth) || !job_text_fits(max_leaf_nodes) ||
        !job_text_read_seed(seed, &o->seed))
        return job_text_bad("a number is out of range", error);
    o->trees = (uint32_t)trees;
    o->criterion = (bramble_criterion)criterion;
    o->splitter = (bramble_splitter)splitter;
    o->max_depth = (uint32_t)max_depth;
    o->max_leaf_nodes = (uint32_t)max_leaf_nodes;
    bramble_status status = copy_text(&job->max_features, max_features, error);
    return status ? status : copy_text(&job->class_weight, class_weight, error);
}

bramble_status forest_job_read(struct forest_job *job, const char *text, bramble_error *error)
{
    struct forest_job read = {.options = BRAMBLE_FOREST_OPTIONS_INIT};
    json_error_t why;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!root) return job_text_bad(why.text, error);
    bramble_status status = read_fields(&read, root, error);
    json_decref(root);
    if (status) {
        forest_job_fini(&read);
        return status;
    }
    read.options.max_features = read.max_features;
    read.options.class_weight = read.class_weight;
    *job = read;
    return BRAMBLE_OK;
}

void forest_job_fini(struct forest_job *job)
{
    mem_free(job->max_features);
    mem_free(job->class_weight);
    *job = (struct forest_job){0};
}
