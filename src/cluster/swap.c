#include "cluster/swap.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/letters.h"
#include "cluster/wire.h"

/* Of a message's number: above an exchange's round stands the channel; a letter has no round. */
#define ROUND_BITS 30
#define ROUND_MASK ((1U << ROUND_BITS) - 1)
#define IS_LETTER (1U << ROUND_BITS)
#define CHANNEL_SHIFT (ROUND_BITS + 1)

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
    struct letters leaving, arrived;
    struct letter lent; /* what `receive` gave last */
    pthread_cond_t came;
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
    pthread_cond_init(&channel->came, NULL);
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
    letters_fini(&channel->leaving);
    letters_fini(&channel->arrived);
    mem_free(channel->lent.message);
    pthread_cond_destroy(&channel->changed);
    pthread_cond_destroy(&channel->came);
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
    struct wire_pair head = {swap->job, channel->number << CHANNEL_SHIFT | (round & ROUND_MASK)};
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

static bramble_status dropped(bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_CANCELLED, "the job that members did together was dropped");
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
    return broken ? dropped(error) : BRAMBLE_OK;
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

static bramble_status send_letter(void *context, uint32_t member, const void *bytes, size_t length,
                                  bramble_error *error)
{
    struct channel *channel = context;
    struct swap *swap = channel->swap;
    struct wire_pair head = {swap->job, channel->number << CHANNEL_SHIFT | IS_LETTER};
    struct offering offering = {0};
    const struct exchanged all = {bytes, length};
    bool made = offer(&offering, &head, &all), own = member == swap->rank;
    const struct letter letter = {member, offering.message, offering.length};
    pthread_mutex_lock(&swap->lock);
    bool good = made && letters_put(own ? &channel->arrived : &channel->leaving, &letter);
    pthread_cond_signal(own ? &channel->came : &swap->begun);
    pthread_mutex_unlock(&swap->lock);
    if (good) return BRAMBLE_OK;
    mem_free(offering.message);
    return error_memory(error, "what members exchange");
}

static bramble_status receive_letter(void *context, uint32_t *from, struct exchanged *letter,
                                     bramble_error *error)
{
    struct channel *channel = context;
    struct swap *swap = channel->swap;
    mem_free(channel->lent.message);
    channel->lent.message = NULL;
    pthread_mutex_lock(&swap->lock);
    swap->n_waiting++;
    while (!swap->broken && !letters_take(&channel->arrived, &channel->lent))
        pthread_cond_wait(&channel->came, &swap->lock);
    swap->n_waiting--;
    pthread_mutex_unlock(&swap->lock);
    if (!channel->lent.message) return dropped(error);
    *from = channel->lent.member;
    *letter = (struct exchanged){channel->lent.message + sizeof(struct wire_pair),
                                 channel->lent.length - sizeof(struct wire_pair)};
    return BRAMBLE_OK;
}

static void leave(void *context)
{
    const struct channel *channel = context;
    swap_break(channel->swap);
}

struct exchange swap_exchange(struct swap *swap, uint32_t channel)
{
    return (struct exchange){swap->rank, swap->n_members, &swap->channels[channel], all_gather,
                             all_to_all, send_letter,     receive_letter,           leave};
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

static bool post_letters(struct channel *channel,
                         bool (*send)(void *context, uint32_t member, void *message, size_t length),
                         void *context)
{
    bool good = true;
    for (struct letter letter; letters_take(&channel->leaving, &letter);)
        good = send(context, letter.member, letter.message, letter.length) && good;
    return good;
}

static bool anything_to_post(const struct channel *channel)
{
    return !channel->posted || channel->leaving.n;
}

bool swap_post(struct swap *swap, bool (*send)(void *context, uint32_t member, void *message, size_t length),
               void *context, bool *any)
{
    bool good = true;
    *any = false;
    pthread_mutex_lock(&swap->lock);
    for (uint32_t i = 0; !swap->broken && i < SWAP_CHANNELS; i++) {
        struct channel *channel = &swap->channels[i];
        *any |= anything_to_post(channel);
        if (!channel->posted) good = post(channel, send, context) && good;
        good = post_letters(channel, send, context) && good;
    }
    pthread_mutex_unlock(&swap->lock);
    return good;
}

static bool take_letter(struct channel *channel, const struct letter *letter)
{
    struct swap *swap = channel->swap;
    pthread_mutex_lock(&swap->lock);
    bool good = letters_of(&channel->arrived, letter->member) < SWAP_LETTERS &&
                letters_put(&channel->arrived, letter);
    pthread_cond_signal(&channel->came);
    pthread_mutex_unlock(&swap->lock);
    return good;
}

bool swap_arrived(struct swap *swap, uint32_t member, uint8_t *message, size_t length)
{
    struct wire_pair head;
    if (length < sizeof head || member >= swap->n_members || member == swap->rank) return false;
    memcpy(&head, message, sizeof head);
    struct channel *channel = &swap->channels[head.number >> CHANNEL_SHIFT];
    if (head.number & IS_LETTER)
        return !(head.number & ROUND_MASK) && take_letter(channel, &(struct letter){member, message, length});
    pthread_mutex_lock(&swap->lock);
    struct offering *offering = &channel->incoming[head.number % 2][member];
    uint32_t ahead = (head.number - channel->round) & ROUND_MASK;
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

static bool has_to_post(const struct swap *swap)
{
    bool any = false;
    for (uint32_t i = 0; i < SWAP_CHANNELS; i++) any |= anything_to_post(&swap->channels[i]);
    return any && !swap->broken;
}

void swap_doze(struct swap *swap, long nanoseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += nanoseconds;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&swap->lock);
    if (!has_to_post(swap)) pthread_cond_timedwait(&swap->begun, &swap->lock, &until);
    pthread_mutex_unlock(&swap->lock);
}

void swap_break(struct swap *swap)
{
    pthread_mutex_lock(&swap->lock);
    swap->broken = true;
    for (uint32_t i = 0; i < SWAP_CHANNELS; i++) {
        pthread_cond_signal(&swap->channels[i].changed);
        pthread_cond_signal(&swap->channels[i].came);
    }
    pthread_mutex_unlock(&swap->lock);
}
