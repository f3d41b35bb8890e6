#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HUGE_PAGE = 2 << 20 };

#ifdef BRAMBLE_FAULT_INJECTION
#include <stdatomic.h>

static atomic_size_t allocations, fail_at;
static atomic_int fail_persist;

void mem_fail_at(size_t n, int persist)
{
    atomic_store(&allocations, 0);
    atomic_store(&fail_persist, persist);
    atomic_store(&fail_at, n);
}

size_t mem_fail_count(void)
{
    return atomic_load(&allocations);
}

static int injected_failure(void)
{
    size_t at = atomic_load(&fail_at), n = atomic_fetch_add(&allocations, 1) + 1;
    return at && (n == at || (n > at && atomic_load(&fail_persist)));
}
#else
void mem_fail_at(size_t n, int persist)
{
    (void)n;
    (void)persist;
}

size_t mem_fail_count(void)
{
    return 0;
}

static int injected_failure(void)
{
    return 0;
}
#endif

/* Bytes for count * size, at least 1; 0 when that overflows. */
static size_t byte_count(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > PTRDIFF_MAX - 64) return 0;
    return bytes ? bytes : 1;
}

void *mem_alloc(size_t count, size_t size)
{
    size_t bytes = byte_count(count, size);
    return !bytes || injected_failure() ? NULL : malloc(bytes);
}

void *mem_zalloc(size_t count, size_t size)
{
    size_t bytes = byte_count(count, size);
    return !bytes || injected_failure() ? NULL : calloc(1, bytes);
}

void *mem_resize(void *old, size_t count, size_t size)
{
    size_t bytes = byte_count(count, size);
    return !bytes || injected_failure() ? NULL : realloc(old, bytes);
}

void *mem_alloc_aligned(size_t count, size_t size)
{
    size_t bytes = byte_count(count, size);
    if (!bytes || injected_failure()) return NULL;
    return aligned_alloc(64, (bytes + 63) & ~(size_t)63);
}

void *mem_alloc_large(size_t count, size_t size)
{
    size_t bytes = byte_count(count, size), mask = HUGE_PAGE - 1;
    if (bytes < HUGE_PAGE || bytes > SIZE_MAX - HUGE_PAGE) return mem_alloc_aligned(count, size);
    if (injected_failure()) return NULL;
    void *p = aligned_alloc(HUGE_PAGE, (bytes + mask) & ~mask);
    if (p) madvise(p, bytes, MADV_HUGEPAGE); /* a wish: nothing is lost where it is not granted */
    return p;
}

char *mem_strndup(const char *s, size_t length)
{
    char *copy = mem_alloc(length + 1, 1);
    if (!copy) return NULL;
    memcpy(copy, s, length);
    copy[length] = 0;
    return copy;
}

char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

void mem_free(void *p)
{
    free(p);
}
