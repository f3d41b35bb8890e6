#include "train/ring.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

enum {
    WHOLE_NUMBERS = 2048, /* a bucket of fewer goes to everybody at once: one round instead of two */
    SLICE_NUMBERS = 16,   /* slices begin at multiples of this */
};

/* Room that grows. */
struct room {
    void *bytes;
    size_t size;
};

/* What one thread needs for its exchanges. */
struct side {
    const struct exchange *exchange;
    struct exchanged *mine, *theirs; /* n_members */
    struct room out, sum, pieces;
};

struct ring {
    struct net_peers peers;
    struct side gathering, reducing; /* of the thread that takes steps, and of the ring's own */
    const struct peers_sums *sums;   /* NULL: between steps. Under the lock, as what follows */
    struct room ready;               /* bool of each bucket */
    uint32_t n_done;                 /* buckets */
    bool broken, stop;
    bramble_error error;
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    pthread_t thread;
    bool has_thread;
    double waited;
};

static bool make_room(struct room *room, size_t size)
{
    if (room->size >= size) return true;
    void *bytes = mem_alloc_aligned(size, 1);
    if (!bytes) return false;
    mem_free(room->bytes);
    *room = (struct room){bytes, size};
    return true;
}

static bramble_status wrong_length(uint32_t member, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_IO, "member %u of the run sent what is no part of this step",
                     member + 1);
}

/* --- gathering --- */

static bramble_status place_doubles(const struct side *side, const struct division *division, size_t size,
                                    double *all, bramble_error *error)
{
    for (uint32_t m = 0; m < side->exchange->n_members; m++)
        if (side->theirs[m].length != division_pieces_of(division, m) * size * sizeof *all)
            return wrong_length(m, error);
    for (uint32_t p = 0; p < division->n_pieces; p++) {
        struct exchanged *from = &side->theirs[division->pieces[p].member];
        memcpy(all + p * size, from->bytes, size * sizeof *all);
        from->bytes = (const char *)from->bytes + size * sizeof *all;
    }
    return BRAMBLE_OK;
}

static bool give_up(struct ring *ring, const bramble_error *error)
{
    pthread_mutex_lock(&ring->lock);
    if (!ring->broken) ring->error = *error;
    ring->broken = true;
    pthread_cond_signal(&ring->done);
    pthread_mutex_unlock(&ring->lock);
    return false;
}

static bool gather(void *context, const struct division *division, const double *mine, size_t size,
                   double *all)
{
    struct ring *ring = context;
    struct side *side = &ring->gathering;
    const struct exchange *exchange = side->exchange;
    bramble_error error = {0};
    double start = clock_seconds();
    size_t length = division_pieces_of(division, exchange->rank) * size * sizeof *mine;
    bramble_status status = exchange->all_gather(exchange->context, mine, length, side->theirs, &error);
    ring->waited += clock_seconds() - start;
    if (!status) status = place_doubles(side, division, size, all, &error);
    return status ? give_up(ring, &error) : true;
}

/* --- gradients --- */

/* Where member m's slice of n numbers begins. */
static size_t slice_begin(size_t n, uint32_t n_members, uint32_t m)
{
    if (m == n_members) return n;
    return n * m / n_members / SLICE_NUMBERS * SLICE_NUMBERS;
}

/* Adds up numbers of all pieces as they came in, each member's one behind the other. */
static bramble_status add_up(struct side *side, const struct division *division, size_t n, float *total,
                             bramble_error *error)
{
    uint32_t n_members = side->exchange->n_members;
    if (!make_room(&side->pieces, division->n_pieces * sizeof(float *)))
        return error_memory(error, "the members' gradients");
    const float **pieces = side->pieces.bytes;
    for (uint32_t m = 0; m < n_members; m++)
        if (side->theirs[m].length != division_pieces_of(division, m) * n * sizeof(float))
            return wrong_length(m, error);
    for (uint32_t p = 0; p < division->n_pieces; p++) {
        struct exchanged *from = &side->theirs[division->pieces[p].member];
        pieces[p] = from->bytes;
        from->bytes = (const char *)from->bytes + n * sizeof(float);
    }
    division_fold(division, pieces, n, total);
    return BRAMBLE_OK;
}

/* Our pieces' numbers first..first + n - 1 of the bucket, one piece's behind the other's. */
static char *lay_out(char *to, const struct peers_sums *sums, uint32_t n_pieces, size_t first, size_t n)
{
    for (uint32_t p = 0; p < n_pieces; p++, to += n * sizeof(float))
        memcpy(to, sums->mine + p * sums->n_numbers + first, n * sizeof(float));
    return to;
}

static bramble_status reduce_whole(struct side *side, const struct peers_sums *sums,
                                   const struct peers_bucket *bucket, uint32_t n_pieces, bramble_error *error)
{
    const struct exchange *exchange = side->exchange;
    size_t length = n_pieces * bucket->n * sizeof(float);
    lay_out(side->out.bytes, sums, n_pieces, bucket->first, bucket->n);
    bramble_status status =
        exchange->all_gather(exchange->context, side->out.bytes, length, side->theirs, error);
    return status ? status : add_up(side, sums->division, bucket->n, sums->totals + bucket->first, error);
}

static bramble_status share_slice(struct side *side, const struct peers_sums *sums,
                                  const struct peers_bucket *bucket, size_t n, bramble_error *error)
{
    const struct exchange *exchange = side->exchange;
    bramble_status status =
        exchange->all_gather(exchange->context, side->sum.bytes, n * sizeof(float), side->theirs, error);
    for (uint32_t m = 0; !status && m < exchange->n_members; m++) {
        size_t begin = slice_begin(bucket->n, exchange->n_members, m);
        size_t length = (slice_begin(bucket->n, exchange->n_members, m + 1) - begin) * sizeof(float);
        if (side->theirs[m].length != length)
            status = wrong_length(m, error);
        else if (length)
            memcpy(sums->totals + bucket->first + begin, side->theirs[m].bytes, length);
    }
    return status;
}

static bramble_status reduce(struct side *side, const struct peers_sums *sums,
                             const struct peers_bucket *bucket, bramble_error *error)
{
    const struct exchange *exchange = side->exchange;
    uint32_t n_members = exchange->n_members, n_pieces = division_pieces_of(sums->division, exchange->rank);
    if (!make_room(&side->out, (n_pieces * bucket->n + 1) * sizeof(float)) ||
        !make_room(&side->sum, (bucket->n + 1) * sizeof(float)))
        return error_memory(error, "the members' gradients");
    if (bucket->n < WHOLE_NUMBERS || n_members == 1) return reduce_whole(side, sums, bucket, n_pieces, error);
    char *at = side->out.bytes;
    for (uint32_t m = 0; m < n_members; m++) {
        size_t begin = slice_begin(bucket->n, n_members, m),
               n = slice_begin(bucket->n, n_members, m + 1) - begin;
        side->mine[m] = (struct exchanged){at, n_pieces * n * sizeof(float)};
        at = lay_out(at, sums, n_pieces, bucket->first + begin, n);
    }
    bramble_status status = exchange->all_to_all(exchange->context, side->mine, side->theirs, error);
    size_t begin = slice_begin(bucket->n, n_members, exchange->rank);
    size_t n = slice_begin(bucket->n, n_members, exchange->rank + 1) - begin;
    if (!status) status = add_up(side, sums->division, n, side->sum.bytes, error);
    return status ? status : share_slice(side, sums, bucket, n, error);
}

/* The next bucket, once it is ready; NULL: it is time to end. */
static const struct peers_bucket *await_bucket(struct ring *ring, const struct peers_sums **sums)
{
    pthread_mutex_lock(&ring->lock);
    const bool *ready = ring->ready.bytes;
    while (!ring->stop && !(ring->sums && !ring->broken && ring->n_done < ring->sums->n_buckets &&
                            (ready = ring->ready.bytes)[ring->n_done]))
        pthread_cond_wait(&ring->wake, &ring->lock);
    const struct peers_bucket *bucket = ring->stop ? NULL : &ring->sums->buckets[ring->n_done];
    *sums = ring->sums;
    pthread_mutex_unlock(&ring->lock);
    return bucket;
}

/* In order, so that all members' exchanges meet. */
static void *reduce_buckets(void *context)
{
    struct ring *ring = context;
    const struct peers_sums *sums;
    for (const struct peers_bucket *bucket; (bucket = await_bucket(ring, &sums));) {
        bramble_error error = {0};
        if (reduce(&ring->reducing, sums, bucket, &error)) {
            give_up(ring, &error);
            continue;
        }
        pthread_mutex_lock(&ring->lock);
        if (++ring->n_done == sums->n_buckets) pthread_cond_signal(&ring->done);
        pthread_mutex_unlock(&ring->lock);
    }
    return NULL;
}

static bool begin(void *context, const struct peers_sums *sums)
{
    struct ring *ring = context;
    pthread_mutex_lock(&ring->lock);
    bool good = make_room(&ring->ready, sums->n_buckets * sizeof(bool) + 1);
    if (good) memset(ring->ready.bytes, 0, sums->n_buckets * sizeof(bool));
    ring->n_done = 0;
    ring->waited = 0;
    ring->sums = good ? sums : NULL;
    good = good && !ring->broken;
    pthread_mutex_unlock(&ring->lock);
    bramble_error error;
    if (good) return true;
    error_memory(&error, "the members' gradients");
    return give_up(ring, &error);
}

static void ready(void *context, uint32_t bucket)
{
    struct ring *ring = context;
    pthread_mutex_lock(&ring->lock);
    ((bool *)ring->ready.bytes)[bucket] = true;
    if (bucket == ring->n_done) pthread_cond_signal(&ring->wake);
    pthread_mutex_unlock(&ring->lock);
}

static bool finish(void *context)
{
    struct ring *ring = context;
    double start = clock_seconds();
    pthread_mutex_lock(&ring->lock);
    while (!ring->broken && ring->n_done < ring->sums->n_buckets) pthread_cond_wait(&ring->done, &ring->lock);
    bool good = !ring->broken;
    if (good) ring->sums = NULL;
    pthread_mutex_unlock(&ring->lock);
    ring->waited += clock_seconds() - start;
    return good;
}

/* --- beginning and end --- */

static bool side_init(struct side *side, const struct exchange *exchange)
{
    side->exchange = exchange;
    side->mine = mem_zalloc(exchange->n_members, sizeof *side->mine);
    side->theirs = mem_zalloc(exchange->n_members, sizeof *side->theirs);
    return side->mine && side->theirs;
}

static void side_fini(struct side *side)
{
    mem_free(side->mine);
    mem_free(side->theirs);
    mem_free(side->out.bytes);
    mem_free(side->sum.bytes);
    mem_free(side->pieces.bytes);
}

/* Signals are other threads' to take. */
static bool start_thread(struct ring *ring)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ring->has_thread = pthread_create(&ring->thread, NULL, reduce_buckets, ring) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ring->has_thread;
}

bramble_status ring_new(struct ring **out, const struct exchange exchanges[2], bramble_error *error)
{
    struct ring *ring = mem_zalloc(1, sizeof *ring);
    if (!ring) return error_memory(error, "the members' ring");
    ring->peers = (struct net_peers){.member = exchanges[0].rank,
                                     .context = ring,
                                     .begin = begin,
                                     .gather = gather,
                                     .ready = ready,
                                     .finish = finish};
    pthread_mutex_init(&ring->lock, NULL);
    pthread_cond_init(&ring->wake, NULL);
    pthread_cond_init(&ring->done, NULL);
    bool good = side_init(&ring->gathering, &exchanges[0]);
    good = side_init(&ring->reducing, &exchanges[1]) && good;
    if (good && start_thread(ring)) {
        *out = ring;
        return BRAMBLE_OK;
    }
    ring_free(ring);
    return error_memory(error, "the members' ring");
}

void ring_free(struct ring *ring)
{
    if (!ring) return;
    pthread_mutex_lock(&ring->lock);
    bool busy = ring->sums != NULL;
    ring->stop = true;
    pthread_cond_signal(&ring->wake);
    pthread_mutex_unlock(&ring->lock);
    if (busy) ring->reducing.exchange->leave(ring->reducing.exchange->context);
    if (ring->has_thread) pthread_join(ring->thread, NULL);
    pthread_mutex_destroy(&ring->lock);
    pthread_cond_destroy(&ring->wake);
    pthread_cond_destroy(&ring->done);
    side_fini(&ring->gathering);
    side_fini(&ring->reducing);
    mem_free(ring->ready.bytes);
    mem_free(ring);
}

const struct net_peers *ring_peers(const struct ring *ring)
{
    return &ring->peers;
}

const bramble_error *ring_error(const struct ring *ring)
{
    return &ring->error;
}

double ring_waited(const struct ring *ring)
{
    return ring->waited;
}
