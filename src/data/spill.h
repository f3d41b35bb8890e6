/*
 * Arrays as large as the data: on the heap while they fit into memory, and else in a file of the cache
 * folder, mapped, so that the kernel keeps in memory what is used and the disk the rest. What is computed
 * from them is the same.
 *
 * The file has no name (it goes with the process, however that ends), and its room on the disk is taken
 * before it is written to: a full disk is an error here and no signal later. A disk that cannot be read is
 * one (SIGBUS): the price of reading through a mapping. For one thread at a time.
 */
#ifndef DATA_SPILL_H
#define DATA_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/error.h>

struct spill;

bramble_status spill_new(struct spill **out, bramble_error *error);
void spill_free(struct spill *spill); /* NULL is fine; release its arrays before */

/* About what all arrays will take together: more than half of the memory that is left moves them into the
 * file from the first on. Without this, or when it is too low, those move that come when half is taken. */
void spill_expect(struct spill *spill, uint64_t bytes);

/* Whether they will be there. */
bool spill_is_large(struct spill *spill);

/* From the first array on into the file, whatever memory there is. For tests. */
void spill_force(struct spill *spill);

/* Room for count * size bytes on a 16-byte boundary, not cleared; what `array` (NULL: nothing) held is kept,
 * as far as there is room. NULL: failed, `array` is as it was, and spill_error says why. */
void *spill_resize(struct spill *spill, void *array, size_t count, size_t size);
void spill_release(void *array); /* NULL is fine */

/* Why the last spill_resize failed; `what` names what did not fit. */
bramble_status spill_error(const struct spill *spill, bramble_error *error, const char *what);

uint64_t spill_file_bytes(const struct spill *spill); /* that arrays take in the file now */

/* Advice for the kernel: whether arrays that are there are used here and there, so that reading ahead is a
 * waste (true for new ones, which are filled so); and which bytes will be read soon. Any thread may give it.
 * Nothing for arrays on the heap, and for a spill of NULL. */
void spill_scattered(const struct spill *spill, bool scattered);
void spill_want(const struct spill *spill, const void *bytes, size_t n);

#endif
