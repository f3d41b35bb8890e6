#include "cluster/swap.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/wire.h"

#define ROUND_BITS 31 /* of a message's number; above them stands the channel */

/* What one member sends another in one exchange: struct wire_pair, then the bytes. */
struct offering {
    uint8_t *message;
    size_t length;
};

struct channel {
    struct swap *swap;
    uint32_t number;
    pthread_cond_t changed;
    uint32_t round;               /* exchanges begun here */
    bool posted;                  /* of this round */
    struct offering *outgoing;    /* n_members */
    struct offering own;          /* what all_gather was given, to be lent back */
    struct offering *incoming[2]; /* of rounds that are even, and odd; n_members each */
};

struct swap {
    uint32_t job, rank, n_members;
    pthread_mutex_t lock;
    pthread_cond_t begun; /* an exchange was */
    uint32_t n_waiting;   /* threads in one */
    bool broken;
    struct channel channels[SWAP_CHANNELS];
};

static bool channel_init(struct channel *channel, struct swap *swap, uint32_t number)
{
    channel->swap = swap;
    channel->number = number;
    channel->posted = true;
    pthread_cond_init(&channel->changed, NULL);
    channel->outgoing = mem_zalloc(swap->n_members, sizeof *channel->outgoing);
    for (unsigned i = 0; i < 2; i++)
        channel->incoming[i] = mem_zalloc(swap->n_members, sizeof *channel->incoming[i]);
    return channel->outgoing && channel->incoming[0] && channel->incoming[1];
}

static void release(struct offering *offerings, uint32_t n)
{
    for (uint32_t m = 0; offerings && m < n; m++) {
        mem_free(offerings[m].message);
        offerings[m] = (struct offering){0};
    }
}

static void channel_fini(struct channel *channel)
{
    struct offering *all[] = {channel->outgoing, channel->incoming[0], channel->incoming[1]};
    for (unsigned i = 0; i < 3; i++) {
        release(all[i], channel->swap->n_members);
        mem_free(all[i]);
    }
    release(&channel->own, 1);
    pthread_cond_destroy(&channel->changed);
}

struct swap *swap_new(uint32_t job, uint32_t rank, uint32_t n_members)
{
    bool good = true;
    struct swap *swap = mem_zalloc(1, sizeof *swap);
    if (!swap) return NULL;
    swap->job = job;
    swap->rank = rank;
    swap->n_members = n_members;
    pthread_mutex_init(&swap->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&swap->begun, &monotonic);
    pthread_condattr_destroy(&monotonic);
    for (uint32_t i = 0; i < SWAP_CHANNELS; i++) good &= channel_init(&swap->channels[i], swap, i);
    if (good) return swap;
    swap_free(swap);
    return NULL;
}

void swap_free(struct swap *swap)
{
    if (!swap) return;
    for (uint32_t i = 0; i < SWAP_CHANNELS; i++) channel_fini(&swap->channels[i]);
    pthread_cond_destroy(&swap->begun);
    pthread_mutex_destroy(&swap->lock);
    mem_free(swap);
}

static bool offer(struct offering *offering, const struct wire_pair *head, const struct exchanged *bytes)
{
    size_t length = bytes->length;
    offering->message = length <= SIZE_MAX - sizeof *head ? mem_alloc(sizeof *head + length, 1) : NULL;
    if (!offering->message) return false;
    offering->length = sizeof *head + length;
    memcpy(offering->message, head, sizeof *head);
    if (length) memcpy(offering->message + sizeof *head, bytes->bytes, length);
    return true;
}

/* Begins the next round, with mine[m * stride] for member m: what was lent in the last is over. False: out of
 * memory. The messages are the caller's work, not that of the thread that has the wire. */
static bool begin(struct channel *channel, const struct exchanged *mine, uint32_t stride)
{
    struct swap *swap = channel->swap;
    pthread_mutex_lock(&swap->lock);
    release(channel->incoming[channel->round % 2], swap->n_members);
    uint32_t round = channel->round + 1;
    bool broken = swap->broken;
    pthread_mutex_unlock(&swap->lock);
    if (broken) return true;
    struct wire_pair head = {swap->job, channel->number << ROUND_BITS | (round & ((1U << ROUND_BITS) - 1))};
    for (uint32_t m = 0; m < swap->n_members; m++)
        if (m != swap->rank && !offer(&channel->outgoing[m], &head, &mine[m * stride])) return false;
    pthread_mutex_lock(&swap->lock);
    channel->round = round;
    channel->posted = swap->n_members == 1;
    pthread_cond_signal(&swap->begun);
    pthread_mutex_unlock(&swap->lock);
    return true;
}

static bool all_there(const struct channel *channel)
{
    const struct swap *swap = channel->swap;
    for (uint32_t m = 0; m < swap->n_members; m++)
        if (m != swap->rank && !channel->incoming[channel->round % 2][m].message) return false;
    return channel->posted;
}

static bramble_status await(struct channel *channel, struct exchanged *theirs, bramble_error *error)
{
    struct swap *swap = channel->swap;
    pthread_mutex_lock(&swap->lock);
    swap->n_waiting++;
    while (!swap->broken && !all_there(channel)) pthread_cond_wait(&channel->changed, &swap->lock);
    swap->n_waiting--;
    bool broken = swap->broken;
    for (uint32_t m = 0; !broken && m < swap->n_members; m++) {
        const struct offering *offering = &channel->incoming[channel->round % 2][m];
        if (m != swap->rank)
            theirs[m] = (struct exchanged){offering->message + sizeof(struct wire_pair),
                                           offering->length - sizeof(struct wire_pair)};
    }
    pthread_mutex_unlock(&swap->lock);
    if (!broken) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_CANCELLED, "the job that members did together was dropped");
}

static bramble_status all_to_all(void *context, const struct exchanged *mine, struct exchanged *theirs,
                                 bramble_error *error)
{
    struct channel *channel = context;
    if (!begin(channel, mine, 1)) return error_memory(error, "what members exchange");
    theirs[channel->swap->rank] = mine[channel->swap->rank];
    return await(channel, theirs, error);
}

static bramble_status all_gather(void *context, const void *mine, size_t length, struct exchanged *theirs,
                                 bramble_error *error)
{
    struct channel *channel = context;
    struct exchanged all = {mine, length};
    struct wire_pair unused = {0};
    release(&channel->own, 1);
    if (!offer(&channel->own, &unused, &all) || !begin(channel, &all, 0))
        return error_memory(error, "what members exchange");
    theirs[channel->swap->rank] = (struct exchanged){channel->own.message + sizeof unused, length};
    return await(channel, theirs, error);
}

static void leave(void *context)
{
    const struct channel *channel = context;
    swap_break(channel->swap);
}

struct exchange swap_exchange(struct swap *swap, uint32_t channel)
{
    return (struct exchange){swap->rank, swap->n_members, &swap->channels[channel],
                             all_gather, all_to_all,      leave};
}

static bool post(struct channel *channel,
                 bool (*send)(void *context, uint32_t member, void *message, size_t length), void *context)
{
    bool good = true;
    for (uint32_t m = 0; m < channel->swap->n_members; m++) {
        struct offering *offering = &channel->outgoing[m];
        if (m == channel->swap->rank) continue;
        good = send(context, m, offering->message, offering->length) && good;
        *offering = (struct offering){0};
    }
    channel->posted = true;
    pthread_cond_signal(&channel->changed);
    return good;
}

bool swap_post(struct swap *swap, bool (*send)(void *context, uint32_t member, void *message, size_t length),
               void *context, bool *any)
{
    bool good = true;
    *any = false;
    pthread_mutex_lock(&swap->lock);
    for (uint32_t i = 0; !swap->broken && i < SWAP_CHANNELS; i++) {
        if (swap->channels[i].posted) continue;
        *any = true;
        good = post(&swap->channels[i], send, context) && good;
    }
    pthread_mutex_unlock(&swap->lock);
    return good;
}

bool swap_arrived(struct swap *swap, uint32_t member, uint8_t *message, size_t length)
{
    struct wire_pair head;
    if (length < sizeof head || member >= swap->n_members || member == swap->rank) return false;
    memcpy(&head, message, sizeof head);
    struct channel *channel = &swap->channels[head.number >> ROUND_BITS];
    pthread_mutex_lock(&swap->lock);
    struct offering *offering = &channel->incoming[head.number % 2][member];
    uint32_t ahead = (head.number - channel->round) & ((1U << ROUND_BITS) - 1);
    bool good = ahead <= 1 && !offering->message;
    if (good) *offering = (struct offering){message, length};
    pthread_cond_signal(&channel->changed);
    pthread_mutex_unlock(&swap->lock);
    return good;
}

bool swap_awaited(struct swap *swap)
{
    pthread_mutex_lock(&swap->lock);
    bool awaited = swap->n_waiting > 0;
    pthread_mutex_unlock(&swap->lock);
    return awaited;
}

static bool anything_to_post(const struct swap *swap)
{
    for (uint32_t i = 0; i < SWAP_CHANNELS; i++)
        if (!swap->channels[i].posted) return !swap->broken;
    return false;
}

void swap_doze(struct swap *swap, long nanoseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += nanoseconds;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&swap->lock);
    if (!anything_to_post(swap)) pthread_cond_timedwait(&swap->begun, &swap->lock, &until);
    pthread_mutex_unlock(&swap->lock);
}

void swap_break(struct swap *swap)
{
    pthread_mutex_lock(&swap->lock);
    swap->broken = true;
    for (uint32_t i = 0; i < SWAP_CHANNELS; i++) pthread_cond_signal(&swap->channels[i].changed);
    pthread_mutex_unlock(&swap->lock);
}
