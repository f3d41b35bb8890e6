/* Exchanges between members whose messages come late, early, or make no sense. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cluster/swap.h"
#include "cluster/wire.h"

enum { MEMBERS = 3, ROUNDS = 200, JOB = 7, QUEUE_MOST = 1000 };

/* A thread that computes, on one channel of a member; the test is everybody's wire. */
struct computing {
    struct swap *swap;
    uint32_t channel;
    pthread_t thread;
    bramble_status status;
    bool wrong;
};

static size_t length_of(uint32_t round, uint32_t rank)
{
    return (round * 7 + rank * 3) % 40;
}

/* The first byte is of whom, the second for whom; what all are told is for nobody. */
static void check(struct computing *self, const struct exchanged *theirs, uint32_t round, uint32_t to)
{
    for (uint32_t m = 0; !self->status && m < MEMBERS; m++) {
        const uint8_t *bytes = theirs[m].bytes;
        self->wrong |= theirs[m].length != length_of(round, m);
        for (size_t i = 0; i < theirs[m].length; i++) self->wrong |= bytes[i] != (uint8_t)(round + m + to);
    }
}

/* Everybody the same on channel 0, each something else on the other. */
static void *compute(void *context)
{
    struct computing *self = context;
    struct exchange exchange = swap_exchange(self->swap, self->channel);
    for (uint32_t round = 0; round < ROUNDS && !self->status; round++) {
        uint8_t mine[MEMBERS][40];
        struct exchanged out[MEMBERS], theirs[MEMBERS];
        size_t length = length_of(round, exchange.rank);
        for (uint32_t m = 0; m < MEMBERS; m++) {
            memset(mine[m], (int)(round + exchange.rank + self->channel * m), sizeof mine[m]);
            out[m] = (struct exchanged){mine[m], length};
        }
        self->status = self->channel ? exchange.all_to_all(exchange.context, out, theirs, NULL)
                                     : exchange.all_gather(exchange.context, mine[0], length, theirs, NULL);
        check(self, theirs, round, self->channel * exchange.rank);
    }
    return NULL;
}

/* Each sends a letter to every member at a time, itself too, and receives as many; numbered, of many lengths.
 */
static void *write_letters(void *context)
{
    struct computing *self = context;
    struct exchange exchange = swap_exchange(self->swap, self->channel);
    uint32_t seen[MEMBERS] = {0}, from;
    struct exchanged letter;
    for (uint32_t round = 0; round < ROUNDS && !self->status; round++) {
        uint32_t mine[40] = {round, self->channel};
        for (uint32_t m = 0; m < MEMBERS; m++)
            exchange.send(exchange.context, m, mine, 8 + length_of(round, m), NULL);
        for (uint32_t m = 0; m < MEMBERS && !self->status; m++) {
            uint32_t theirs[2];
            self->status = exchange.receive(exchange.context, &from, &letter, NULL);
            if (self->status) break;
            memcpy(theirs, letter.bytes, sizeof theirs);
            self->wrong |= letter.length != 8 + length_of(seen[from], exchange.rank) ||
                           theirs[0] != seen[from]++ || theirs[1] != self->channel;
        }
    }
    return NULL;
}

/* Messages under way: delivered in any order between senders, in order from each. */
struct network {
    struct swap *swaps[MEMBERS];
    struct computing threads[MEMBERS][SWAP_CHANNELS];
    struct {
        uint8_t *message;
        size_t length;
    } queues[MEMBERS][MEMBERS][QUEUE_MOST];
    uint32_t n_queued[MEMBERS][MEMBERS];
    uint32_t from, most; /* most: messages from one to another */
};

static bool send(void *context, uint32_t member, void *message, size_t length)
{
    struct network *network = context;
    uint32_t *n = &network->n_queued[network->from][member];
    assert_true(*n < network->most);
    network->queues[network->from][member][*n].message = message;
    network->queues[network->from][member][(*n)++].length = length;
    return true;
}

static bool deliver(struct network *network, uint32_t from, uint32_t to)
{
    if (!network->n_queued[from][to]) return false;
    assert_true(swap_arrived(network->swaps[to], from, network->queues[from][to][0].message,
                             network->queues[from][to][0].length));
    uint32_t left = --network->n_queued[from][to];
    memmove(&network->queues[from][to][0], &network->queues[from][to][1],
            left * sizeof network->queues[from][to][0]);
    return true;
}

static void start(struct network *network, void *(*work)(void *context), uint32_t most)
{
    memset(network, 0, sizeof *network);
    network->most = most;
    for (uint32_t m = 0; m < MEMBERS; m++) {
        assert_non_null(network->swaps[m] = swap_new(JOB, m, MEMBERS));
        for (uint32_t i = 0; i < SWAP_CHANNELS; i++) {
            struct computing *thread = &network->threads[m][i];
            *thread = (struct computing){.swap = network->swaps[m], .channel = i};
            pthread_create(&thread->thread, NULL, work, thread);
        }
    }
}

static void end(struct network *network)
{
    for (uint32_t m = 0; m < MEMBERS; m++)
        for (uint32_t i = 0; i < SWAP_CHANNELS; i++) pthread_join(network->threads[m][i].thread, NULL);
    for (uint32_t m = 0; m < MEMBERS; m++) swap_free(network->swaps[m]);
    for (uint32_t from = 0; from < MEMBERS; from++)
        for (uint32_t to = 0; to < MEMBERS; to++)
            for (uint32_t i = 0; i < network->n_queued[from][to]; i++)
                mem_free(network->queues[from][to][i].message);
}

/* Carries `n` messages, the next from and to whom chance says. */
static void carry(struct network *network, size_t n)
{
    unsigned chance = 1;
    while (n) {
        chance = chance * 1103515245 + 12345;
        network->from = (chance >> 16) % MEMBERS;
        bool any;
        assert_true(swap_post(network->swaps[network->from], send, network, &any));
        n -= deliver(network, network->from, (chance >> 20) % MEMBERS);
    }
}

static void everybody_gets_what_everybody_sent(void **state)
{
    (void)state;
    struct network network;
    start(&network, compute, 2 * SWAP_CHANNELS);
    carry(&network, (size_t)ROUNDS * MEMBERS * (MEMBERS - 1) * SWAP_CHANNELS);
    end(&network);
    for (uint32_t m = 0; m < MEMBERS; m++) {
        for (uint32_t i = 0; i < SWAP_CHANNELS; i++) {
            assert_int_equal(network.threads[m][i].status, BRAMBLE_OK);
            assert_false(network.threads[m][i].wrong);
        }
    }
}

/* Members are at most a letter apart where each waits for one of everybody's: as many as all may have. */
static void letters_come_in_order(void **state)
{
    (void)state;
    static struct network network;
    start(&network, write_letters, QUEUE_MOST);
    carry(&network, (size_t)ROUNDS * MEMBERS * (MEMBERS - 1) * SWAP_CHANNELS);
    end(&network);
    for (uint32_t m = 0; m < MEMBERS; m++) {
        for (uint32_t i = 0; i < SWAP_CHANNELS; i++) {
            assert_int_equal(network.threads[m][i].status, BRAMBLE_OK);
            assert_false(network.threads[m][i].wrong);
        }
    }
}

static void who_waits_for_letters_is_told_that_it_is_over(void **state)
{
    (void)state;
    static struct network network;
    start(&network, write_letters, QUEUE_MOST);
    carry(&network, ROUNDS);
    for (uint32_t m = 0; m < MEMBERS; m++) swap_break(network.swaps[m]);
    end(&network);
    for (uint32_t m = 0; m < MEMBERS; m++)
        for (uint32_t i = 0; i < SWAP_CHANNELS; i++)
            assert_int_equal(network.threads[m][i].status, BRAMBLE_ERR_CANCELLED);
}

static void who_waits_is_told_that_it_is_over(void **state)
{
    (void)state;
    struct network network;
    start(&network, compute, 2 * SWAP_CHANNELS);
    carry(&network, ROUNDS);
    for (uint32_t m = 0; m < MEMBERS; m++) swap_break(network.swaps[m]);
    end(&network);
    for (uint32_t m = 0; m < MEMBERS; m++)
        for (uint32_t i = 0; i < SWAP_CHANNELS; i++)
            assert_int_equal(network.threads[m][i].status, BRAMBLE_ERR_CANCELLED);
}

static bool arrives(struct swap *swap, uint32_t member, uint32_t round)
{
    struct wire_pair head = {JOB, round};
    uint8_t *message = mem_alloc(1, sizeof head);
    memcpy(message, &head, sizeof head);
    bool taken = swap_arrived(swap, member, message, sizeof head);
    if (!taken) mem_free(message);
    return taken;
}

static void what_is_out_of_turn_is_refused(void **state)
{
    (void)state;
    struct swap *swap = swap_new(JOB, 1, MEMBERS);
    assert_false(arrives(swap, 0, 2));
    assert_false(arrives(swap, 0, UINT32_MAX));
    assert_true(arrives(swap, 0, 1));
    assert_false(arrives(swap, 0, 1));
    assert_false(arrives(swap, 1, 1));
    assert_false(arrives(swap, MEMBERS, 1));
    assert_false(arrives(swap, UINT32_MAX, 1));
    assert_true(arrives(swap, 2, 1));
    uint8_t few[4] = {0};
    assert_false(swap_arrived(swap, 0, few, sizeof few));
    swap_free(swap);
}

/* As many letters as one may have in line, and no more; nor any that have a round. */
static void too_many_letters_are_refused(void **state)
{
    (void)state;
    const uint32_t first = 1U << 30, second = 3U << 30;
    struct swap *swap = swap_new(JOB, 1, MEMBERS);
    assert_false(arrives(swap, 0, first | 1));
    assert_false(arrives(swap, 1, first));
    assert_false(arrives(swap, MEMBERS, first));
    for (uint32_t i = 0; i < SWAP_LETTERS; i++) assert_true(arrives(swap, 0, first));
    assert_false(arrives(swap, 0, first));
    assert_true(arrives(swap, 0, second));
    assert_true(arrives(swap, 2, first));
    swap_free(swap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_gets_what_everybody_sent),
        cmocka_unit_test(who_waits_is_told_that_it_is_over),
        cmocka_unit_test(what_is_out_of_turn_is_refused),
        cmocka_unit_test(letters_come_in_order),
        cmocka_unit_test(who_waits_for_letters_is_told_that_it_is_over),
        cmocka_unit_test(too_many_letters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
