#include "forest/grow_rules.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/number.h"
#include "forest/class_weight.h"

static bramble_status bad_option(bramble_error *error, const char *name, const char *must)
{
    return error_set(error, BRAMBLE_ERR_USAGE, "%s must be %s", name, must);
}

static bramble_status resolve_criterion(struct grow_rules *rules, bool classify, bramble_criterion criterion,
                                        bramble_error *error)
{
    if ((unsigned)criterion > BRAMBLE_CRITERION_SQUARED_ERROR)
        return bad_option(error, "criterion", "gini, entropy or squared_error");
    if (criterion == BRAMBLE_CRITERION_AUTO)
        criterion = classify ? BRAMBLE_CRITERION_GINI : BRAMBLE_CRITERION_SQUARED_ERROR;
    if (classify == (criterion == BRAMBLE_CRITERION_SQUARED_ERROR))
        return bad_option(error, "criterion",
                          classify ? "gini or entropy for classes; the target has classes"
                                   : "squared_error for numbers; the target is a number");
    rules->split.criterion = criterion;
    return BRAMBLE_OK;
}

static bool is_count_or_share(double option)
{
    return option > 0 && isfinite(option) && (option < 1 || option == floor(option));
}

/* Rows meant by a count (>= 1) or a share (below 1) of N. */
static uint64_t row_count(double option, size_t n_rows)
{
    double rows = option < 1 ? ceil(option * (double)n_rows) : option;
    return rows >= 0x1p53 ? UINT64_C(1) << 53 : (uint64_t)rows;
}

static bool parse_count_or_share(const char *text, uint32_t n, uint32_t *out)
{
    double value;
    size_t length = strlen(text);
    if (!number_parse(text, length, &value) || !(value > 0)) return false;
    bool is_count = strspn(text, "0123456789") == length;
    if (value > (is_count ? n : 1)) return false;
    *out = (uint32_t)(is_count ? value : value * n);
    return true;
}

static bramble_status resolve_max_features(struct grow_rules *rules, const char *option, uint32_t n_features,
                                           bramble_error *error)
{
    if (!option) option = rules->n_classes ? "sqrt" : "all";
    uint32_t m = 0;
    if (strcmp(option, "sqrt") == 0)
        m = (uint32_t)sqrt((double)n_features);
    else if (strcmp(option, "log2") == 0)
        while (n_features >> (m + 1)) m++;
    else if (strcmp(option, "all") == 0)
        m = n_features;
    else if (!parse_count_or_share(option, n_features, &m))
        return error_set(
            error, BRAMBLE_ERR_USAGE,
            "max_features must be sqrt, log2, all, a count up to the %u features, or a share up to 1.0; "
            "not '%s'",
            n_features, option);
    rules->max_features = m ? m : 1;
    return BRAMBLE_OK;
}

static bramble_status resolve_bootstrap(struct grow_rules *rules, const bramble_forest_options *o,
                                        size_t n_rows, bramble_error *error)
{
    rules->bootstrap = o->bootstrap < 0 ? o->splitter == BRAMBLE_SPLITTER_BEST : o->bootstrap > 0;
    rules->n_draws = n_rows;
    if (o->max_samples != 0 && !is_count_or_share(o->max_samples))
        return bad_option(error, "max_samples", "a whole number of rows, or a share up to 1");
    if (!rules->bootstrap) {
        if (o->oob_score)
            return bad_option(error, "bootstrap", "on for oob_score: without it no row is out of bag");
        if (o->max_samples > 0)
            return bad_option(error, "bootstrap", "on for max_samples: it says how many rows are drawn");
        return BRAMBLE_OK;
    }
    if (o->max_samples > 1 && o->max_samples > (double)n_rows)
        return bad_option(error, "max_samples", "at most the number of rows");
    if (o->max_samples > 0)
        rules->n_draws = o->max_samples <= 1 ? (uint64_t)fmax(1, nearbyint(o->max_samples * (double)n_rows))
                                             : (uint64_t)o->max_samples;
    return BRAMBLE_OK;
}

static bramble_status resolve_limits(struct grow_rules *rules, const bramble_forest_options *o, size_t n_rows,
                                     bramble_error *error)
{
    if ((unsigned)o->splitter > BRAMBLE_SPLITTER_RANDOM)
        return bad_option(error, "splitter", "best or random");
    if (o->trees < 1 || o->trees > 1u << 24) return bad_option(error, "trees", "1 to 16777216");
    if (!is_count_or_share(o->min_samples_split) || (o->min_samples_split >= 1 && o->min_samples_split < 2))
        return bad_option(error, "min_samples_split", "a count of at least 2, or a share below 1");
    if (!is_count_or_share(o->min_samples_leaf))
        return bad_option(error, "min_samples_leaf", "a count of at least 1, or a share below 1");
    if (o->max_leaf_nodes == 1) return bad_option(error, "max_leaf_nodes", "0 for no limit, or at least 2");
    if (!(o->min_impurity_decrease >= 0) || !isfinite(o->min_impurity_decrease))
        return bad_option(error, "min_impurity_decrease", "0 or more");
    rules->n_trees = o->trees;
    rules->max_depth = o->max_depth ? o->max_depth : UINT32_MAX;
    rules->min_samples_split = row_count(o->min_samples_split, n_rows);
    if (rules->min_samples_split < 2) rules->min_samples_split = 2;
    rules->split.min_samples_leaf = row_count(o->min_samples_leaf, n_rows);
    if (rules->split.min_samples_leaf < 1) rules->split.min_samples_leaf = 1;
    rules->max_leaf_nodes = o->max_leaf_nodes ? o->max_leaf_nodes : UINT32_MAX;
    rules->min_impurity_decrease = o->min_impurity_decrease;
    rules->split.random = o->splitter == BRAMBLE_SPLITTER_RANDOM;
    rules->split.seed = o->seed;
    return BRAMBLE_OK;
}

double fixed_point_scale(double most, int bits)
{
    int exponent;
    if (!(most > 0)) return 1;
    frexp(most, &exponent);
    int shift = bits - exponent;
    return ldexp(1, shift > 1000 ? 1000 : shift < -1000 ? -1000 : shift);
}

static bool all_whole(const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] != floor(x[i])) return false;
    return true;
}

/* What the weights of one tree's rows can add up to: a bootstrap may draw a heavy row several times over. */
static double weight_bound(const double *weights, size_t n)
{
    double sum = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        sum += weights[i];
        most = fmax(most, weights[i]);
    }
    return 4 * fmax(sum, 12 * most);
}

/*
 * Weights as integers whose sum over a tree stays below 2^32. Regression keeps 2^12 levels for a mean weight,
 * and the other bits for its targets.
 */
static bramble_status fix_weights(struct grow_rules *rules, const double *weights, size_t n,
                                  bramble_error *error)
{
    double bound = weight_bound(weights, n);
    if (!(bound < FLT_MAX))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "weights add up to more than a model can hold; scale them down");
    int bits = 32;
    while (!rules->n_classes && bits > 20 && ldexp(1, bits - 1) > (double)n * 0x1p14) bits--;
    bool whole = bound < 0x1p32 && all_whole(weights, n);
    rules->weight_scale = whole ? 1 : fixed_point_scale(bound, bits);
    rules->weights = mem_alloc(n, sizeof *rules->weights);
    if (!rules->weights) return error_memory(error, "sample weights");
    for (size_t i = 0; i < n; i++) {
        uint32_t fixed = (uint32_t)(weights[i] * rules->weight_scale + 0.5);
        rules->weights[i] = weights[i] > 0 && !fixed ? 1 : fixed;
    }
    rules->weight_bound = bound * rules->weight_scale + (double)n;
    return BRAMBLE_OK;
}

/* Targets around the middle of their range, so that sums of weighted ones stay below 2^62. */
static bramble_status fix_targets(struct grow_rules *rules, const struct bramble_table *table,
                                  bramble_error *error)
{
    size_t n = table->n_rows;
    double least = table->values[0], most = least;
    for (size_t i = 1; i < n; i++) {
        least = fmin(least, table->values[i]);
        most = fmax(most, table->values[i]);
    }
    if (!(fmax(fabs(least), fabs(most)) * rules->n_trees < FLT_MAX / 4))
        return error_set(
            error, BRAMBLE_ERR_DATA,
            "target '%s' has values beyond what %u trees can add up in single precision; scale it down",
            table->schema.target_name ? table->schema.target_name : "y", rules->n_trees);
    rules->target_offset = least + (most - least) / 2;
    rules->target_reach = (most - least) / 2;
    rules->target_scale = fixed_point_scale(rules->target_reach * rules->weight_bound, 61);
    rules->targets = mem_alloc(n, sizeof *rules->targets);
    if (!rules->targets) return error_memory(error, "targets");
    for (size_t i = 0; i < n; i++)
        rules->targets[i] =
            (int64_t)nearbyint((table->values[i] - rules->target_offset) * rules->target_scale);
    return BRAMBLE_OK;
}

/* The rows' weights: the table's, times their classes'; balanced tree by tree where that is asked for. */
static bramble_status set_weights(struct grow_rules *rules, const struct bramble_table *table,
                                  const char *option, bramble_error *error)
{
    double *weights = NULL;
    bool each_tree;
    rules->weight_bound = (double)rules->n_draws;
    bramble_status status = class_weight_apply(&weights, &each_tree, table, option, error);
    if (status) return status;
    if (each_tree) {
        rules->balanced = weights;
        return weight_bound(weights, table->n_rows) < FLT_MAX
                   ? BRAMBLE_OK
                   : error_set(error, BRAMBLE_ERR_DATA,
                               "weights add up to more than a model can hold; scale them down");
    }
    const double *effective = weights ? weights : table->weights;
    if (effective) status = fix_weights(rules, effective, table->n_rows, error);
    mem_free(weights);
    return status;
}

static bramble_status tabulate_entropy(struct grow_rules *rules, bramble_error *error)
{
    rules->entropy_terms = mem_alloc(ENTROPY_TERMS, sizeof *rules->entropy_terms);
    if (!rules->entropy_terms) return error_memory(error, "a table of logarithms");
    for (uint32_t x = 0; x < ENTROPY_TERMS; x++) rules->entropy_terms[x] = entropy_term(x);
    rules->split.entropy_terms = rules->entropy_terms;
    return BRAMBLE_OK;
}

bramble_status grow_rules_init(struct grow_rules *rules, const struct bramble_table *table,
                               const bramble_forest_options *options, bramble_error *error)
{
    *rules = (struct grow_rules){.weight_scale = 1, .target_scale = 1};
    bool classify = table->schema.task == BRAMBLE_TASK_CLASSIFICATION;
    if (!table->classes && !table->values)
        return error_set(error, BRAMBLE_ERR_USAGE, "the table has no target to learn; name one");
    if (table->n_rows > UINT32_MAX || table->schema.n_features >= 1u << 24)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                         "forests take up to 4294967295 rows of 16777215 features; leave some out");
    rules->n_classes = classify ? table->schema.n_classes : 0;
    bramble_status status;
    if ((status = resolve_limits(rules, options, table->n_rows, error)) ||
        (status = resolve_criterion(rules, classify, options->criterion, error)) ||
        (status = resolve_max_features(rules, options->max_features, table->schema.n_features, error)) ||
        (status = resolve_bootstrap(rules, options, table->n_rows, error)))
        return status;
    status = set_weights(rules, table, options->class_weight, error);
    if (!status && rules->split.criterion == BRAMBLE_CRITERION_ENTROPY)
        status = tabulate_entropy(rules, error);
    if (!status && !classify) status = fix_targets(rules, table, error);
    if (status) grow_rules_fini(rules);
    return status;
}

void grow_rules_fini(struct grow_rules *rules)
{
    mem_free(rules->weights);
    mem_free(rules->balanced);
    mem_free(rules->targets);
    mem_free(rules->entropy_terms);
    rules->weights = NULL;
    rules->balanced = NULL;
    rules->targets = NULL;
    rules->entropy_terms = NULL;
}
