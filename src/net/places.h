/* Networks whose input are places in an embedding: whole numbers, which no scaling may touch. */
#ifndef NET_PLACES_H
#define NET_PLACES_H

#include "net/graph.h"

/* Rows of the smallest table that the input's numbers are looked up in as they come, at most moved about; 0
 * when there is none. */
uint32_t net_places(const struct net_graph *graph);

#endif
