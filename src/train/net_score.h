/* How good a network is on rows it was not trained on. */
#ifndef TRAIN_NET_SCORE_H
#define TRAIN_NET_SCORE_H

#include "net/step.h"
#include "train/net_data.h"

struct net_score {
    double loss, accuracy; /* means, by the rows' weights; accuracy is NaN for numbers */
};

/* On the validation rows, of which there is at least one. Sums are taken in the order of the rows. */
bramble_status net_score_rows(struct net_score *out, const struct net_graph *net, const struct net_data *data,
                              uint32_t threads, bramble_error *error);

#endif
