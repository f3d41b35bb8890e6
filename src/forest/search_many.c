#include "forest/node_search_scratch.h"

enum { STRIP_WIDTH = 64 }; /* rows up to a cache line wide are read where they are */

/* One group of features on its way through the cells. */
struct group {
    uint32_t n;
    uint32_t drawn[SEARCH_GROUP]; /* their places in the order drawn */
    struct feature_codes codes[SEARCH_GROUP];
    const uint32_t *row; /* row i's code is codes.at[row[i] * codes.stride]; NULL: codes.at[i] */
};

/* Counts n features at a time. The compiler makes one of each n, in order or not. */
static inline __attribute__((always_inline)) void
fill_classes(struct node_search *s, const struct group *group, uint32_t n, bool in_order)
{
    const size_t n_rows = s->rows.n, next = (size_t)s->rows.k * MAX_BINS, stride = group->codes[0].stride;
    const uint16_t *classes = s->rows.classes;
    const uint32_t *weights = s->rows.weights, *row = group->row;
    const uint8_t *codes[SEARCH_GROUP];
    uint32_t *cells = s->cells;
    for (uint32_t f = 0; f < n; f++) codes[f] = group->codes[f].at;
    for (size_t i = 0; i < n_rows; i++) {
        uint32_t *of_class = cells + ((size_t)classes[i] << 8), weight = weights[i];
        size_t at = in_order ? i : row[i] * stride;
        for (uint32_t f = 0; f < n; f++) of_class[f * next + gini_cell(codes[f][at])] += weight;
    }
}

static inline __attribute__((always_inline)) void
fill_targets(struct node_search *s, const struct group *group, uint32_t n, bool in_order)
{
    const size_t n_rows = s->rows.n, stride = group->codes[0].stride;
    const int64_t *targets = s->centred;
    const uint32_t *weights = s->rows.weights, *row = group->row;
    const uint8_t *codes[SEARCH_GROUP];
    struct squared_cells *cells = s->squared_cells;
    for (uint32_t f = 0; f < n; f++) codes[f] = group->codes[f].at;
    for (size_t i = 0; i < n_rows; i++) {
        int64_t target = targets[i];
        uint32_t weight = weights[i];
        size_t at = in_order ? i : row[i] * stride;
        for (uint32_t f = 0; f < n; f++) {
            uint8_t cell = squared_cell(codes[f][at]);
            cells[f].sum[cell] += target;
            cells[f].weight[cell] += weight;
        }
    }
}

static inline __attribute__((always_inline)) void fill(struct node_search *s, const struct group *group,
                                                       uint32_t n)
{
    if (s->rows.k)
        group->row ? fill_classes(s, group, n, false) : fill_classes(s, group, n, true);
    else
        group->row ? fill_targets(s, group, n, false) : fill_targets(s, group, n, true);
}

static void fill_group(struct node_search *s, const struct group *group)
{
    switch (group->n) {
    case 1: fill(s, group, 1); break;
    case 2: fill(s, group, 2); break;
    case 3: fill(s, group, 3); break;
    case SEARCH_GROUP: fill(s, group, SEARCH_GROUP); break;
    }
}

static void scan_gini(struct node_search *s, const struct group *group, struct best_cut *best)
{
    uint32_t weight = (uint32_t)s->rows.weight, k = s->rows.k;
    for (uint32_t g = 0; g < group->n; g++) {
        uint32_t *cells = s->cells + (size_t)g * k * MAX_BINS;
        if (weight <= UINT16_MAX)
            s->job->kernels->scan(cells, k, s->totals, weight, group->drawn[g], best);
        else
            gini_scan_plain(cells, k, s->totals, weight, group->drawn[g], best);
    }
}

static void scan_squared(struct node_search *s, const struct group *group, struct best_cut *best)
{
    for (uint32_t g = 0; g < group->n; g++)
        s->squared->scan(&s->squared_cells[g], s->centred_sum, (uint32_t)s->rows.weight, group->drawn[g],
                         best);
}

/* Codes of the asked features first..last - 1 for all rows of a node that is held by row, feature after
 * feature. Rows of the whole table lie far apart: memory is asked for them some rows ahead. */
static void fetch_strip(struct node_search *s, uint32_t first, uint32_t last)
{
    const uint32_t *row = s->node.sample->row + s->node.begin, *features = s->asked + first;
    size_t n = s->rows.n, width = s->node.source.n_features, n_features = last - first;
    const uint8_t *by_row = s->node.source.by_row;
    bool far = node_is_far(s);
    uint8_t *to = s->codes;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *codes = by_row + row[i] * width;
        if (far && i + SEARCH_AHEAD < n)
            for (size_t f = 0; f < n_features; f++)
                __builtin_prefetch(by_row + row[i + SEARCH_AHEAD] * width + features[f]);
        for (size_t f = 0; f < n_features; f++) to[f * n + i] = codes[features[f]];
    }
}

/* Takes the next asked features from *at on into a group, their codes from the strip or from where they are.
 */
static struct group next_group(const struct node_search *s, uint32_t first, uint32_t *at, uint32_t last,
                               bool strip)
{
    struct group group = {.row = strip ? NULL : s->node.sample->row + s->node.begin};
    for (; *at < last && group.n < SEARCH_GROUP; ++*at) {
        group.codes[group.n] = strip ? (struct feature_codes){s->codes + (*at - first) * s->rows.n, 1}
                                     : node_feature(&s->node, s->asked[*at]);
        group.drawn[group.n++] = s->asked_drawn[*at];
    }
    return group;
}

static void search_group(struct node_search *s, const struct group *group, struct best_cut *best)
{
    fill_group(s, group);
    if (s->rows.k)
        scan_gini(s, group, best);
    else
        scan_squared(s, group, best);
}

static void search_group_random(struct node_search *s, const struct group *group, struct best_cut *best)
{
    for (uint32_t g = 0; g < group->n; g++) {
        if (group->row) node_codes(s, s->permutation[group->drawn[g]], s->codes);
        search_random(s, group->row ? s->codes : group->codes[g].at, group->drawn[g], best);
    }
}

void search_many(struct node_search *s, struct best_cut *best)
{
    const struct code_source *source = &s->node.source;
    bool strip = source->by_row && source->n_features > STRIP_WIDTH &&
                 (s->rows.n <= s->strip_rows || !source->columns);
    size_t room = s->codes_bytes / s->rows.n, most = room < SEARCH_STRIP ? room : SEARCH_STRIP;
    for (uint32_t begin = 0, last = s->n_asked, end; begin < last; begin = end) {
        end = !strip || last - begin < most ? last : begin + (uint32_t)most;
        if (strip) fetch_strip(s, begin, end);
        for (uint32_t at = begin; at < end;) {
            struct group group = next_group(s, begin, &at, end, strip);
            if (s->job->rules->split.random)
                search_group_random(s, &group, best);
            else
                search_group(s, &group, best);
        }
    }
}
