#include "threads_exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void meeting_init(struct meeting *meeting, uint32_t n_members)
{
    *meeting = (struct meeting){.n_members = n_members};
    pthread_mutex_init(&meeting->lock, NULL);
    pthread_cond_init(&meeting->changed, NULL);
}

static void free_posted(struct posted *posted)
{
    while (posted) {
        struct posted *next = posted->next;
        free((void *)posted->letter.bytes);
        free(posted);
        posted = next;
    }
}

void meeting_fini(struct meeting *meeting)
{
    for (uint32_t c = 0; c < CHANNELS; c++)
        for (uint32_t to = 0; to < MEMBERS_MAX; to++) {
            free_posted(meeting->channels[c].posted[to]);
            free_posted(meeting->channels[c].lent[to]);
        }
    for (uint32_t c = 0; c < CHANNELS; c++)
        for (uint32_t from = 0; from < MEMBERS_MAX; from++)
            for (uint32_t to = 0; to < MEMBERS_MAX; to++)
                for (uint32_t odd = 0; odd < 2; odd++)
                    free((void *)meeting->channels[c].sent[odd][from][to].bytes);
    pthread_cond_destroy(&meeting->changed);
    pthread_mutex_destroy(&meeting->lock);
}

void meeting_drop(struct meeting *meeting)
{
    pthread_mutex_lock(&meeting->lock);
    meeting->dropped = true;
    pthread_cond_broadcast(&meeting->changed);
    pthread_mutex_unlock(&meeting->lock);
}

/* Whether the fault is this one's in this round. */
static bool is_hit(const struct seat *seat, size_t round, bool letter)
{
    const struct fault *fault = &seat->meeting->fault;
    return fault->round == round && fault->letter == letter && fault->channel == seat->channel &&
           fault->member == seat->rank;
}

static struct exchanged copy(const struct seat *seat, bool hit, uint32_t to, const struct exchanged *mine)
{
    const struct fault *fault = &seat->meeting->fault;
    size_t length = mine->length;
    if (hit && (fault->letter || to != seat->rank) && (fault->longer > 0 || length >= (size_t)-fault->longer))
        length += (size_t)fault->longer;
    uint8_t *bytes = calloc(length + 1, 1);
    if (mine->length && length) memcpy(bytes, mine->bytes, length < mine->length ? length : mine->length);
    if (hit && fault->byte < length) bytes[fault->byte] ^= fault->bits;
    return (struct exchanged){bytes, length};
}

static void put(struct seat *seat, size_t round, uint32_t to, const struct exchanged *mine)
{
    struct exchanged *sent = &seat->meeting->channels[seat->channel].sent[round % 2][seat->rank][to];
    free((void *)sent->bytes);
    *sent = copy(seat, is_hit(seat, round, false), to, mine);
}

static bool all_there(const struct meeting *meeting, const struct channel *channel, size_t round)
{
    for (uint32_t m = 0; m < meeting->n_members; m++)
        if (channel->rounds[m] < round) return false;
    return true;
}

/* With mine[m * stride] for member m. */
static bramble_status swap_all(struct seat *seat, const struct exchanged *mine, uint32_t stride,
                               struct exchanged *theirs, bramble_error *error)
{
    struct meeting *meeting = seat->meeting;
    struct channel *channel = &meeting->channels[seat->channel];
    const bool *left = &meeting->left[seat->rank];
    pthread_mutex_lock(&meeting->lock);
    size_t round = channel->rounds[seat->rank] + 1;
    bool fails = meeting->fault.fails && is_hit(seat, round, false), over;
    for (uint32_t m = 0; m < meeting->n_members && !fails; m++) put(seat, round, m, &mine[m * stride]);
    channel->rounds[seat->rank] += !fails;
    pthread_cond_broadcast(&meeting->changed);
    while (!(over = fails || meeting->dropped || *left) && !all_there(meeting, channel, round))
        pthread_cond_wait(&meeting->changed, &meeting->lock);
    for (uint32_t m = 0; m < meeting->n_members && !over; m++) {
        theirs[m] = channel->sent[round % 2][m][seat->rank];
        if (seat->rank == 0) channel->bytes += theirs[m].length;
    }
    pthread_mutex_unlock(&meeting->lock);
    if (fails) return error_set(error, BRAMBLE_ERR_IO, "the wire broke");
    return over ? error_set(error, BRAMBLE_ERR_CANCELLED, "the meeting is over") : BRAMBLE_OK;
}

static bramble_status all_gather(void *context, const void *mine, size_t length, struct exchanged *theirs,
                                 bramble_error *error)
{
    const struct exchanged all = {mine, length};
    return swap_all(context, &all, 0, theirs, error);
}

static bramble_status all_to_all(void *context, const struct exchanged *mine, struct exchanged *theirs,
                                 bramble_error *error)
{
    return swap_all(context, mine, 1, theirs, error);
}

static bramble_status send_letter(void *context, uint32_t member, const void *bytes, size_t length,
                                  bramble_error *error)
{
    struct seat *seat = context;
    struct meeting *meeting = seat->meeting;
    struct channel *channel = &meeting->channels[seat->channel];
    const struct exchanged mine = {bytes, length};
    struct posted *posted = calloc(1, sizeof *posted), **end = &channel->posted[member];
    pthread_mutex_lock(&meeting->lock);
    bool hit = is_hit(seat, ++channel->n_letters[seat->rank], true), fails = hit && meeting->fault.fails;
    *posted = (struct posted){NULL, seat->rank, copy(seat, hit, member, &mine)};
    while (*end) end = &(*end)->next;
    *end = posted;
    pthread_cond_broadcast(&meeting->changed);
    pthread_mutex_unlock(&meeting->lock);
    return fails ? error_set(error, BRAMBLE_ERR_IO, "the wire broke") : BRAMBLE_OK;
}

static bramble_status receive_letter(void *context, uint32_t *from, struct exchanged *letter,
                                     bramble_error *error)
{
    struct seat *seat = context;
    struct meeting *meeting = seat->meeting;
    struct channel *channel = &meeting->channels[seat->channel];
    pthread_mutex_lock(&meeting->lock);
    struct posted **first = &channel->posted[seat->rank], **lent = &channel->lent[seat->rank];
    free_posted(*lent);
    *lent = NULL;
    bool over;
    while (!(over = meeting->dropped || meeting->left[seat->rank]) && !*first)
        pthread_cond_wait(&meeting->changed, &meeting->lock);
    if (!over) {
        *lent = *first;
        *first = (*lent)->next;
        (*lent)->next = NULL;
        *from = (*lent)->from;
        *letter = (*lent)->letter;
    }
    pthread_mutex_unlock(&meeting->lock);
    return over ? error_set(error, BRAMBLE_ERR_CANCELLED, "the meeting is over") : BRAMBLE_OK;
}

static void leave(void *context)
{
    struct seat *seat = context;
    pthread_mutex_lock(&seat->meeting->lock);
    seat->meeting->left[seat->rank] = true;
    pthread_cond_broadcast(&seat->meeting->changed);
    pthread_mutex_unlock(&seat->meeting->lock);
}

struct exchange exchange_of(struct seat *seat)
{
    return (struct exchange){seat->rank,  seat->meeting->n_members, seat, all_gather, all_to_all,
                             send_letter, receive_letter,           leave};
}
