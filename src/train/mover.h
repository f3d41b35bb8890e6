/*
 * Sends to one member and gets from one, on a thread of its own, while there is other work: one exchange
 * (cluster/exchange.h) at a time.
 */
#ifndef TRAIN_MOVER_H
#define TRAIN_MOVER_H

#include "cluster/exchange.h"

struct mover;

enum { MOVER_NOBODY = UINT32_MAX };

/* The exchange is borrowed, and is the caller's to use between mover_wait and mover_post. */
bramble_status mover_new(struct mover **out, const struct exchange *exchange, bramble_error *error);
/* Also in the midst of an exchange, which is then of no use any more. NULL is fine. */
void mover_free(struct mover *mover);

/* Begins an exchange, as all members do: the bytes, borrowed until mover_wait, go to member `to`. */
void mover_post(struct mover *mover, uint32_t to, const void *bytes, size_t length);
/* Waits until it is over. *came is what member `from` sent, until the next post; nothing from MOVER_NOBODY.
 */
bramble_status mover_wait(struct mover *mover, uint32_t from, struct exchanged *came, bramble_error *error);
/* Seconds spent in mover_wait since the last call. */
double mover_waited(struct mover *mover);

#endif
