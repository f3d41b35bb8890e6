#include "data/npy.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { HEADER_BYTES_MAX = 1 << 16, DESCR_SHOWN = 40 };

/* A header being read: text with a terminator behind it. */
struct header {
    const char *at;
    const char *path;
    bramble_error *error;
};

static bramble_status malformed(const struct header *h, const char *what)
{
    return error_set(h->error, BRAMBLE_ERR_DATA,
                     "%s: the NPY header has no valid %s; write the file again with numpy.save", h->path,
                     what);
}

static void skip_space(struct header *h)
{
    h->at += strspn(h->at, " \t\n");
}

/* Takes `text` when it comes next, behind spaces. */
static bool take(struct header *h, const char *text)
{
    skip_space(h);
    size_t length = strlen(text);
    if (strncmp(h->at, text, length) != 0) return false;
    h->at += length;
    return true;
}

/* The inside of a quoted word, without escapes; its length, or -1. */
static int take_word(struct header *h, const char **word)
{
    skip_space(h);
    char quote = *h->at;
    if (quote != '\'' && quote != '"') return -1;
    const char *end = strchr(h->at + 1, quote);
    if (!end) return -1;
    *word = h->at + 1;
    h->at = end + 1;
    return (int)(end - *word);
}

static bramble_status unsupported(const struct header *h, const char *descr, int length)
{
    return error_set(h->error, BRAMBLE_ERR_UNSUPPORTED,
                     "%s: values of type %.*s are not read; save the array as numbers", h->path,
                     length < DESCR_SHOWN ? length : DESCR_SHOWN, descr);
}

static bool valid_size(enum dense_kind kind, char size)
{
    switch (kind) {
    case DENSE_BOOL: return size == '1';
    case DENSE_FLOAT: return size == '2' || size == '4' || size == '8';
    default: return size == '1' || size == '2' || size == '4' || size == '8';
    }
}

/* "<f4": byte order, kind, bytes. */
static bramble_status read_descr(struct header *h, struct dense_type *type)
{
    const char *word;
    skip_space(h);
    if (*h->at == '[') return unsupported(h, "record", 6);
    int length = take_word(h, &word);
    if (length < 0) return malformed(h, "descr");
    const char *kinds = "uifb", *kind = length == 3 && word[1] ? strchr(kinds, word[1]) : NULL;
    if (!kind || !strchr("<>|=", word[0])) return unsupported(h, word, length);
    type->kind = (enum dense_kind)(kind - kinds);
    if (!valid_size(type->kind, word[2])) return unsupported(h, word, length);
    type->size = (uint8_t)(word[2] - '0');
    bool host_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    type->big_endian = word[0] == '>' || (word[0] == '=' && host_big);
    return word[0] == '|' && type->size > 1 ? malformed(h, "descr") : BRAMBLE_OK;
}

/* A dimension; Python 2 wrote an L behind it. */
static bool take_size(struct header *h, uint64_t *size)
{
    skip_space(h);
    if (*h->at < '0' || *h->at > '9') return false;
    *size = 0;
    for (; *h->at >= '0' && *h->at <= '9'; h->at++)
        if (__builtin_mul_overflow(*size, 10, size) ||
            __builtin_add_overflow(*size, (uint64_t)(*h->at - '0'), size))
            return false;
    take(h, "L");
    return true;
}

/* "(3, 4)", "(3,)" or "()". */
static bramble_status read_shape(struct header *h, struct dense_array *array)
{
    if (!take(h, "(")) return malformed(h, "shape");
    bool comma = true;
    while (!take(h, ")")) {
        if (!comma || array->rank == DENSE_RANK_MAX || !take_size(h, &array->shape[array->rank]))
            return malformed(h, "shape");
        array->rank++;
        comma = take(h, ",");
    }
    return array->rank == 1 && !comma ? malformed(h, "shape") : BRAMBLE_OK;
}

static bramble_status read_order(struct header *h, struct dense_array *array)
{
    array->fortran = take(h, "True");
    return array->fortran || take(h, "False") ? BRAMBLE_OK : malformed(h, "fortran_order");
}

/* One 'key': value of the dictionary; *seen has a bit for each key. */
static bramble_status read_entry(struct header *h, struct dense_array *array, unsigned *seen)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    const char *word;
    int length = take_word(h, &word);
    unsigned key = 0;
    while (key < 3 && (length != (int)strlen(keys[key]) || memcmp(word, keys[key], (size_t)length) != 0))
        key++;
    if (key == 3 || *seen & 1u << key || !take(h, ":")) return malformed(h, "keys");
    *seen |= 1u << key;
    if (key == 0) return read_descr(h, &array->type);
    return key == 1 ? read_order(h, array) : read_shape(h, array);
}

static bramble_status parse(struct header *h, struct dense_array *array)
{
    unsigned seen = 0;
    bool comma = true;
    if (!take(h, "{")) return malformed(h, "dictionary");
    while (!take(h, "}")) {
        if (!comma) return malformed(h, "dictionary");
        bramble_status status = read_entry(h, array, &seen);
        if (status) return status;
        comma = take(h, ",");
    }
    skip_space(h);
    if (*h->at || seen != 7) return malformed(h, "dictionary");
    if (array->rank == 0)
        return error_set(h->error, BRAMBLE_ERR_DATA, "%s: a single value, not an array of rows", h->path);
    return BRAMBLE_OK;
}

/* The length that follows magic and version, 2 bytes in version 1 and 4 later. */
static bramble_status read_length(struct byte_source *source, size_t *length, bramble_error *error)
{
    uint8_t lead[8], size[4] = {0};
    bramble_status status = byte_source_header(source, lead, sizeof lead, error);
    if (status) return status;
    if (memcmp(lead, "\x93NUMPY", 6) != 0)
        return error_set(error, BRAMBLE_ERR_DATA, "%s: not an NPY array; check the path", source->path);
    if (lead[6] < 1 || lead[6] > 3 || lead[7] != 0)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                         "%s: NPY version %d.%d is not known here; save it as version 1.0 to 3.0",
                         source->path, lead[6], lead[7]);
    status = byte_source_header(source, size, lead[6] == 1 ? 2 : 4, error);
    if (status) return status;
    *length = (size_t)size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
    if (*length <= HEADER_BYTES_MAX) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA,
                     "%s: an NPY header of %zu bytes cannot be; copy or download the file again",
                     source->path, *length);
}

bramble_status npy_header_read(struct dense_array *out, struct byte_source *source, bramble_error *error)
{
    size_t length = 0;
    bramble_status status = read_length(source, &length, error);
    if (status) return status;
    char *text = mem_alloc(length + 1, 1);
    if (!text) return error_memory(error, "an NPY header");
    status = byte_source_header(source, text, length, error);
    text[status ? 0 : length] = 0;
    struct dense_array array = {0};
    struct header header = {text, source->path, error};
    if (!status && strlen(text) != length) status = malformed(&header, "text");
    if (!status) status = parse(&header, &array);
    if (!status) status = dense_measure(&array, source, error);
    mem_free(text);
    if (!status) *out = array;
    return status;
}
