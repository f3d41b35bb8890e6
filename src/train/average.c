#include "train/average.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/int8.h"

struct average {
    const struct exchange *exchange;
    size_t n;
    bool int8;
    struct exchanged *mine, *theirs; /* n_members */
    uint8_t *packed;                 /* int8: our slices for all, one behind the other */
    float *lost, *lost_sum;          /* int8: of our numbers, and of our slice's sums */
    float *sum, *room;               /* of our slice; of another's */
};

static size_t slice_begin(const struct average *a, uint32_t member)
{
    return a->n * member / a->exchange->n_members;
}

static size_t slice_length(const struct average *a, uint32_t member)
{
    return slice_begin(a, member + 1) - slice_begin(a, member);
}

bramble_status average_new(struct average **out, const struct exchange *exchange, size_t n, bool int8,
                           bramble_error *error)
{
    struct average *a = mem_zalloc(1, sizeof *a);
    if (!a) return error_memory(error, "the members' averages");
    *a = (struct average){.exchange = exchange, .n = n, .int8 = int8};
    uint32_t n_members = exchange->n_members;
    size_t slice = n / n_members + 1;
    a->mine = mem_alloc(n_members, sizeof *a->mine);
    a->theirs = mem_alloc(n_members, sizeof *a->theirs);
    a->sum = mem_alloc(slice, sizeof *a->sum);
    a->room = mem_alloc(slice, sizeof *a->room);
    bool good = a->mine && a->theirs && a->sum && a->room;
    if (int8) {
        a->packed = mem_alloc(n_members, int8_bytes(slice));
        a->lost = mem_zalloc(n + 1, sizeof *a->lost);
        a->lost_sum = mem_zalloc(slice, sizeof *a->lost_sum);
        good = good && a->packed && a->lost && a->lost_sum;
    }
    if (good) {
        *out = a;
        return BRAMBLE_OK;
    }
    average_free(a);
    return error_memory(error, "the members' averages");
}

void average_free(struct average *a)
{
    if (!a) return;
    mem_free(a->mine);
    mem_free(a->theirs);
    mem_free(a->packed);
    mem_free(a->lost);
    mem_free(a->lost_sum);
    mem_free(a->sum);
    mem_free(a->room);
    mem_free(a);
}

/* Another's numbers as it sent them, into to[n]. */
static bramble_status unpack(const struct average *a, uint32_t member, size_t n, float *to,
                             bramble_error *error)
{
    const struct exchanged *sent = &a->theirs[member];
    if (a->int8 ? int8_unpack(to, n, sent->bytes, sent->length) : sent->length == n * sizeof *to) {
        if (!a->int8 && n) memcpy(to, sent->bytes, n * sizeof *to);
        return BRAMBLE_OK;
    }
    return error_set(error, BRAMBLE_ERR_IO, "member %u of the run sent what is no part of an average",
                     member + 1);
}

static void lay_out(struct average *a, const float *numbers)
{
    uint8_t *to = a->packed;
    for (uint32_t m = 0; m < a->exchange->n_members; m++) {
        size_t begin = slice_begin(a, m), n = slice_length(a, m);
        a->mine[m] = (struct exchanged){numbers + begin, n * sizeof *numbers};
        if (!a->int8) continue;
        int8_pack(to, numbers + begin, a->lost + begin, n);
        a->mine[m] = (struct exchanged){to, int8_bytes(n)};
        to += int8_bytes(n);
    }
}

/* Our slice of all members' numbers, in the members' order. */
static bramble_status add_up(struct average *a, bramble_error *error)
{
    size_t n = slice_length(a, a->exchange->rank);
    memset(a->sum, 0, n * sizeof *a->sum);
    for (uint32_t m = 0; m < a->exchange->n_members; m++) {
        bramble_status status = unpack(a, m, n, a->room, error);
        if (status) return status;
        for (size_t i = 0; i < n; i++) a->sum[i] += a->room[i];
    }
    return BRAMBLE_OK;
}

static bramble_status share_sums(struct average *a, float *numbers, bramble_error *error)
{
    const struct exchange *exchange = a->exchange;
    size_t n = slice_length(a, exchange->rank), length = n * sizeof *a->sum;
    const void *bytes = a->sum;
    if (a->int8) {
        int8_pack(a->packed, a->sum, a->lost_sum, n);
        bytes = a->packed;
        length = int8_bytes(n);
    }
    bramble_status status = exchange->all_gather(exchange->context, bytes, length, a->theirs, error);
    for (uint32_t m = 0; !status && m < exchange->n_members; m++)
        status = unpack(a, m, slice_length(a, m), numbers + slice_begin(a, m), error);
    return status;
}

bramble_status average_take(struct average *a, float *numbers, double share, bramble_error *error)
{
    for (size_t i = 0; i < a->n; i++) numbers[i] = share > 0 ? (float)share * numbers[i] : 0;
    lay_out(a, numbers);
    bramble_status status = a->exchange->all_to_all(a->exchange->context, a->mine, a->theirs, error);
    if (!status) status = add_up(a, error);
    return status ? status : share_sums(a, numbers, error);
}
