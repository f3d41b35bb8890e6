/* NPY and NPZ files made byte by byte. */
#ifndef TESTS_DATA_NPY_BYTES_H
#define TESTS_DATA_NPY_BYTES_H

#include "scratch.h"

struct bytes {
    size_t n;
    uint8_t data[8192];
};

static inline void put(struct bytes *b, const void *bytes, size_t n)
{
    assert_true(b->n + n <= sizeof b->data);
    if (n) memcpy(b->data + b->n, bytes, n);
    b->n += n;
}

/* The low `size` bytes of `value`, least first. */
static inline void put_little(struct bytes *b, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++, value >>= 8) put(b, (uint8_t[]){(uint8_t)value}, 1);
}

/* An array whose header has this text and whose values are these bytes. */
static inline struct bytes npy_raw(uint8_t version, const char *header, const void *values, size_t n)
{
    struct bytes b = {0};
    put(&b, "\x93NUMPY", 6);
    put(&b, (uint8_t[]){version, 0}, 2);
    put_little(&b, strlen(header), version == 1 ? 2 : 4);
    put(&b, header, strlen(header));
    put(&b, values, n);
    return b;
}

static inline struct bytes npy(const char *descr, const char *order, const char *shape, const void *values,
                               size_t n)
{
    char header[256];
    snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }    \n", descr, order,
             shape);
    return npy_raw(1, header, values, n);
}

/* What an entry of an archive says of itself; sizes and sum are what they should be, unless a test lies. */
struct entry {
    const char *name;
    struct bytes content;
    uint16_t method; /* 0 stored, 8 deflated */
    uint32_t crc, packed, size;
};

static inline void entry_header(struct bytes *b, const struct entry *e, uint32_t crc, uint32_t packed,
                                uint32_t size)
{
    put_little(b, 20, 2);
    put_little(b, 0, 2);
    put_little(b, e->method, 2);
    put_little(b, 0, 4);
    put_little(b, crc, 4);
    put_little(b, packed, 4);
    put_little(b, size, 4);
    put_little(b, strlen(e->name), 2);
    put_little(b, 0, 2);
}

static inline struct bytes deflated(const struct bytes *b)
{
    struct bytes out = {0};
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (uint8_t *)(uintptr_t)b->data;
    z.avail_in = (unsigned)b->n;
    z.next_out = out.data;
    z.avail_out = sizeof out.data;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.n = z.total_out;
    deflateEnd(&z);
    return out;
}

/* A ZIP archive (PKWARE's APPNOTE, without extensions) of n entries. */
static inline struct bytes zip_of(const struct entry *entries, size_t n)
{
    struct bytes b = {0}, directory = {0};
    for (size_t i = 0; i < n; i++) {
        const struct entry *e = &entries[i];
        struct bytes packed = e->method ? deflated(&e->content) : e->content;
        uint32_t crc = e->crc ? e->crc : (uint32_t)crc32(0, e->content.data, (unsigned)e->content.n);
        uint32_t packed_size = e->packed ? e->packed : (uint32_t)packed.n;
        uint32_t size = e->size ? e->size : (uint32_t)e->content.n;
        size_t at = b.n;
        put(&b, "PK\3\4", 4);
        entry_header(&b, e, crc, packed_size, size);
        put(&b, e->name, strlen(e->name));
        put(&b, packed.data, packed.n);
        put(&directory, "PK\1\2\24\0", 6);
        entry_header(&directory, e, crc, packed_size, size);
        put_little(&directory, 0, 10);
        put_little(&directory, at, 4);
        put(&directory, e->name, strlen(e->name));
    }
    size_t at = b.n;
    put(&b, directory.data, directory.n);
    put(&b, "PK\5\6\0\0\0\0", 8);
    put_little(&b, n, 2);
    put_little(&b, n, 2);
    put_little(&b, directory.n, 4);
    put_little(&b, at, 4);
    put_little(&b, 0, 2);
    return b;
}

#endif
