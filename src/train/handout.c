#include "train/handout.h"

#include "base/error.h"
#include "base/mem.h"

bramble_status handout_init(struct handout *out, uint32_t n_members, uint32_t staleness, bramble_error *error)
{
    *out = (struct handout){.n_members = n_members, .staleness = staleness};
    out->at = mem_alloc(n_members, sizeof *out->at);
    if (!out->at) return error_memory(error, "the members' batches");
    for (uint32_t m = 0; m < n_members; m++) out->at[m] = HANDOUT_NONE;
    return BRAMBLE_OK;
}

void handout_fini(struct handout *handout)
{
    mem_free(handout->at);
    *handout = (struct handout){0};
}

uint64_t handout_first(uint32_t member, uint64_t first, uint64_t n_batches)
{
    return member < n_batches - first ? first + member : HANDOUT_NONE;
}

void handout_begin(struct handout *handout, uint64_t first, uint64_t n_batches)
{
    handout->n_batches = n_batches;
    handout->next = first;
    for (uint32_t m = 0; m < handout->n_members; m++) {
        handout->at[m] = handout_first(m, first, n_batches);
        handout->next += handout->at[m] != HANDOUT_NONE;
    }
}

void handout_done(struct handout *handout, uint32_t member)
{
    handout->at[member] = HANDOUT_NONE;
}

/* The first batch that is not done; *n: how many are at work. */
static uint64_t oldest(const struct handout *handout, uint32_t *n)
{
    uint64_t least = handout->next;
    *n = 0;
    for (uint32_t m = 0; m < handout->n_members; m++) {
        if (handout->at[m] == HANDOUT_NONE) continue;
        if (handout->at[m] < least) least = handout->at[m];
        ++*n;
    }
    return least;
}

uint64_t handout_next(struct handout *handout, uint32_t member)
{
    uint32_t n;
    uint64_t clock = handout->next / handout->n_members, slowest = oldest(handout, &n) / handout->n_members;
    if (handout->next == handout->n_batches || clock - slowest > handout->staleness) return HANDOUT_NONE;
    return handout->at[member] = handout->next++;
}

bool handout_is_over(const struct handout *handout)
{
    uint32_t n;
    oldest(handout, &n);
    return handout->next == handout->n_batches && n == 0;
}

bool handout_is_prefix(const struct handout *handout)
{
    uint32_t n;
    return handout->next - oldest(handout, &n) == n;
}
