/*
 * A node search's insides, shared by its files: node_search_scratch.c makes them, node_search.c draws
 * features and holds the contest between them, search_many.c asks features one by one, search_few.c all at
 * once, node_part.c parts the rows.
 */
#ifndef FOREST_NODE_SEARCH_SCRATCH_H
#define FOREST_NODE_SEARCH_SCRATCH_H

#include "forest/node_search.h"
#include "forest/squared_error.h"

enum {
    SEARCH_STRIP = 32, /* features fetched at a time from a node's rows */
    SEARCH_AHEAD = 12, /* rows for which memory is asked ahead of the one being read */
    SEARCH_GROUP = 4, /* features counted at a time: a row's class and weight are read once for all of them */
};

/* Weight of each category, and the sum of its targets or the weight of its first class. */
struct category_cells {
    int64_t sum[MAX_BINS];
    uint32_t weight[MAX_BINS];
};

struct node_search {
    const struct grow_job *job;
    struct node node; /* the gathered one */
    struct node_rows rows;
    uint64_t key;
    bool varies; /* a feature asked so far has two codes or more in the node */
    /* classification */
    uint64_t *class_sum;   /* C, all 0 between uses: by class, the number of rows << 32 | their weight */
    uint16_t *class_map;   /* C: global to local */
    uint16_t *class_names; /* C: local to global */
    uint32_t *class_begin; /* C + 1: where each local class would begin if rows were sorted by class */
    uint32_t *totals;      /* C: weight by local class */
    uint16_t *local;       /* capacity: local class of each row */
    uint32_t *cells;       /* SEARCH_GROUP x C x 256, all 0 between searches */
    uint64_t *random_left; /* C: extra-trees' class weights on the left */
    /* regression */
    int64_t *centred; /* capacity: weight times target less the node's mean */
    int64_t centred_sum;
    struct squared_cells *squared_cells; /* SEARCH_GROUP, all 0 between searches */
    const struct squared_kernels *squared;
    /* both */
    struct general_scratch *general;       /* NULL, as is the next, when all features are fast */
    struct category_cells *category_cells; /* all 0 between searches */
    struct split slow_split;               /* of the best feature that is not fast */
    double random_threshold;               /* extra-trees: drawn for the best feature that is */
    uint8_t *codes;                        /* codes_bytes: of one feature, or a strip of features */
    size_t codes_bytes;
    size_t strip_rows;     /* rows of which SEARCH_STRIP features fit in codes */
    uint32_t *permutation; /* F: features, the first n_drawn drawn */
    uint32_t *swaps;       /* F: what to undo */
    bool *fast;            /* F: the feature is held, and search_many and search_few can take it */
    bool all_fast;         /* all held ones are fast */
    uint32_t n_asked;      /* fast features among those drawn: */
    uint32_t *asked;       /* F: which they are */
    uint32_t *asked_drawn; /* F: and their places in the order drawn */
    uint8_t *few_codes, *few_spread;
};

/* Rows that lie here and there in the whole table, each a walk to memory. */
static inline bool node_is_far(const struct node_search *s)
{
    return s->node.source.by_row && s->node.source.by_row == s->job->codes->by_row;
}

/* A feature's code of row r is at[r * stride]. */
struct feature_codes {
    const uint8_t *at;
    size_t stride;
};

/* Of a feature that is held here. */
static inline struct feature_codes node_feature(const struct node *node, uint32_t feature)
{
    const struct code_source *source = &node->source;
    if (source->by_row) return (struct feature_codes){source->by_row + feature, source->n_features};
    return (struct feature_codes){source->columns[feature], 1};
}

/* Codes of one feature for each row of the gathered node, into codes[n]. */
void node_codes(const struct node_search *s, uint32_t feature, uint8_t *codes);

/* Both offer to *best the cuts of the asked features of the gathered node. */
void search_many(struct node_search *s, struct best_cut *best);
void search_few(struct node_search *s, struct best_cut *best);

/* Whether search_few can take the gathered node. */
bool search_few_fits(const struct node_search *s);

/*
 * Offers the best cut of a categorical feature, permutation[drawn], and keeps the split if it is the best so
 * far; for the features and nodes that fit.
 */
bool search_category_fits(const struct node_search *s, uint32_t feature);
void search_category(struct node_search *s, uint32_t drawn, struct best_cut *best);

/* Extra-trees: offers the one cut drawn for feature permutation[drawn], whose codes are given. */
void search_random(struct node_search *s, const uint8_t *codes, uint32_t drawn, struct best_cut *best);

#endif
