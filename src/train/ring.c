#include "train/ring.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

struct ring {
    struct net_peers peers;
    const struct exchange *gathering; /* of the thread that takes steps */
    struct exchanged *theirs;         /* its members' */
    struct reduce reduce;             /* of the ring's own thread */
    const struct peers_sums *sums;    /* NULL: between steps. Under the lock, as what follows */
    bool *ready;                      /* [buckets][pieces of ours] */
    size_t n_ready;
    uint32_t n_done, n_pieces; /* parcels; of ours */
    bool broken, stop;
    bramble_error error;
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    pthread_t thread;
    bool has_thread;
    double waited;
};

static bramble_status wrong_length(uint32_t member, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_IO, "member %u of the run sent what is no part of this step",
                     member + 1);
}

/* --- gathering --- */

static bramble_status place_doubles(const struct ring *ring, const struct division *division, size_t size,
                                    double *all, bramble_error *error)
{
    for (uint32_t m = 0; m < ring->gathering->n_members; m++)
        if (ring->theirs[m].length != division_pieces_of(division, m) * size * sizeof *all)
            return wrong_length(m, error);
    for (uint32_t p = 0; p < division->n_pieces; p++) {
        struct exchanged *from = &ring->theirs[division->pieces[p].member];
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
    const struct exchange *exchange = ring->gathering;
    bramble_error error = {0};
    double start = clock_seconds();
    size_t length = division_pieces_of(division, exchange->rank) * size * sizeof *mine;
    bramble_status status = exchange->all_gather(exchange->context, mine, length, ring->theirs, &error);
    ring->waited += clock_seconds() - start;
    if (!status) status = place_doubles(ring, division, size, all, &error);
    return status ? give_up(ring, &error) : true;
}

/* --- gradients --- */

static bool is_ready(const struct ring *ring, uint32_t number)
{
    const struct reduce_parcel parcel = reduce_parcel(&ring->reduce, number, ring->peers.member);
    bool ready = true;
    for (uint32_t p = parcel.first; p < parcel.first + parcel.n; p++)
        ready = ready && ring->ready[(size_t)parcel.bucket * ring->n_pieces + p];
    return ready;
}

/* The next parcel, once it is ready; false: it is time to end. */
static bool await_parcel(struct ring *ring, uint32_t *number)
{
    pthread_mutex_lock(&ring->lock);
    while (!ring->stop && !(ring->sums && !ring->broken && ring->n_done < reduce_n_parcels(&ring->reduce) &&
                            is_ready(ring, ring->n_done)))
        pthread_cond_wait(&ring->wake, &ring->lock);
    bool stop = ring->stop;
    *number = ring->n_done;
    pthread_mutex_unlock(&ring->lock);
    return !stop;
}

/* In order, so that all members' exchanges meet. */
static void *reduce_parcels(void *context)
{
    struct ring *ring = context;
    for (uint32_t number; await_parcel(ring, &number);) {
        bramble_error error = {0};
        if (reduce_exchange(&ring->reduce, number, &error)) {
            give_up(ring, &error);
            continue;
        }
        pthread_mutex_lock(&ring->lock);
        if (++ring->n_done == reduce_n_parcels(&ring->reduce)) pthread_cond_signal(&ring->done);
        pthread_mutex_unlock(&ring->lock);
    }
    return NULL;
}

static bramble_status make_ready(struct ring *ring, const struct peers_sums *sums, bramble_error *error)
{
    ring->n_pieces = division_pieces_of(sums->division, ring->peers.member);
    size_t n = (size_t)sums->n_buckets * ring->n_pieces;
    if (n > ring->n_ready) {
        bool *ready = mem_alloc(n, sizeof *ready);
        if (!ready) return error_memory(error, "the members' gradients");
        mem_free(ring->ready);
        ring->ready = ready;
        ring->n_ready = n;
    }
    if (n) memset(ring->ready, 0, n * sizeof *ring->ready);
    return BRAMBLE_OK;
}

static bool begin(void *context, const struct peers_sums *sums)
{
    struct ring *ring = context;
    bramble_error error;
    pthread_mutex_lock(&ring->lock);
    bramble_status status = make_ready(ring, sums, &error);
    if (!status) status = reduce_begin(&ring->reduce, sums, &error);
    ring->n_done = 0;
    ring->waited = 0;
    ring->sums = status ? NULL : sums;
    bool broken = ring->broken;
    pthread_cond_signal(&ring->wake);
    pthread_mutex_unlock(&ring->lock);
    return status ? give_up(ring, &error) : !broken;
}

static void ready(void *context, uint32_t bucket, uint32_t piece)
{
    struct ring *ring = context;
    pthread_mutex_lock(&ring->lock);
    ring->ready[(size_t)bucket * ring->n_pieces + piece] = true;
    if (ring->n_done < reduce_n_parcels(&ring->reduce) && is_ready(ring, ring->n_done))
        pthread_cond_signal(&ring->wake);
    pthread_mutex_unlock(&ring->lock);
}

static bool finish(void *context)
{
    struct ring *ring = context;
    double start = clock_seconds();
    pthread_mutex_lock(&ring->lock);
    while (!ring->broken && ring->n_done < reduce_n_parcels(&ring->reduce))
        pthread_cond_wait(&ring->done, &ring->lock);
    bool good = !ring->broken;
    if (good) ring->sums = NULL;
    pthread_mutex_unlock(&ring->lock);
    ring->waited += clock_seconds() - start;
    return good;
}

/* --- beginning and end --- */

/* Signals are other threads' to take. */
static bool start_thread(struct ring *ring)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ring->has_thread = pthread_create(&ring->thread, NULL, reduce_parcels, ring) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ring->has_thread;
}

bramble_status ring_new(struct ring **out, const struct exchange exchanges[2], enum reduce_slices slices,
                        bramble_error *error)
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
    ring->gathering = &exchanges[0];
    ring->theirs = mem_zalloc(exchanges[0].n_members, sizeof *ring->theirs);
    if (reduce_init(&ring->reduce, &exchanges[1], slices) && ring->theirs && start_thread(ring)) {
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
    if (busy) ring->reduce.exchange->leave(ring->reduce.exchange->context);
    if (ring->has_thread) pthread_join(ring->thread, NULL);
    pthread_mutex_destroy(&ring->lock);
    pthread_cond_destroy(&ring->wake);
    pthread_cond_destroy(&ring->done);
    reduce_fini(&ring->reduce);
    mem_free(ring->theirs);
    mem_free(ring->ready);
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
