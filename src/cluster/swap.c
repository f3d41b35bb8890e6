#include "cluster/swap.h"

#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/wire.h"

/* What one member sends in one exchange. */
struct offering {
    uint8_t *message; /* struct wire_pair, then the bytes */
    size_t length;
    bool there; /* it arrived, or, if it is ours, left */
};

struct swap {
    uint32_t job, rank, n_members;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t round; /* exchanges begun here */
    bool to_post, broken;
    struct offering *offerings[2]; /* of rounds that are even, and odd; n_members each */
};

struct swap *swap_new(uint32_t job, uint32_t rank, uint32_t n_members)
{
    struct swap *swap = mem_zalloc(1, sizeof *swap);
    if (!swap) return NULL;
    swap->job = job;
    swap->rank = rank;
    swap->n_members = n_members;
    pthread_mutex_init(&swap->lock, NULL);
    pthread_cond_init(&swap->changed, NULL);
    for (unsigned i = 0; i < 2; i++) swap->offerings[i] = mem_zalloc(n_members, sizeof(struct offering));
    if (swap->offerings[0] && swap->offerings[1]) return swap;
    swap_free(swap);
    return NULL;
}

static void release(struct swap *swap, uint32_t round)
{
    struct offering *offerings = swap->offerings[round % 2];
    for (uint32_t m = 0; offerings && m < swap->n_members; m++) {
        mem_free(offerings[m].message);
        offerings[m] = (struct offering){0};
    }
}

void swap_free(struct swap *swap)
{
    if (!swap) return;
    for (unsigned i = 0; i < 2; i++) {
        release(swap, i);
        mem_free(swap->offerings[i]);
    }
    pthread_mutex_destroy(&swap->lock);
    pthread_cond_destroy(&swap->changed);
    mem_free(swap);
}

static bool all_there(const struct swap *swap)
{
    for (uint32_t m = 0; m < swap->n_members; m++)
        if (!swap->offerings[swap->round % 2][m].there) return false;
    return true;
}

/* Begins the next round: what was lent in the last is over. False: out of memory. */
static bool begin(struct swap *swap, const void *mine, size_t length)
{
    release(swap, swap->round);
    struct wire_pair head = {swap->job, ++swap->round};
    uint8_t *message = length <= SIZE_MAX - sizeof head ? mem_alloc(sizeof head + length, 1) : NULL;
    if (!message) return false;
    memcpy(message, &head, sizeof head);
    if (length) memcpy(message + sizeof head, mine, length);
    swap->offerings[swap->round % 2][swap->rank] = (struct offering){message, sizeof head + length, false};
    swap->to_post = true;
    return true;
}

static bramble_status all_gather(void *context, const void *mine, size_t length, struct exchanged *theirs,
                                 bramble_error *error)
{
    struct swap *swap = context;
    bramble_status status = BRAMBLE_OK;
    pthread_mutex_lock(&swap->lock);
    if (!swap->broken && !begin(swap, mine, length)) status = error_memory(error, "what members exchange");
    while (!status && !swap->broken && !all_there(swap)) pthread_cond_wait(&swap->changed, &swap->lock);
    if (!status && swap->broken)
        status = error_set(error, BRAMBLE_ERR_CANCELLED, "the job that members did together was dropped");
    for (uint32_t m = 0; !status && m < swap->n_members; m++) {
        const struct offering *offering = &swap->offerings[swap->round % 2][m];
        theirs[m] = (struct exchanged){offering->message + sizeof(struct wire_pair),
                                       offering->length - sizeof(struct wire_pair)};
    }
    pthread_mutex_unlock(&swap->lock);
    return status;
}

struct exchange swap_exchange(struct swap *swap)
{
    return (struct exchange){swap->rank, swap->n_members, swap, all_gather};
}

bool swap_post(struct swap *swap,
               bool (*send)(void *context, uint32_t member, const void *message, size_t length),
               void *context, bool *any)
{
    bool good = true;
    pthread_mutex_lock(&swap->lock);
    *any = swap->to_post && !swap->broken;
    if (*any) {
        struct offering *mine = &swap->offerings[swap->round % 2][swap->rank];
        for (uint32_t m = 0; good && m < swap->n_members; m++)
            if (m != swap->rank) good = send(context, m, mine->message, mine->length);
        swap->to_post = false;
        mine->there = true;
        pthread_cond_signal(&swap->changed);
    }
    pthread_mutex_unlock(&swap->lock);
    return good;
}

bool swap_arrived(struct swap *swap, uint32_t member, uint8_t *message, size_t length)
{
    struct wire_pair head;
    if (length < sizeof head || member >= swap->n_members || member == swap->rank) return false;
    memcpy(&head, message, sizeof head);
    pthread_mutex_lock(&swap->lock);
    struct offering *offering = &swap->offerings[head.number % 2][member];
    bool good = head.number - swap->round <= 1 && !offering->there;
    if (good) *offering = (struct offering){message, length, true};
    pthread_cond_signal(&swap->changed);
    pthread_mutex_unlock(&swap->lock);
    return good;
}

void swap_break(struct swap *swap)
{
    pthread_mutex_lock(&swap->lock);
    swap->broken = true;
    pthread_cond_signal(&swap->changed);
    pthread_mutex_unlock(&swap->lock);
}
