/*
 * A node search's insides, shared by its files: node_search.c draws features and holds the contest between
 * them, search_many.c asks features one by one, search_few.c all at once.
 */
#ifndef FOREST_NODE_SEARCH_SCRATCH_H
#define FOREST_NODE_SEARCH_SCRATCH_H

#include "forest/node_search.h"
#include "forest/squared_error.h"

enum {
    SEARCH_STRIP = 32, /* features fetched at a time from a node's rows */
    SEARCH_GROUP = 4, /* features counted at a time: a row's class and weight are read once for all of them */
};

struct node_search {
    const struct grow_job *job;
    struct node_rows rows;
    bool pure;
    bool varies; /* a feature asked so far has two codes or more in the node */
    /* classification */
    uint16_t *local;        /* capacity: local class of each row */
    uint64_t *class_weight; /* C, all 0 between nodes */
    uint16_t *class_map;    /* C: global to local */
    uint16_t *class_names;  /* C: local to global */
    uint64_t *totals;       /* C */
    uint32_t *totals32;     /* C */
    uint32_t *cells;        /* C x 256, all 0 between searches */
    uint64_t *random_left;  /* C: extra-trees' class weights on the left */
    /* regression */
    int64_t *centred; /* capacity: weight times target less the node's mean */
    int64_t centred_sum;
    struct squared_cells *squared_cells; /* SEARCH_GROUP, all 0 between searches */
    const struct squared_kernels *squared;
    /* both */
    struct general_scratch *general;
    struct squared_cells *category_cells; /* by category number, all 0 between searches */
    uint8_t *codes;                       /* SEARCH_GROUP x capacity, or SEARCH_STRIP x strip_rows */
    size_t strip_rows;                    /* rows of which SEARCH_STRIP features fit in codes */
    uint32_t *permutation;                /* F: features, the first n_drawn drawn */
    uint32_t *swaps;                      /* F: what to undo */
    bool *fast;                           /* F: the gini searches can take the feature */
    /* few rows */
    uint32_t n_few;         /* fast features among those drawn: */
    uint32_t *few_features; /* F: which they are */
    uint32_t *few_drawn;    /* F: and their places in the order drawn */
    uint32_t *few_begin;    /* C + 1 */
    uint8_t *few_codes, *few_spread;
};

/*
 * Both offer to *best the cuts of those among the drawn features permutation[first..last - 1] of the gathered
 * node that are `fast`.
 */
void search_many(struct node_search *s, const struct sample *sample, const struct node *node, uint32_t first,
                 uint32_t last, struct gini_best *best);
void search_few(struct node_search *s, const struct sample *sample, const struct node *node, uint32_t first,
                uint32_t last, struct gini_best *best);

/*
 * Offers the score of the best cut of a categorical feature, permutation[drawn], whose codes are given, with
 * a bin that says nothing; for the features and nodes that fit.
 */
bool search_category_fits(const struct node_search *s, uint32_t feature);
void search_category(struct node_search *s, const uint8_t *codes, uint32_t drawn, struct gini_best *best);

/* Extra-trees: offers the one cut drawn for feature permutation[drawn], whose codes are given. */
void search_random(struct node_search *s, const struct node *node, const uint8_t *codes, uint32_t drawn,
                   struct gini_best *best);
/* The threshold behind a cut that search_random offered. */
float search_random_threshold(const struct node_search *s, const struct node *node, const uint8_t *codes,
                              const struct split *split);

/* Whether search_few can take the gathered node. */
bool search_few_fits(const struct node_search *s, const struct node *node);

#endif
