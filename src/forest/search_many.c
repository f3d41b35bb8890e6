#include "forest/node_search_scratch.h"

/* One group of features on its way through the cells. */
struct group {
    uint32_t n;
    uint32_t drawn[SEARCH_GROUP];       /* their places in the order drawn */
    const uint8_t *codes[SEARCH_GROUP]; /* n codes each */
};

static void fill_one(const struct node_search *s, const uint8_t *codes, uint32_t *cells)
{
    const uint16_t *classes = s->rows.classes;
    const uint32_t *weights = s->rows.weights;
    for (size_t i = 0; i < s->rows.n; i++)
        cells[(uint32_t)classes[i] << 8 | gini_cell(codes[i])] += weights[i];
}

static void fill_group(const struct node_search *s, const struct group *group, uint32_t *cells)
{
    const size_t n = s->rows.n, next = (size_t)s->rows.k * MAX_BINS;
    const uint16_t *classes = s->rows.classes;
    const uint32_t *weights = s->rows.weights;
    const uint8_t *a = group->codes[0], *b = group->codes[1], *c = group->codes[2], *d = group->codes[3];
    for (size_t i = 0; i < n; i++) {
        uint32_t *of_class = cells + ((size_t)classes[i] << 8), weight = weights[i];
        of_class[gini_cell(a[i])] += weight;
        of_class[next + gini_cell(b[i])] += weight;
        of_class[2 * next + gini_cell(c[i])] += weight;
        of_class[3 * next + gini_cell(d[i])] += weight;
    }
}

static void scan_gini(struct node_search *s, const struct group *group, struct best_cut *best)
{
    uint32_t weight = (uint32_t)s->rows.weight, k = s->rows.k;
    size_t next = (size_t)k * MAX_BINS;
    if (group->n == SEARCH_GROUP)
        fill_group(s, group, s->cells);
    else
        for (uint32_t g = 0; g < group->n; g++) fill_one(s, group->codes[g], s->cells + g * next);
    for (uint32_t g = 0; g < group->n; g++) {
        uint32_t *cells = s->cells + g * next;
        if (weight <= UINT16_MAX)
            s->job->kernels->scan(cells, k, s->totals, weight, group->drawn[g], best);
        else
            gini_scan_plain(cells, k, s->totals, weight, group->drawn[g], best);
    }
}

static void fill_squared(const struct node_search *s, const uint8_t *codes, struct squared_cells *cells)
{
    const uint32_t *weights = s->rows.weights;
    for (size_t i = 0; i < s->rows.n; i++) {
        uint8_t cell = squared_cell(codes[i]);
        cells->sum[cell] += s->centred[i];
        cells->weight[cell] += weights[i];
    }
}

static void fill_squared_group(const struct node_search *s, const struct group *group,
                               struct squared_cells *cells)
{
    const uint32_t *weights = s->rows.weights;
    for (size_t i = 0; i < s->rows.n; i++) {
        int64_t target = s->centred[i];
        uint32_t weight = weights[i];
        for (uint32_t g = 0; g < SEARCH_GROUP; g++) {
            uint8_t cell = squared_cell(group->codes[g][i]);
            cells[g].sum[cell] += target;
            cells[g].weight[cell] += weight;
        }
    }
}

static void scan_squared(struct node_search *s, const struct group *group, struct best_cut *best)
{
    if (group->n == SEARCH_GROUP)
        fill_squared_group(s, group, s->squared_cells);
    else
        for (uint32_t g = 0; g < group->n; g++) fill_squared(s, group->codes[g], &s->squared_cells[g]);
    for (uint32_t g = 0; g < group->n; g++)
        s->squared->scan(&s->squared_cells[g], s->centred_sum, (uint32_t)s->rows.weight, group->drawn[g],
                         best);
}

/* Codes of drawn features first..last - 1 for all rows of a node that is held by row, feature after feature.
 */
static void fetch_strip(struct node_search *s, uint32_t first, uint32_t last)
{
    const uint32_t *row = s->node.sample->row + s->node.begin, *features = s->permutation + first;
    size_t n = s->rows.n, width = s->node.source.n_features, n_features = last - first;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *codes = s->node.source.by_row + row[i] * width;
        for (size_t f = 0; f < n_features; f++) s->codes[f * n + i] = codes[features[f]];
    }
}

/* Takes the next fast features from *at on into a group, their codes from the strip or from whole columns. */
static struct group next_group(struct node_search *s, uint32_t first, uint32_t *at, uint32_t last, bool strip)
{
    struct group group = {0};
    for (; *at < last && group.n < SEARCH_GROUP; ++*at) {
        uint32_t feature = s->permutation[*at];
        if (!s->fast[feature]) continue;
        uint8_t *codes = s->codes + (strip ? *at - first : group.n) * s->rows.n;
        if (!strip) node_codes(s, feature, codes);
        group.codes[group.n] = codes;
        group.drawn[group.n++] = *at;
    }
    return group;
}

void search_many(struct node_search *s, uint32_t first, uint32_t last, struct best_cut *best)
{
    bool strip = s->node.source.by_row && s->rows.n <= s->strip_rows;
    for (uint32_t begin = first, end; begin < last; begin = end) {
        end = last - begin < SEARCH_STRIP ? last : begin + SEARCH_STRIP;
        if (strip) fetch_strip(s, begin, end);
        for (uint32_t at = begin; at < end;) {
            struct group group = next_group(s, begin, &at, end, strip);
            if (s->job->rules->split.random)
                for (uint32_t g = 0; g < group.n; g++) search_random(s, group.codes[g], group.drawn[g], best);
            else if (s->rows.k)
                scan_gini(s, &group, best);
            else
                scan_squared(s, &group, best);
        }
    }
}
