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
    uint32_t n_features; /* F, in a shard those held */
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

/* What a process that holds some of the features has to say about a node. */
struct offer {
    double score;   /* of the best cut of a drawn feature held here */
    uint32_t drawn; /* which that is, in the order drawn */
    bool found;     /* there is a cut */
    bool varies;    /* a feature asked has two codes or more in the node */
};

/*
 * Offers the best cut among those of the max_features drawn features that are held here. `further` is asked
 * when no feature drawn varied for anybody: it goes on drawing, one by one as node_search_best does, to the
 * first held one that varies, and says which (drawn), whether or not it has a cut. Among all offers the
 * greatest score wins, and the one drawn first among equals; further ones, the one drawn first.
 */
struct offer node_search_offer(struct node_search *search, uint64_t key, bool further);

/* The split behind an offer made here for the gathered node. False: there was none. */
bool node_search_settle(struct node_search *search, uint64_t key, uint32_t drawn, struct split *split);

/*
 * Copies the gathered node's rows to the same places of another sample: the left ones from the front on, the
 * right ones from the back, so that rows in ascending or descending order stay in one of them. Sets what the
 * split found by node_search_best does not know yet: the codes on either side of its cut.
 */
void node_search_part(struct node_search *search, struct split *split, struct sample *across,
                      struct parting *parting);

#endif
