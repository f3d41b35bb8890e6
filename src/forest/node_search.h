/*
 * Finding the best split of one node: which features are asked, where their codes come from, and which search
 * suits the node.
 */
#ifndef FOREST_NODE_SEARCH_H
#define FOREST_NODE_SEARCH_H

#include "forest/grow.h"
#include "forest/sample.h"
#include "forest/split_general.h"

/*
 * Where a node's codes are: by_row[row[i] * F + f], or, when by_row is NULL, in the whole columns at
 * columns[f][row[i]].
 */
struct code_source {
    const uint8_t *by_row;
    const uint8_t *const *columns;
    uint32_t n_features;
};

/* Rows begin..end - 1 of a tree's sample. */
struct node {
    size_t begin, end;
    uint64_t key;
    struct code_source source;
};

struct node_search;

/* Scratch for nodes of up to `capacity` rows. NULL: out of memory. */
struct node_search *node_search_new(const struct grow_job *job, size_t capacity);
void node_search_free(struct node_search *search);

/* Gathers a node's rows: weight, classes or targets; the result is good until the next call. */
const struct node_rows *node_search_gather(struct node_search *search, const struct sample *sample,
                                           const struct node *node);

/* What was gathered last. */
const struct node_rows *node_search_gathered(const struct node_search *search);

/* Class of local class number c of the gathered node. */
uint32_t node_search_class(const struct node_search *search, uint32_t c);

/* True when all rows of the gathered node have the same class or target. */
bool node_search_pure(const struct node_search *search);

/* The gathered node's best split among max_features drawn features, or, while those are constant in the node,
 * more. */
struct split node_search_best(struct node_search *search, const struct sample *sample,
                              const struct node *node);

/* Codes of the feature that node_search_best chose last, for each row of its node; until the next search. */
const uint8_t *node_search_codes(const struct node_search *search);

/* Codes of one feature for each row of the node, into codes[n]. */
void node_codes(const struct sample *sample, const struct node *node, uint32_t feature, uint8_t *codes);

#endif
