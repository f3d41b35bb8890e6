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

/* The same by parts, for who does not have all of the network: rows come in chunks, each scored by itself. */
enum { NET_CHUNK_ROWS = 256 };
struct net_chunk {
    const struct net_data *data;
    struct row_encoder *coder;
    float *x, *outputs, *hot; /* what goes into the network, and what comes out of it */
};
bramble_status net_chunk_init(struct net_chunk *chunk, const struct net_data *data, bramble_error *error);
void net_chunk_fini(struct net_chunk *chunk);
size_t net_chunks(const struct net_data *data);
uint32_t net_chunk_rows(const struct net_data *data, size_t number);
void net_chunk_encode(struct net_chunk *chunk, size_t number);                 /* fills in x */
struct net_score_part net_chunk_judge(struct net_chunk *chunk, size_t number); /* of the outputs */
struct net_score net_score_sum(const struct net_data *data, const struct net_score_part *parts);

#endif
