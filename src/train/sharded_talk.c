#include "train/sharded_talk.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/forest_job.h"

bool talk_init(struct talk *talk, const struct exchange *exchange)
{
    *talk = (struct talk){.exchange = exchange,
                          .members = mem_zalloc(exchange->n_members, sizeof *talk->members),
                          .theirs = mem_zalloc(exchange->n_members, sizeof *talk->theirs)};
    if (talk->members && talk->theirs) return true;
    talk_fini(talk);
    return false;
}

void talk_fini(struct talk *talk)
{
    mem_free(talk->members);
    mem_free(talk->theirs);
    str_fini(&talk->mine);
    *talk = (struct talk){0};
}

void talk_begin(struct talk *talk)
{
    uint8_t ok = BRAMBLE_OK;
    talk->mine.length = 0;
    str_append(&talk->mine, (const char *)&ok, 1);
}

static bramble_status not_understood(uint32_t rank, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_DATA,
                     "member %u of the run sent what makes no sense; run the same version of bramble on all "
                     "nodes, and check the memory of that one",
                     rank);
}

/* Another member gives up; its first byte says why. */
static bramble_status gave_up(uint32_t rank, uint8_t why, bramble_error *error)
{
    if (why == BRAMBLE_ERR_CANCELLED) return error_set(error, BRAMBLE_ERR_CANCELLED, "training was stopped");
    if (why == BRAMBLE_ERR_MEMORY)
        return error_set(error, BRAMBLE_ERR_CANCELLED,
                         "member %u of the run is out of memory; give it fewer features or leave it out",
                         rank);
    if (why > BRAMBLE_ERR_CANCELLED) return not_understood(rank, error);
    return error_set(error, BRAMBLE_ERR_CANCELLED, "member %u of the run gave up; its own message says why",
                     rank);
}

bramble_status talk_exchange(struct talk *talk, bramble_status own, bramble_error *error)
{
    const struct exchange *with = talk->exchange;
    if (!own && talk->mine.failed) own = error_memory(error, "what is sent to the other members");
    uint8_t why = (uint8_t)own;
    if (own) {
        with->all_gather(with->context, &why, 1, talk->theirs, NULL);
        return own;
    }
    bramble_status status =
        with->all_gather(with->context, talk->mine.data, talk->mine.length, talk->theirs, error);
    for (uint32_t m = 0; !status && m < with->n_members; m++) {
        const uint8_t *bytes = talk->theirs[m].bytes;
        if (!talk->theirs[m].length) return not_understood(m, error);
        talk->members[m].reader = (struct wire_reader){bytes + 1, talk->theirs[m].length - 1, false};
        if (bytes[0]) status = gave_up(m, bytes[0], error);
    }
    return status;
}

bramble_status talk_check(const struct talk *talk, bramble_error *error)
{
    for (uint32_t m = 0; m < talk->exchange->n_members; m++)
        if (talk->members[m].reader.failed || talk->members[m].reader.left) return not_understood(m, error);
    return BRAMBLE_OK;
}

/* What all members must agree about. */
static bramble_status describe(const struct sharded_job *job, uint64_t *what, bramble_error *error)
{
    const struct bramble_table *table = &job->shard->table;
    XXH3_state_t state;
    char *text;
    bramble_status status = forest_job_write(job->options, &text, error);
    if (status) return status;
    uint64_t sizes[3] = {table->n_rows, table->schema.n_features, job->n_trees};
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, text, strlen(text));
    XXH3_64bits_update(&state, sizes, sizeof sizes);
    XXH3_64bits_update(&state, job->trees, job->n_trees * sizeof *job->trees);
    if (table->classes) XXH3_64bits_update(&state, table->classes, table->n_rows * sizeof *table->classes);
    if (table->values) XXH3_64bits_update(&state, table->values, table->n_rows * sizeof *table->values);
    if (table->weights) XXH3_64bits_update(&state, table->weights, table->n_rows * sizeof *table->weights);
    *what = XXH3_64bits_digest(&state);
    mem_free(text);
    return BRAMBLE_OK;
}

/* How many members hold feature f. */
static uint32_t count_holders(const struct talk *talk, uint32_t f)
{
    uint32_t n = 0;
    for (uint32_t m = 0; m < talk->exchange->n_members; m++)
        n += f >= talk->members[m].held_begin && f < talk->members[m].held_end;
    return n;
}

/* What members tell each other first. */
struct hello {
    uint64_t what;
    uint32_t held_begin, held_end;
};

static bramble_status read_hellos(struct talk *talk, const struct hello *own, bramble_error *error)
{
    for (uint32_t m = 0; m < talk->exchange->n_members; m++) {
        struct hello hello;
        struct member *member = &talk->members[m];
        if (member->reader.left != sizeof hello) return not_understood(m, error);
        memcpy(&hello, member->reader.at, sizeof hello);
        member->held_begin = hello.held_begin;
        member->held_end = hello.held_end;
        if (hello.what != own->what)
            return error_set(error, BRAMBLE_ERR_DATA,
                             "member %u of the run has other data or options than member %u; start again", m,
                             talk->exchange->rank);
    }
    return BRAMBLE_OK;
}

bramble_status talk_meet(struct talk *talk, const struct sharded_job *job, bramble_error *error)
{
    const struct binned *binned = &job->shard->binned;
    struct hello own = {.held_begin = binned->held_begin, .held_end = binned->held_end};
    bramble_status status = describe(job, &own.what, error);
    talk_begin(talk);
    str_append(&talk->mine, (const char *)&own, sizeof own);
    status = talk_exchange(talk, status, error);
    if (!status) status = read_hellos(talk, &own, error);
    for (uint32_t f = 0; !status && f < binned->n_features; f++)
        if (count_holders(talk, f) != 1)
            status = error_set(error, BRAMBLE_ERR_DATA,
                               "feature %u is held by %u members of the run, not by one; start again", f,
                               count_holders(talk, f));
    return status;
}
