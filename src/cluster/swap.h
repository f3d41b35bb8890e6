/*
 * Exchanges (exchange.h) between the workers of an MPI job: threads compute and call them, another one has
 * the wire and brings the bytes. On each channel a member can be one exchange ahead of another, never two,
 * and have SWAP_LETTERS letters that another has not received yet.
 */
#ifndef CLUSTER_SWAP_H
#define CLUSTER_SWAP_H

#include <stdbool.h>

#include "cluster/exchange.h"

enum { SWAP_CHANNELS = 2, SWAP_LETTERS = 8 };

struct swap;

/* `job` goes into the messages. NULL: out of memory. */
struct swap *swap_new(uint32_t job, uint32_t rank, uint32_t n_members);
void swap_free(struct swap *swap); /* nobody may be in an exchange; NULL is fine */

/* What a computing thread uses; a channel has one at a time. */
struct exchange swap_exchange(struct swap *swap, uint32_t channel);

/* The rest is for the thread that has the wire. */

/* Gives what is to be sent, WIRE_EXCHANGE messages for other members, to `send`, which they become
 * (mem_alloc); false when that failed. *any: there was something. */
bool swap_post(struct swap *swap, bool (*send)(void *context, uint32_t member, void *message, size_t length),
               void *context, bool *any);

/* A message that came in; its bytes become the swap's. False, and they stay the caller's: it is out of
 * turn. */
bool swap_arrived(struct swap *swap, uint32_t member, uint8_t *message, size_t length);

/* Is anybody in an exchange, waiting for others? */
bool swap_awaited(struct swap *swap);

/* Sleeps until there is something to be sent, at most so long. */
void swap_doze(struct swap *swap, long nanoseconds);

/* Exchanges fail from now on, also for who is in one. */
void swap_break(struct swap *swap);

#endif
