#include "train/sharded_forest.h"

#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "train/sharded_talk.h"

enum { MOST_SLOTS = 16, SLOT_BYTES_A_ROW = 48, SLOTS_BYTES = 64 << 20 };

/* A tree in flight. */
struct slot {
    struct shared_tree tree;
    bool busy;
    struct str answers; /* questions of the nodes that we won */
    uint8_t *sides;     /* of one node */
};

/* A question that came in, and whose. */
struct answer {
    struct question question;
    const uint8_t *sides; /* NULL: our own, rows are parted */
};

struct run {
    const struct sharded_job *job;
    struct grow_rules rules;
    struct codes codes;
    struct grow_job grow;
    uint32_t n_slots, next_tree, n_busy;
    struct slot *slots;
    struct talk talk;
    struct answer *answers; /* of this step's nodes, slot after slot */
    size_t answer_capacity;
    size_t *first_answer; /* of each slot */
    atomic_int stop;      /* a bramble_status: why this member gives up */
};

static void stop(struct run *run, bramble_status why)
{
    int none = BRAMBLE_OK;
    atomic_compare_exchange_strong(&run->stop, &none, (int)why);
}

static bool ask(void *context)
{
    struct run *run = context;
    if (!run->job->go_on(run->job->context)) stop(run, BRAMBLE_ERR_CANCELLED);
    return atomic_load(&run->stop) == BRAMBLE_OK;
}

static bramble_status own_reason(struct run *run, bramble_error *error)
{
    switch (atomic_load(&run->stop)) {
    case BRAMBLE_OK: return BRAMBLE_OK;
    case BRAMBLE_ERR_CANCELLED: return error_set(error, BRAMBLE_ERR_CANCELLED, "training was stopped");
    case BRAMBLE_ERR_DATA:
        return error_set(error, BRAMBLE_ERR_DATA,
                         "a split was offered and not found again; check the memory of this node");
    default: return error_memory(error, "growing trees from a part of the data");
    }
}

static void look(void *context, uint32_t thread, uint64_t i)
{
    (void)thread;
    struct run *run = context;
    struct slot *slot = &run->slots[i];
    if (slot->busy && !shared_tree_look(&slot->tree)) stop(run, BRAMBLE_ERR_MEMORY);
}

static void look_further(void *context, uint32_t thread, uint64_t i)
{
    (void)thread;
    struct run *run = context;
    if (run->slots[i].busy) shared_tree_look_further(&run->slots[i].tree);
}

/* Puts the best of everybody's offers, which came in, into each node (`further`: each undecided one). */
static void compare(struct run *run, bool further)
{
    for (uint32_t i = 0; i < run->n_slots; i++) {
        struct shared_tree *tree = &run->slots[i].tree;
        for (size_t a = 0; run->slots[i].busy && a < tree->n_asking; a++) {
            struct asking_node *asking = &tree->asking[a];
            if (further && !asking->undecided) continue;
            bool varies = false;
            for (uint32_t m = 0; m < run->job->exchange->n_members; m++) {
                struct offer offer =
                    wire_get_offer(&run->talk.members[m].reader, run->job->shard->binned.n_features);
                varies |= offer.varies;
                if (m && offer_stays(&asking->offer, &offer, further)) continue;
                asking->offer = offer;
                asking->winner = m;
            }
            asking->undecided = !further && !varies;
        }
    }
}

static bramble_status exchange_offers(struct run *run, bool further, bramble_error *error)
{
    talk_begin(&run->talk);
    for (uint32_t i = 0; i < run->n_slots; i++) {
        const struct shared_tree *tree = &run->slots[i].tree;
        for (size_t a = 0; run->slots[i].busy && a < tree->n_asking; a++)
            if (!further || tree->asking[a].undecided)
                wire_put_offer(&run->talk.mine, &tree->asking[a].offer);
    }
    bramble_status status = talk_exchange(&run->talk, own_reason(run, error), error);
    if (status) return status;
    compare(run, further);
    return talk_check(&run->talk, error);
}

static bool any_undecided(const struct run *run)
{
    for (uint32_t i = 0; i < run->n_slots; i++)
        for (size_t a = 0; run->slots[i].busy && a < run->slots[i].tree.n_asking; a++)
            if (run->slots[i].tree.asking[a].undecided) return true;
    return false;
}

static bool is_ours(const struct run *run, const struct asking_node *asking)
{
    return asking->offer.found && asking->winner == run->job->exchange->rank;
}

static size_t rows_of(const struct asking_node *asking)
{
    return asking->node.end - asking->node.begin;
}

static void settle(void *context, uint32_t thread, uint64_t i)
{
    (void)thread;
    struct run *run = context;
    struct slot *slot = &run->slots[i];
    slot->answers.length = 0;
    for (size_t a = 0; slot->busy && a < slot->tree.n_asking; a++) {
        struct asking_node *asking = &slot->tree.asking[a];
        struct question question;
        if (!is_ours(run, asking)) continue;
        if (!shared_tree_settle(&slot->tree, asking, &question, slot->sides))
            stop(run, BRAMBLE_ERR_DATA);
        else
            wire_put_question(&slot->answers, &question, slot->sides, rows_of(asking));
    }
    if (slot->answers.failed) stop(run, BRAMBLE_ERR_MEMORY);
}

/* Room for the answers to all nodes asking, slot after slot. */
static bool make_room(struct run *run)
{
    size_t n = 0;
    for (uint32_t i = 0; i < run->n_slots; i++) {
        run->first_answer[i] = n;
        if (run->slots[i].busy) n += run->slots[i].tree.n_asking;
    }
    if (n <= run->answer_capacity) return true;
    struct answer *bigger = mem_resize(run->answers, 2 * n, sizeof *bigger);
    if (!bigger) return false;
    run->answers = bigger;
    run->answer_capacity = 2 * n;
    return true;
}

static void read_answers(struct run *run)
{
    for (uint32_t i = 0; i < run->n_slots; i++) {
        const struct shared_tree *tree = &run->slots[i].tree;
        for (size_t a = 0; run->slots[i].busy && a < tree->n_asking; a++) {
            const struct asking_node *asking = &tree->asking[a];
            struct answer *answer = &run->answers[run->first_answer[i] + a];
            if (!asking->offer.found) continue;
            struct member *winner = &run->talk.members[asking->winner];
            answer->question = wire_get_question(&winner->reader, rows_of(asking), winner->held_begin,
                                                 winner->held_end, &answer->sides);
            if (is_ours(run, asking)) answer->sides = NULL;
        }
    }
}

static bramble_status exchange_answers(struct run *run, bramble_error *error)
{
    talk_begin(&run->talk);
    for (uint32_t i = 0; i < run->n_slots; i++)
        if (run->slots[i].busy && run->slots[i].answers.length)
            str_append(&run->talk.mine, run->slots[i].answers.data, run->slots[i].answers.length);
    if (!make_room(run)) stop(run, BRAMBLE_ERR_MEMORY);
    bramble_status status = talk_exchange(&run->talk, own_reason(run, error), error);
    if (status) return status;
    read_answers(run);
    return talk_check(&run->talk, error);
}

static void take(void *context, uint32_t thread, uint64_t i)
{
    (void)thread;
    struct run *run = context;
    struct slot *slot = &run->slots[i];
    if (!slot->busy) return;
    for (size_t a = 0; a < slot->tree.n_asking; a++) {
        struct asking_node *asking = &slot->tree.asking[a];
        const struct answer *answer = &run->answers[run->first_answer[i] + a];
        if (asking->offer.found) shared_tree_take(&slot->tree, asking, &answer->question, answer->sides);
    }
    if (!shared_tree_advance(&slot->tree)) stop(run, BRAMBLE_ERR_MEMORY);
}

static bramble_status hand_over(struct run *run, struct slot *slot, bramble_error *error)
{
    struct tree tree;
    uint64_t *importances = mem_zalloc(run->job->shard->binned.n_features, sizeof *importances);
    bramble_status status = BRAMBLE_OK;
    if (!importances || !shared_tree_finish(&slot->tree, &tree, importances)) {
        status = error_memory(error, "growing trees");
    } else {
        status = run->job->done(run->job->context, slot->tree.number, &tree, importances, error);
        tree_fini(&tree);
    }
    mem_free(importances);
    slot->busy = false;
    run->n_busy--;
    return status;
}

/* Trees that are done make room for the next ones. */
static bramble_status refill(struct run *run, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    for (uint32_t i = 0; i < run->n_slots; i++) {
        struct slot *slot = &run->slots[i];
        if (slot->busy && !slot->tree.n_frontier && !status) status = hand_over(run, slot, error);
        if (slot->busy || run->next_tree == run->job->n_trees) continue;
        shared_tree_begin(&slot->tree, run->job->trees[run->next_tree++]);
        slot->busy = true;
        run->n_busy++;
    }
    return status;
}

/* One step of all trees in flight. */
static bramble_status step(struct run *run, bramble_error *error)
{
    const uint32_t threads = run->job->threads;
    if (ask(run)) threads_run(threads, run->n_slots, look, run);
    bramble_status status = exchange_offers(run, false, error);
    if (!status && any_undecided(run)) {
        threads_run(threads, run->n_slots, look_further, run);
        status = exchange_offers(run, true, error);
    }
    if (status) return status;
    threads_run(threads, run->n_slots, settle, run);
    status = exchange_answers(run, error);
    if (status) return status;
    threads_run(threads, run->n_slots, take, run);
    return BRAMBLE_OK;
}

/* Until all trees are done, and everybody knows that all went well with them. */
static bramble_status grow_all(struct run *run, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    while (!status) {
        bramble_status own = refill(run, error);
        if (own || !run->n_busy) {
            talk_begin(&run->talk);
            return talk_exchange(&run->talk, own, error);
        }
        status = step(run, error);
    }
    return status;
}

static uint32_t slots_for(const struct sharded_job *job, uint64_t n_draws)
{
    uint64_t slots = SLOTS_BYTES / (SLOT_BYTES_A_ROW * n_draws);
    if (slots > MOST_SLOTS) slots = MOST_SLOTS;
    if (slots < job->threads) slots = job->threads;
    return slots < job->n_trees ? (uint32_t)slots : job->n_trees;
}

static bool allocate(struct run *run)
{
    const struct sharded_job *job = run->job;
    size_t n_rows = job->shard->table.n_rows;
    run->n_slots = slots_for(job, run->rules.n_draws < n_rows ? run->rules.n_draws : n_rows);
    run->slots = mem_zalloc(run->n_slots, sizeof *run->slots);
    run->first_answer = mem_zalloc(run->n_slots, sizeof *run->first_answer);
    if (!run->slots || !run->first_answer) return false;
    for (uint32_t i = 0; i < run->n_slots; i++) {
        run->slots[i].sides = mem_alloc(n_rows / 8 + 1, 1);
        if (!run->slots[i].sides || !shared_tree_init(&run->slots[i].tree, &run->grow)) return false;
    }
    return true;
}

static void run_fini(struct run *run)
{
    for (uint32_t i = 0; run->slots && i < run->n_slots; i++) {
        shared_tree_fini(&run->slots[i].tree);
        str_fini(&run->slots[i].answers);
        mem_free(run->slots[i].sides);
    }
    mem_free(run->slots);
    mem_free(run->first_answer);
    mem_free(run->answers);
    codes_fini(&run->codes);
    grow_rules_fini(&run->rules);
}

static bramble_status prepare(struct run *run, bramble_error *error)
{
    const struct sharded_job *job = run->job;
    bramble_status status = grow_rules_init(&run->rules, &job->shard->table, job->options, error);
    if (!status) status = codes_init(&run->codes, &job->shard->binned, job->threads, error);
    run->grow = (struct grow_job){.rules = &run->rules,
                                  .table = &job->shard->table,
                                  .codes = &run->codes,
                                  .kernels = gini_kernels_get(cpu_level_detect()),
                                  .go_on = ask,
                                  .context = run};
    if (!status && !allocate(run)) status = error_memory(error, "growing trees from a part of the data");
    return status;
}

bramble_status sharded_forest_grow(const struct sharded_job *job, bramble_error *error)
{
    struct run run = {.job = job};
    if (!talk_init(&run.talk, job->exchange)) return error_memory(error, "talking to the other members");
    bramble_status status = talk_meet(&run.talk, job, error), own = BRAMBLE_OK;
    if (!status) own = prepare(&run, error);
    talk_begin(&run.talk);
    if (!status) status = talk_exchange(&run.talk, own, error);
    if (!status) status = grow_all(&run, error);
    run_fini(&run);
    talk_fini(&run.talk);
    return status;
}
