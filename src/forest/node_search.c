#include "forest/node_search_scratch.h"

#include <math.h>

#include "base/rng.h"

/* Adds up rows and weights by class; lists the classes present in ascending order and returns their number.
 */
static uint32_t sum_classes(struct node_search *s, const uint16_t *classes, const uint32_t *weights, size_t n)
{
    uint32_t n_classes = s->job->rules->n_classes, k = 0;
    uint64_t *sum = s->class_sum;
    for (size_t i = 0; i < n; i++) sum[classes[i]] += UINT64_C(1) << 32 | weights[i];
    for (uint32_t c = 0; c < n_classes; c++) {
        s->class_names[k] = (uint16_t)c;
        k += sum[c] != 0;
    }
    return k;
}

/* The same for fewer rows than classes. */
static uint32_t sum_some_classes(struct node_search *s, const uint16_t *classes, const uint32_t *weights,
                                 size_t n)
{
    uint64_t *sum = s->class_sum;
    uint16_t *names = s->class_names;
    uint32_t k = 0;
    for (size_t i = 0; i < n; i++) {
        names[k] = classes[i];
        k += !sum[classes[i]];
        sum[classes[i]] += UINT64_C(1) << 32 | weights[i];
    }
    for (uint32_t i = 1; i < k; i++) {
        uint16_t name = names[i];
        uint32_t at = i;
        for (; at > 0 && names[at - 1] > name; at--) names[at] = names[at - 1];
        names[at] = name;
    }
    return k;
}

static void gather_classes(struct node_search *s, const uint16_t *classes, const uint32_t *weights, size_t n)
{
    bool some = n < s->job->rules->n_classes;
    uint32_t k = some ? sum_some_classes(s, classes, weights, n) : sum_classes(s, classes, weights, n);
    uint32_t begin = 0;
    uint64_t weight = 0;
    for (uint32_t c = 0; c < k; c++) {
        uint16_t name = s->class_names[c];
        uint64_t sum = s->class_sum[name];
        s->class_sum[name] = 0;
        s->class_map[name] = (uint16_t)c;
        s->class_begin[c] = begin;
        s->totals[c] = (uint32_t)sum;
        begin += (uint32_t)(sum >> 32);
        weight += (uint32_t)sum;
    }
    s->class_begin[k] = begin;
    s->rows.k = k;
    s->rows.weight = weight;
    s->rows.totals = s->totals;
}

static void gather_targets(struct node_search *s, const int64_t *targets, const uint32_t *weights, size_t n)
{
    int64_t sum = 0;
    uint64_t weight = 0;
    for (size_t i = 0; i < n; i++) {
        sum += targets[i];
        weight += weights[i];
    }
    s->rows.target_sum = sum;
    s->rows.weight = weight;
    s->rows.targets = targets;
}

const struct node_rows *node_search_gather(struct node_search *s, const struct node *node)
{
    const struct sample *sample = node->sample;
    const uint32_t *weights = sample->weight + node->begin;
    size_t n = node->end - node->begin;
    s->node = *node;
    s->rows = (struct node_rows){.n = n, .weights = weights};
    if (sample->class_id)
        gather_classes(s, sample->class_id + node->begin, weights, n);
    else
        gather_targets(s, sample->target + node->begin, weights, n);
    return &s->rows;
}

const struct node_rows *node_search_gathered(const struct node_search *s)
{
    return &s->rows;
}

uint32_t node_search_class(const struct node_search *s, uint32_t c)
{
    return s->class_names[c];
}

bool node_search_pure(const struct node_search *s)
{
    if (s->rows.k) return s->rows.k == 1;
    int64_t first = s->rows.targets[0] / (int64_t)s->rows.weights[0];
    for (size_t i = 0; i < s->rows.n; i++)
        if (s->rows.targets[i] != first * (int64_t)s->rows.weights[i]) return false;
    return true;
}

void node_codes(const struct node_search *s, uint32_t feature, uint8_t *codes)
{
    const uint32_t *row = s->node.sample->row + s->node.begin;
    const struct feature_codes from = node_feature(&s->node, feature);
    for (size_t i = 0; i < s->rows.n; i++) codes[i] = from.at[row[i] * from.stride];
}

/* The next feature of a random permutation that is not drawn to its end. */
static uint32_t draw_feature(struct node_search *s, struct rng *rng, uint32_t n_drawn)
{
    uint32_t n_features = s->job->codes->binned->n_features;
    uint32_t other = n_drawn + rng_below(rng, n_features - n_drawn), feature = s->permutation[other];
    s->permutation[other] = s->permutation[n_drawn];
    s->permutation[n_drawn] = feature;
    s->swaps[n_drawn] = other;
    return feature;
}

/* Puts the permutation back, so that the next node's draws do not hang on this one's. */
static void undo_draws(struct node_search *s, uint32_t n_drawn)
{
    while (n_drawn-- > 0) {
        uint32_t other = s->swaps[n_drawn], feature = s->permutation[n_drawn];
        s->permutation[n_drawn] = s->permutation[other];
        s->permutation[other] = feature;
    }
}

/* A feature that the fast searches cannot take. */
static void search_slow(struct node_search *s, uint32_t drawn, struct best_cut *best)
{
    uint32_t feature = s->permutation[drawn];
    if (search_category_fits(s, feature)) {
        search_category(s, drawn, best);
        return;
    }
    struct split found;
    node_codes(s, feature, s->codes);
    split_search_general(&s->job->rules->split, &s->rows, feature, &s->job->codes->binned->bins[feature],
                         s->codes, s->key, s->general, &found);
    s->varies |= found.varies;
    if (!found.found) return;
    best_cut_offer(best, found.score, drawn, 0);
    if (best->feature == drawn) s->slow_split = found;
}

/* Searches those of the drawn features first..last - 1 that are held. */
static void search_drawn(struct node_search *s, uint32_t first, uint32_t last, struct best_cut *best)
{
    const struct binned *binned = s->job->codes->binned;
    s->n_asked = 0;
    for (uint32_t f = first; f < last; f++) {
        if (!s->fast[s->permutation[f]]) continue;
        s->asked[s->n_asked] = s->permutation[f];
        s->asked_drawn[s->n_asked++] = f;
    }
    if (s->n_asked && search_few_fits(s))
        search_few(s, best);
    else if (s->n_asked)
        search_many(s, best);
    for (uint32_t f = first; s->n_asked < last - first && f < last; f++) {
        uint32_t feature = s->permutation[f];
        if (!s->fast[feature] && feature >= binned->held_begin && feature < binned->held_end)
            search_slow(s, f, best);
    }
}

/* What the searches need to know of each row: local classes (but for few rows, which are sorted by class), or
 * targets less their mean. */
static void prepare_rows(struct node_search *s)
{
    size_t n = s->rows.n;
    if (!s->rows.k) {
        int64_t mean = s->rows.target_sum / (int64_t)s->rows.weight;
        for (size_t i = 0; i < n; i++)
            s->centred[i] = s->rows.targets[i] - mean * (int64_t)s->rows.weights[i];
        s->centred_sum = s->rows.target_sum - mean * (int64_t)s->rows.weight;
    } else if (!s->all_fast || !search_few_fits(s)) {
        const uint16_t *classes = s->node.sample->class_id + s->node.begin;
        for (size_t i = 0; i < n; i++) s->local[i] = s->class_map[classes[i]];
        s->rows.classes = s->local;
    }
}

static void begin_search(struct node_search *s, uint64_t key, struct rng *rng)
{
    rng_init(rng, s->job->rules->split.seed, RNG_FEATURES, key, 0);
    s->key = key;
    s->varies = false;
    prepare_rows(s);
}

/* What was found as a split. */
static struct split split_of(const struct node_search *s, const struct best_cut *best, uint32_t feature)
{
    if (!s->fast[feature]) return s->slow_split;
    return (struct split){
        .found = true, .score = best->score, .feature = feature, .bin = best->bin, .threshold = NAN};
}

bool node_search_best(struct node_search *s, uint64_t key, struct split *split)
{
    uint32_t n_features = s->job->codes->binned->n_features, n_drawn = 0, searched = 0;
    struct best_cut best = {-INFINITY, UINT32_MAX, 0};
    struct rng rng;
    uint32_t wanted = s->job->rules->max_features;
    begin_search(s, key, &rng);
    while (!s->varies && best.feature == UINT32_MAX && searched < n_features) {
        for (; n_drawn < wanted; n_drawn++) draw_feature(s, &rng, n_drawn);
        search_drawn(s, searched, n_drawn, &best);
        searched = n_drawn;
        wanted = n_drawn + 1;
    }
    uint32_t feature = best.feature == UINT32_MAX ? 0 : s->permutation[best.feature];
    undo_draws(s, n_drawn);
    if (best.feature == UINT32_MAX) return false;
    *split = split_of(s, &best, feature);
    return true;
}

/* Asks the features drawn first..last - 1 one by one, up to the first that varies, and returns which it is.
 */
static uint32_t search_one_by_one(struct node_search *s, uint32_t first, uint32_t last, struct best_cut *best)
{
    for (uint32_t at = first; at < last; at++) {
        search_drawn(s, at, at + 1, best);
        if (s->varies || best->feature != UINT32_MAX) return at;
    }
    return 0;
}

struct offer node_search_offer(struct node_search *s, uint64_t key, bool further)
{
    uint32_t n_features = s->job->codes->binned->n_features, wanted = s->job->rules->max_features;
    uint32_t last = further ? n_features : wanted, at = 0;
    struct best_cut best = {-INFINITY, UINT32_MAX, 0};
    struct rng rng;
    begin_search(s, key, &rng);
    for (uint32_t n_drawn = 0; n_drawn < last; n_drawn++) draw_feature(s, &rng, n_drawn);
    if (further)
        at = search_one_by_one(s, wanted, last, &best);
    else
        search_drawn(s, 0, last, &best);
    undo_draws(s, last);
    bool found = best.feature != UINT32_MAX;
    return (struct offer){.score = best.score,
                          .drawn = found ? best.feature : at,
                          .found = found,
                          .varies = found || s->varies};
}

bool node_search_settle(struct node_search *s, uint64_t key, uint32_t drawn, struct split *split)
{
    struct best_cut best = {-INFINITY, UINT32_MAX, 0};
    struct rng rng;
    begin_search(s, key, &rng);
    for (uint32_t n_drawn = 0; n_drawn <= drawn; n_drawn++) draw_feature(s, &rng, n_drawn);
    uint32_t feature = s->permutation[drawn];
    search_drawn(s, drawn, drawn + 1, &best);
    undo_draws(s, drawn + 1);
    if (best.feature == UINT32_MAX) return false;
    *split = split_of(s, &best, feature);
    return true;
}
