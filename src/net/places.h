/* Networks that look numbers of their input up in embeddings: places, which are whole and take no scaling. */
#ifndef NET_PLACES_H
#define NET_PLACES_H

#include "net/graph.h"

/* Where one number of a sample is looked up as it comes, at most moved about. */
struct net_place {
    uint32_t table; /* the value that holds the embedding's rows; NET_NONE: nowhere */
    uint32_t rows;  /* of it; of the smallest one where there are several */
};

/* Fills in places[size of the input]. True when any number is looked up. O(nodes x numbers). */
bool net_places(const struct net_graph *graph, struct net_place *places);

#endif
