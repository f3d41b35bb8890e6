#include "forest/node_search_scratch.h"

#include <string.h>

#include "base/mem.h"

enum {
    STRIP_ROWS_MAX = 4096,
    STRIP_BYTES_MAX = 2 << 20,
    FAST_CLASSES = 1024, /* the fast searches take 4 KB a class: up to here, beyond it the general one */
};

/* Whether histograms of class counts do for the forest's features, all but categories and missing values. */
static bool takes_gini_search(const struct grow_rules *rules)
{
    return rules->n_classes && rules->n_classes <= FAST_CLASSES && !rules->split.random && !rules->weights &&
           !rules->balanced && rules->split.criterion == BRAMBLE_CRITERION_GINI &&
           rules->split.min_samples_leaf == 1;
}

/* Whether anything but the general search does for them. */
static bool takes_fast_search(const struct grow_rules *rules)
{
    if (rules->split.random) return true;
    return rules->n_classes ? takes_gini_search(rules) : rules->split.min_samples_leaf == 1;
}

/* One feature for all rows, a strip of them for few; without whole columns, for all rows a strip that is as
 * wide as little memory allows. */
static size_t codes_room(const struct node_search *s, size_t capacity)
{
    size_t strip = s->strip_rows * SEARCH_STRIP, whole = capacity * SEARCH_STRIP;
    if (s->job->codes->binned->columns) return capacity > strip ? capacity : strip;
    size_t least = capacity * SEARCH_GROUP, most = least > STRIP_BYTES_MAX ? least : STRIP_BYTES_MAX;
    return whole < most ? whole : most;
}

static bool allocate_shared(struct node_search *s, size_t capacity)
{
    size_t n_features = s->job->codes->binned->n_features;
    s->strip_rows = capacity < STRIP_ROWS_MAX ? capacity : STRIP_ROWS_MAX;
    s->codes_bytes = codes_room(s, capacity);
    s->codes = mem_alloc_aligned(s->codes_bytes, 1);
    s->permutation = mem_alloc(n_features, sizeof *s->permutation);
    s->swaps = mem_alloc(n_features, sizeof *s->swaps);
    s->asked = mem_alloc(n_features, sizeof *s->asked);
    s->asked_drawn = mem_alloc(n_features, sizeof *s->asked_drawn);
    s->fast = mem_alloc(n_features, sizeof *s->fast);
    s->few_codes = mem_alloc_aligned((GINI_FEW_ROWS + 1) * GINI_FEW_LANES, 1);
    return s->codes && s->permutation && s->swaps && s->asked && s->asked_drawn && s->fast && s->few_codes;
}

static bool allocate_for_targets(struct node_search *s, size_t capacity)
{
    s->squared = squared_kernels_get(s->job->kernels->level);
    s->centred = mem_alloc(capacity, sizeof *s->centred);
    s->squared_cells = mem_alloc_aligned(SEARCH_GROUP, sizeof *s->squared_cells);
    if (!s->centred || !s->squared_cells) return false;
    memset(s->squared_cells, 0, SEARCH_GROUP * sizeof *s->squared_cells);
    return true;
}

static bool allocate_for_classes(struct node_search *s, size_t capacity)
{
    size_t n_classes = s->job->rules->n_classes;
    size_t n_cells = takes_gini_search(s->job->rules) ? n_classes * SEARCH_GROUP * MAX_BINS : 0;
    s->local = mem_alloc(capacity, sizeof *s->local);
    s->class_sum = mem_zalloc(n_classes, sizeof *s->class_sum);
    s->class_map = mem_alloc(n_classes, sizeof *s->class_map);
    s->class_names = mem_alloc(n_classes, sizeof *s->class_names);
    s->class_begin = mem_alloc(n_classes + 1, sizeof *s->class_begin);
    s->totals = mem_alloc(n_classes, sizeof *s->totals);
    s->random_left = mem_alloc(n_classes, sizeof *s->random_left);
    s->cells = mem_alloc_aligned(n_cells, sizeof *s->cells);
    s->few_spread = mem_alloc_aligned((GINI_FEW_ROWS + 1) * GINI_FEW_LANES, 1);
    if (!s->local || !s->class_sum || !s->class_map || !s->class_names || !s->class_begin || !s->totals ||
        !s->random_left || !s->cells || !s->few_spread)
        return false;
    memset(s->cells, 0, n_cells * sizeof *s->cells);
    return true;
}

/* Says which features are fast, and prepares for those that are not. */
static bool allocate_for_slow(struct node_search *s)
{
    const struct binned *binned = s->job->codes->binned;
    bool fast = takes_fast_search(s->job->rules);
    s->all_fast = true;
    for (uint32_t f = 0; f < binned->n_features; f++) {
        bool held = f >= binned->held_begin && f < binned->held_end;
        s->permutation[f] = f;
        s->fast[f] = held && fast && !binned->bins[f].categorical && !binned->bins[f].has_missing;
        s->all_fast &= s->fast[f] || !held;
    }
    if (s->all_fast) return true;
    s->general = general_scratch_new(s->job->rules->n_classes);
    s->category_cells = mem_zalloc(1, sizeof *s->category_cells);
    return s->general && s->category_cells;
}

struct node_search *node_search_new(const struct grow_job *job, size_t capacity)
{
    struct node_search *s = mem_zalloc(1, sizeof *s);
    if (!s) return NULL;
    s->job = job;
    bool done =
        allocate_shared(s, capacity) && allocate_for_slow(s) &&
        (job->rules->n_classes ? allocate_for_classes(s, capacity) : allocate_for_targets(s, capacity));
    if (done) return s;
    node_search_free(s);
    return NULL;
}

void node_search_free(struct node_search *s)
{
    if (!s) return;
    mem_free(s->local);
    mem_free(s->class_sum);
    mem_free(s->class_map);
    mem_free(s->class_names);
    mem_free(s->class_begin);
    mem_free(s->totals);
    mem_free(s->random_left);
    mem_free(s->cells);
    mem_free(s->centred);
    mem_free(s->squared_cells);
    general_scratch_free(s->general);
    mem_free(s->category_cells);
    mem_free(s->codes);
    mem_free(s->permutation);
    mem_free(s->swaps);
    mem_free(s->asked);
    mem_free(s->asked_drawn);
    mem_free(s->fast);
    mem_free(s->few_codes);
    mem_free(s->few_spread);
    mem_free(s);
}
