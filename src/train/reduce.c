#include "train/reduce.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/average.h"

enum {
    WHOLE_NUMBERS = 2048, /* an even bucket of fewer goes to everybody at once: one round instead of two */
    SLICE_NUMBERS = 16,   /* slices begin at multiples of this */
};

/* Some of a bucket's numbers. */
struct slice {
    size_t begin, n;
};

bool reduce_init(struct reduce *reduce, const struct exchange *exchange, enum reduce_slices slices)
{
    *reduce = (struct reduce){.exchange = exchange, .slices = slices};
    reduce->mine = mem_zalloc(exchange->n_members, sizeof *reduce->mine);
    reduce->theirs = mem_zalloc(exchange->n_members, sizeof *reduce->theirs);
    reduce->n_pieces = mem_zalloc(exchange->n_members, sizeof *reduce->n_pieces);
    return reduce->mine && reduce->theirs && reduce->n_pieces;
}

void reduce_fini(struct reduce *reduce)
{
    mem_free(reduce->mine);
    mem_free(reduce->theirs);
    mem_free(reduce->n_pieces);
    mem_free(reduce->out.bytes);
    mem_free(reduce->sum.bytes);
    mem_free(reduce->pieces.bytes);
    mem_free(reduce->store.bytes);
    for (uint32_t b = 0; b < reduce->n_averages; b++) average_free(reduce->averages[b]);
    mem_free(reduce->averages);
    *reduce = (struct reduce){0};
}

static bool make_room(struct reduce_room *room, size_t size)
{
    if (room->size >= size) return true;
    void *bytes = mem_alloc_aligned(size, 1);
    if (!bytes) return false;
    mem_free(room->bytes);
    *room = (struct reduce_room){bytes, size};
    return true;
}

/* --- who adds up what --- */

static bool goes_to_all(const struct reduce *reduce, const struct peers_bucket *bucket)
{
    return (reduce->slices == REDUCE_EVEN && bucket->n < WHOLE_NUMBERS) || reduce->exchange->n_members == 1;
}

/* What member m adds up of a bucket. */
static struct slice slice_of(const struct reduce *reduce, const struct peers_bucket *bucket, uint32_t m)
{
    uint32_t n_members = reduce->exchange->n_members;
    if (goes_to_all(reduce, bucket)) return (struct slice){0, bucket->n};
    if (reduce->slices == REDUCE_CENTRAL) return (struct slice){0, m == 0 ? bucket->n : 0};
    size_t begin = bucket->n * m / n_members / SLICE_NUMBERS * SLICE_NUMBERS;
    size_t end =
        m + 1 == n_members ? bucket->n : bucket->n * (m + 1) / n_members / SLICE_NUMBERS * SLICE_NUMBERS;
    return (struct slice){begin, end - begin};
}

/* --- a step --- */

static bool goes_by_pieces(const struct reduce *reduce)
{
    return reduce->sums->by_pieces && reduce->slices != REDUCE_ROUNDED;
}

uint32_t reduce_n_parcels(const struct reduce *reduce)
{
    return reduce->n_rounds * reduce->sums->n_buckets;
}

struct reduce_parcel reduce_parcel(const struct reduce *reduce, uint32_t number, uint32_t member)
{
    uint32_t n_buckets = reduce->sums->n_buckets, n = reduce->n_pieces[member];
    if (!goes_by_pieces(reduce)) return (struct reduce_parcel){number, 0, n};
    uint32_t round = number / n_buckets, later = reduce->n_rounds - round;
    return (struct reduce_parcel){number % n_buckets, later <= n ? n - later : 0, later <= n};
}

/* Of the first step; all have the same buckets. */
static bramble_status make_averages(struct reduce *reduce, bramble_error *error)
{
    const struct peers_sums *sums = reduce->sums;
    if (!reduce->averages && !(reduce->averages = mem_zalloc(sums->n_buckets, sizeof *reduce->averages)))
        return error_memory(error, "the members' gradients");
    for (; reduce->n_averages < sums->n_buckets; reduce->n_averages++) {
        bramble_status status = average_new(&reduce->averages[reduce->n_averages], reduce->exchange,
                                            sums->buckets[reduce->n_averages].n, true, error);
        if (status) return status;
    }
    return BRAMBLE_OK;
}

bramble_status reduce_begin(struct reduce *reduce, const struct peers_sums *sums, bramble_error *error)
{
    const struct division *division = sums->division;
    size_t largest = 0, own = 0;
    uint32_t most = 1;
    reduce->sums = sums;
    for (uint32_t m = 0; m < reduce->exchange->n_members; m++) {
        reduce->n_pieces[m] = division_pieces_of(division, m);
        if (reduce->n_pieces[m] > most) most = reduce->n_pieces[m];
    }
    reduce->n_rounds = goes_by_pieces(reduce) ? most : 1;
    if (reduce->slices == REDUCE_ROUNDED) return make_averages(reduce, error);
    for (uint32_t b = 0; b < sums->n_buckets; b++) {
        if (sums->buckets[b].n > largest) largest = sums->buckets[b].n;
        own += slice_of(reduce, &sums->buckets[b], reduce->exchange->rank).n;
    }
    size_t n_mine = sums->by_pieces ? 1 : reduce->n_pieces[reduce->exchange->rank];
    size_t n_stored = reduce->n_rounds > 1 ? division->n_pieces * own : 0;
    if (make_room(&reduce->out, (n_mine * largest + 1) * sizeof(float)) &&
        make_room(&reduce->sum, (largest + 1) * sizeof(float)) &&
        make_room(&reduce->store, (n_stored + 1) * sizeof(float)) &&
        make_room(&reduce->pieces, ((size_t)sums->n_buckets * division->n_pieces + 1) * sizeof(float *)))
        return BRAMBLE_OK;
    return error_memory(error, "the members' gradients");
}

/* --- a parcel --- */

static bramble_status wrong_length(uint32_t member, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_IO, "member %u of the run sent what is no part of this step",
                     member + 1);
}

/* Our pieces' numbers of a slice, one piece's behind the other's: where they lie, if it is one. */
static struct exchanged lay_out(const struct reduce *reduce, const struct reduce_parcel *parcel,
                                struct slice slice, float **room)
{
    const struct peers_sums *sums = reduce->sums;
    const float *from =
        sums->mine + parcel->first * sums->n_numbers + sums->buckets[parcel->bucket].first + slice.begin;
    const struct exchanged laid = {*room, parcel->n * slice.n * sizeof(float)};
    if (parcel->n == 1) return (struct exchanged){from, laid.length};
    for (uint32_t p = 0; p < parcel->n; p++, from += sums->n_numbers, *room += slice.n)
        memcpy(*room, from, slice.n * sizeof(float));
    return laid;
}

static bramble_status bring_pieces(struct reduce *reduce, uint32_t number, bramble_error *error)
{
    const struct exchange *exchange = reduce->exchange;
    const struct reduce_parcel parcel = reduce_parcel(reduce, number, exchange->rank);
    const struct peers_bucket *bucket = &reduce->sums->buckets[parcel.bucket];
    float *room = reduce->out.bytes;
    if (goes_to_all(reduce, bucket)) {
        struct exchanged all = lay_out(reduce, &parcel, slice_of(reduce, bucket, 0), &room);
        return exchange->all_gather(exchange->context, all.bytes, all.length, reduce->theirs, error);
    }
    for (uint32_t m = 0; m < exchange->n_members; m++)
        reduce->mine[m] = lay_out(reduce, &parcel, slice_of(reduce, bucket, m), &room);
    return exchange->all_to_all(exchange->context, reduce->mine, reduce->theirs, error);
}

/* The numbers of a bucket that is not the last one come before the next one's. */
static float *store_of(const struct reduce *reduce, uint32_t bucket)
{
    float *store = reduce->store.bytes;
    for (uint32_t b = 0; b < bucket; b++)
        store += reduce->sums->division->n_pieces *
                 slice_of(reduce, &reduce->sums->buckets[b], reduce->exchange->rank).n;
    return store;
}

/* What came in stays where it is until the next exchange: `last`, or is put into the store. */
static bramble_status take_pieces(struct reduce *reduce, uint32_t number, bool last, bramble_error *error)
{
    const struct division *division = reduce->sums->division;
    uint32_t b = reduce_parcel(reduce, number, 0).bucket, n_members = reduce->exchange->n_members;
    size_t n = slice_of(reduce, &reduce->sums->buckets[b], reduce->exchange->rank).n;
    const float **pieces = (const float **)reduce->pieces.bytes + (size_t)b * division->n_pieces;
    float *store = last ? NULL : store_of(reduce, b);
    for (uint32_t m = 0; m < n_members; m++)
        if (reduce->theirs[m].length != reduce_parcel(reduce, number, m).n * n * sizeof(float))
            return wrong_length(m, error);
    for (uint32_t m = 0; m < n_members; m++) {
        const struct reduce_parcel parcel = reduce_parcel(reduce, number, m);
        const float *from = reduce->theirs[m].bytes;
        for (uint32_t p = 0, i = 0; p < division->n_pieces; p++) {
            if (division->pieces[p].member != m) continue;
            if (i >= parcel.first && i < parcel.first + parcel.n) {
                pieces[p] = last ? from : memcpy(store + p * n, from, n * sizeof(float));
                from += n;
            }
            i++;
        }
    }
    return BRAMBLE_OK;
}

static bramble_status share_totals(struct reduce *reduce, const struct peers_bucket *bucket,
                                   bramble_error *error)
{
    const struct exchange *exchange = reduce->exchange;
    size_t own = slice_of(reduce, bucket, exchange->rank).n * sizeof(float);
    bramble_status status =
        exchange->all_gather(exchange->context, reduce->sum.bytes, own, reduce->theirs, error);
    for (uint32_t m = 0; !status && m < exchange->n_members; m++) {
        const struct slice slice = slice_of(reduce, bucket, m);
        if (reduce->theirs[m].length != slice.n * sizeof(float))
            status = wrong_length(m, error);
        else if (slice.n)
            memcpy(reduce->sums->totals + bucket->first + slice.begin, reduce->theirs[m].bytes,
                   slice.n * sizeof(float));
    }
    return status;
}

static bramble_status add_rounded(struct reduce *reduce, uint32_t b, bramble_error *error)
{
    const struct peers_sums *sums = reduce->sums;
    const struct peers_bucket *bucket = &sums->buckets[b];
    float *total = sums->totals + bucket->first;
    uint32_t n_pieces = reduce->n_pieces[reduce->exchange->rank];
    memset(total, 0, bucket->n * sizeof *total);
    for (uint32_t p = 0; p < n_pieces; p++) {
        const float *mine = sums->mine + p * sums->n_numbers + bucket->first;
        for (size_t i = 0; i < bucket->n; i++) total[i] += mine[i];
    }
    return average_take(reduce->averages[b], total, n_pieces ? 1 : 0, error);
}

bramble_status reduce_exchange(struct reduce *reduce, uint32_t number, bramble_error *error)
{
    const struct peers_sums *sums = reduce->sums;
    if (reduce->slices == REDUCE_ROUNDED) return add_rounded(reduce, number, error);
    uint32_t b = reduce_parcel(reduce, number, 0).bucket;
    const struct peers_bucket *bucket = &sums->buckets[b];
    bool last = number + sums->n_buckets >= reduce_n_parcels(reduce);
    bramble_status status = bring_pieces(reduce, number, error);
    if (!status) status = take_pieces(reduce, number, last, error);
    if (status || !last) return status;
    bool whole = goes_to_all(reduce, bucket);
    const float *const *pieces =
        (const float *const *)reduce->pieces.bytes + (size_t)b * sums->division->n_pieces;
    division_fold(sums->division, pieces, slice_of(reduce, bucket, reduce->exchange->rank).n,
                  whole ? sums->totals + bucket->first : reduce->sum.bytes);
    return whole ? BRAMBLE_OK : share_totals(reduce, bucket, error);
}
