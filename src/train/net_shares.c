#include "train/net_shares.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "net/operator.h"
#include "train/shares.h"

/* Shares hold for a period of steps. What they are in the next is settled early enough for the batches that
 * are made ahead. */
enum { PERIOD = 4, SETTLED_BEFORE = 3 };

/* The shares of one batch, worked out when it is asked about. */
struct sharing {
    struct division division;
    uint32_t *shares; /* n_members */
    uint32_t *owners; /* of each microbatch */
    uint64_t step;    /* UINT64_MAX: none yet */
};

struct net_shares {
    uint32_t rank, n_members;
    uint64_t epoch_steps;
    pthread_mutex_t lock;
    double *seconds[2]; /* that a microbatch takes each, in periods that are even, and odd; under the lock */
    struct sharing training; /* of the thread that takes steps */
    struct sharing making;   /* of the one that makes batches */
    struct exchanged *theirs;
    uint32_t *others; /* net_shares_of's */
    bool *guessed;    /* n_members: no time was measured yet, and it is in threads */
    double busy;      /* of this member since it last told */
    uint64_t taken;
};

static bool sharing_init(struct sharing *sharing, uint32_t n_members, uint32_t n_microbatches)
{
    sharing->step = UINT64_MAX;
    sharing->shares = mem_alloc(n_members, sizeof *sharing->shares);
    sharing->owners = mem_alloc(n_microbatches, sizeof *sharing->owners);
    return sharing->shares && sharing->owners &&
           !division_init(&sharing->division, n_members, n_microbatches, NULL);
}

static void sharing_fini(struct sharing *sharing)
{
    division_fini(&sharing->division);
    mem_free(sharing->shares);
    mem_free(sharing->owners);
}

void net_shares_free(struct net_shares *shares)
{
    if (!shares) return;
    sharing_fini(&shares->training);
    sharing_fini(&shares->making);
    pthread_mutex_destroy(&shares->lock);
    for (unsigned i = 0; i < 2; i++) mem_free(shares->seconds[i]);
    mem_free(shares->theirs);
    mem_free(shares->others);
    mem_free(shares->guessed);
    mem_free(shares);
}

/* Everybody's number: a time, or 0 from who has none. */
static bramble_status tell(struct net_shares *shares, const struct exchange *exchange, double mine,
                           double *theirs, bramble_error *error)
{
    bramble_status status =
        exchange->all_gather(exchange->context, &mine, sizeof mine, shares->theirs, error);
    for (uint32_t m = 0; !status && m < shares->n_members; m++) {
        const struct exchanged *sent = &shares->theirs[m];
        if (sent->length == sizeof mine) memcpy(&theirs[m], sent->bytes, sizeof mine);
        if (sent->length != sizeof mine || !(theirs[m] >= 0 && theirs[m] < 1e9))
            status = error_set(error, BRAMBLE_ERR_IO, "member %u of the run sent no time", m + 1);
    }
    return status;
}

/* Until they are measured, nodes are as fast as they have threads. */
static bramble_status begin(struct net_shares *shares, const struct exchange *exchange, uint32_t threads,
                            bramble_error *error)
{
    double *seconds = shares->seconds[0];
    bramble_status status = tell(shares, exchange, 1.0 / (threads ? threads : 1), seconds, error);
    for (uint32_t m = 0; !status && m < shares->n_members; m++) {
        shares->guessed[m] = true;
        if (!(seconds[m] > 0)) seconds[m] = 1;
    }
    if (!status) memcpy(shares->seconds[1], seconds, shares->n_members * sizeof *seconds);
    return status;
}

bramble_status net_shares_new(struct net_shares **out, const struct exchange *exchange, uint64_t rows,
                              uint32_t batch_size, uint32_t threads, bramble_error *error)
{
    uint32_t n = exchange->n_members, microbatches = (batch_size + MICROBATCH - 1) / MICROBATCH;
    struct net_shares *shares = mem_zalloc(1, sizeof *shares);
    if (!shares) return error_memory(error, "the members' shares");
    shares->rank = exchange->rank;
    shares->n_members = n;
    shares->epoch_steps = (rows + batch_size - 1) / batch_size;
    pthread_mutex_init(&shares->lock, NULL);
    bool good = true;
    for (unsigned i = 0; i < 2; i++) good &= (shares->seconds[i] = mem_alloc(n, sizeof(double))) != NULL;
    good &= (shares->theirs = mem_alloc(n, sizeof *shares->theirs)) != NULL;
    good &= (shares->others = mem_alloc(n, sizeof *shares->others)) != NULL;
    good &= (shares->guessed = mem_alloc(n, sizeof *shares->guessed)) != NULL;
    good &= sharing_init(&shares->training, n, microbatches);
    good &= sharing_init(&shares->making, n, microbatches);
    bramble_status status =
        good ? begin(shares, exchange, threads, error) : error_memory(error, "the members' shares");
    if (status)
        net_shares_free(shares);
    else
        *out = shares;
    return status;
}

static void divide(struct net_shares *shares, struct sharing *sharing, uint64_t step, uint32_t samples)
{
    uint32_t n_microbatches = (samples + MICROBATCH - 1) / MICROBATCH;
    pthread_mutex_lock(&shares->lock);
    shares_divide(sharing->shares, shares->seconds[step / PERIOD % 2], shares->n_members, n_microbatches);
    pthread_mutex_unlock(&shares->lock);
    division_set(&sharing->division, sharing->shares);
    for (uint32_t i = 0; i < sharing->division.n_pieces; i++) {
        const struct division_piece *piece = &sharing->division.pieces[i];
        for (uint32_t k = 0; k < 1U << piece->level; k++) sharing->owners[piece->first + k] = piece->member;
    }
    sharing->step = step;
}

const struct division *net_shares_division(struct net_shares *shares, uint64_t step, uint32_t samples)
{
    divide(shares, &shares->training, step, samples);
    return &shares->training.division;
}

const uint32_t *net_shares_of(struct net_shares *shares, uint32_t n)
{
    uint64_t step = shares->training.step == UINT64_MAX ? 0 : shares->training.step;
    pthread_mutex_lock(&shares->lock);
    shares_divide(shares->others, shares->seconds[step / PERIOD % 2], shares->n_members, n);
    pthread_mutex_unlock(&shares->lock);
    return shares->others;
}

bool net_shares_want(void *context, struct batches_state batch, uint32_t samples, uint32_t sample)
{
    struct net_shares *shares = context;
    uint64_t step = batch.epoch * shares->epoch_steps + batch.batch;
    if (shares->making.step != step) divide(shares, &shares->making, step, samples);
    return shares->making.owners[sample / MICROBATCH] == shares->rank;
}

void net_shares_took(struct net_shares *shares, double seconds)
{
    uint32_t mine = shares->training.shares[shares->rank];
    if (mine) shares->busy += seconds;
    shares->taken += mine;
}

/* How many seconds a guess stands for, by those that are measured for the first time; 0: nobody is. */
static double scale_of_guesses(const struct net_shares *shares, const double *guessed, const double *measured)
{
    double sum = 0;
    uint32_t n = 0;
    for (uint32_t m = 0; m < shares->n_members; m++)
        if (shares->guessed[m] && measured[m] > 0) sum += measured[m] / guessed[m], n++;
    return n ? sum / n : 0;
}

/* Who had no microbatch in a while gets one again once it is thought to be a little faster. */
static void estimate(struct net_shares *shares, const double *before, const double *measured, double *out)
{
    double scale = scale_of_guesses(shares, before, measured);
    for (uint32_t m = 0; m < shares->n_members; m++) {
        bool is_guess = shares->guessed[m];
        out[m] = measured[m] > 0 ? measured[m] : is_guess && scale > 0 ? before[m] * scale : before[m] * 0.9;
        if (measured[m] > 0 || scale > 0) shares->guessed[m] = false;
    }
}

bramble_status net_shares_settle(struct net_shares *shares, uint64_t step, const struct exchange *exchange,
                                 bramble_error *error)
{
    if (step % PERIOD != PERIOD - 1 - SETTLED_BEFORE) return BRAMBLE_OK;
    const double *now = shares->seconds[step / PERIOD % 2];
    double *next = shares->seconds[(step / PERIOD + 1) % 2];
    double mine = shares->taken ? shares->busy / (double)shares->taken : 0;
    double *told = mem_alloc(shares->n_members, sizeof *told);
    if (!told) return error_memory(error, "the members' shares");
    bramble_status status = tell(shares, exchange, mine, told, error);
    pthread_mutex_lock(&shares->lock);
    if (!status) estimate(shares, now, told, next);
    pthread_mutex_unlock(&shares->lock);
    shares->busy = 0;
    shares->taken = 0;
    mem_free(told);
    return status;
}
