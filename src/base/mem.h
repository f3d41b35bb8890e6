/*
 * Memory. All of the library allocates here, so that tests can make the n-th allocation fail.
 * NULL means out of memory; sizes that overflow are out of memory too. A size of 0 gives a real pointer.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t count, size_t size);             /* count * size bytes, not cleared */
void *mem_zalloc(size_t count, size_t size);            /* the same, cleared */
void *mem_resize(void *old, size_t count, size_t size); /* realloc; `old` stays valid on NULL */
void *mem_alloc_aligned(size_t count, size_t size); /* on a 64-byte boundary, padded to one; not cleared */
/* For megabytes that are read here and there: in huge pages where the system has them; not cleared. */
void *mem_alloc_large(size_t count, size_t size);
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t length); /* `length` bytes and a terminator */
void mem_free(void *p);                          /* for all of the above; NULL is fine */

/* Test hook: from now on the n-th allocation (1 is the next) fails, and with `persist` all after it;
 * 0 turns it off. mem_fail_count() says how many allocations there were since. Process-wide by nature; only
 * in builds with BRAMBLE_FAULT_INJECTION, otherwise these do nothing. */
void mem_fail_at(size_t n, int persist);
size_t mem_fail_count(void);

#endif
