/* How good a network is on rows it was not trained on. */
#ifndef TRAIN_NET_SCORE_H
#define TRAIN_NET_SCORE_H

#include "net/step.h"
#include "train/net_data.h"

struct net_score {
    double loss, accuracy; /* means, by the rows' weights; accuracy is NaN for numbers */
};

/* What some of the rows came to. */
struct net_score_part {
    double loss, weight, correct_weight;
};

/* Who scores the rows with us, a part each. */
struct net_score_peers {
    void *context;
    /* Which parts are ours: first..first + *n - 1 of n_parts. */
    size_t (*first)(void *context, size_t n_parts, size_t *n);
    /* Fills in those of the others. */
    bramble_status (*gather)(void *context, struct net_score_part *parts, size_t n_parts,
                             bramble_error *error);
};

/* On the validation rows, of which there is at least one; with peers, who all call it (NULL: alone). Sums are
 * taken in the order of the rows, whoever scored them. */
bramble_status net_score_rows(struct net_score *out, const struct net_graph *net, const struct net_data *data,
                              uint32_t threads, const struct net_score_peers *peers, bramble_error *error);

#endif
