/*
 * Finding the best split of one node: which features are asked, where their codes come from, and which search
 * suits the node; and parting its rows by the split.
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
    const struct sample *sample;
    size_t begin, end;
    struct code_source source;
};

/* What parting a node's rows by its split shows. */
struct parting {
    size_t n_left;
    bool left_heavier;   /* or as heavy as the right */
    double score;        /* the split's, in double precision even where the search made do with single */
    uint64_t present[4]; /* features with categories or missing values: bit set: the node has that code */
};

struct node_search;

/* Scratch for nodes of up to `capacity` rows. NULL: out of memory. */
struct node_search *node_search_new(const struct grow_job *job, size_t capacity);
void node_search_free(struct node_search *search);

/* Gathers a node's rows: weight, classes or targets; the result is good until the next call. */
const struct node_rows *node_search_gather(struct node_search *search, const struct node *node);

/* What was gathered last. */
const struct node_rows *node_search_gathered(const struct node_search *search);

/* Class of local class number c of the gathered node. */
uint32_t node_search_class(const struct node_search *search, uint32_t c);

/* True when all rows of the gathered node have the same class or target. */
bool node_search_pure(const struct node_search *search);

/* The gathered node's best split among max_features drawn features, or, while those are constant in the node,
 * more. key names the node's random numbers. False: there is none. */
bool node_search_best(struct node_search *search, uint64_t key, struct split *split);

/*
 * Copies the gathered node's rows to the same places of another sample: the left ones from the front on, the
 * right ones from the back, so that rows in ascending or descending order stay in one of them. Sets what the
 * split found by node_search_best does not know yet: the codes on either side of its cut.
 */
void node_search_part(struct node_search *search, struct split *split, struct sample *across,
                      struct parting *parting);

#endif
