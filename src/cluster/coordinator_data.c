#include <inttypes.h>

#include "base/error.h"
#include "cluster/coordinator_internal.h"

/* Nodes one node sends the data to at once, so that a slow link holds up no other. */
enum { RECEIVERS_EACH = 3 };

void coordinator_data_needed(struct coordinator *c, uint32_t rank)
{
    if (c->together)
        coordinator_together_data_needed(c, rank);
    else if (c->job.data)
        c->nodes[rank].waits_for_data = true;
}

static void end_sending(struct coordinator *c, uint32_t to)
{
    struct node_at_work *node = &c->nodes[to];
    if (node->state == WORKER_RECEIVING && c->nodes[node->sender].receivers)
        c->nodes[node->sender].receivers--;
}

void coordinator_data_arrived(struct coordinator *c, uint32_t rank)
{
    end_sending(c, rank);
    c->nodes[rank].has_data = true;
    c->nodes[rank].state = WORKER_LOADING;
    coordinator_report(c, "have %" PRIu32, rank);
}

void coordinator_data_refused(struct coordinator *c, uint32_t sender, uint32_t to)
{
    if (to < 1 || to > c->n_workers || c->nodes[to].state != WORKER_RECEIVING ||
        c->nodes[to].sender != sender)
        return;
    end_sending(c, to);
    c->nodes[sender].has_data = false;
    c->nodes[to].waits_for_data = true;
    c->nodes[to].state = WORKER_LOADING;
}

void coordinator_data_given_up(struct coordinator *c, uint32_t rank)
{
    end_sending(c, rank);
    c->nodes[rank].waits_for_data = false;
}

/* Our own copy is opened when it is first needed; nodes that have theirs can do without it. */
static bool can_send(struct coordinator *c, uint32_t rank, bramble_error *error)
{
    const struct node_at_work *node = &c->nodes[rank];
    if (node->receivers >= RECEIVERS_EACH) return false;
    if (rank > 0) return node->has_data && !node->lost;
    if (!c->carrier && !c->no_copy)
        c->no_copy = carrier_new(&c->carrier, c->wire, c->job.data, c->job.number, error) != BRAMBLE_OK;
    return c->carrier;
}

static uint32_t best_sender(struct coordinator *c, bramble_error *error)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t rank = 0; rank <= c->n_workers; rank++)
        if (can_send(c, rank, error) &&
            (best == UINT32_MAX || c->nodes[rank].receivers < c->nodes[best].receivers))
            best = rank;
    return best;
}

/* Everybody waits, and nobody is left who could send. */
static bool out_of_reach(const struct coordinator *c)
{
    if (!c->no_copy) return false;
    for (uint32_t rank = 1; rank <= c->n_workers; rank++)
        if (!c->nodes[rank].lost && c->nodes[rank].state != WORKER_OUT && !c->nodes[rank].waits_for_data)
            return false;
    return true;
}

static void begin_sending(struct coordinator *c, uint32_t from, uint32_t to)
{
    if (from == 0) {
        carrier_add(c->carrier, to); /* it takes more than RECEIVERS_EACH */
    } else {
        struct wire_pair pair = {c->job.number, to};
        wire_send_copy(c->wire, from, WIRE_SEND_DATA, &pair, sizeof pair);
    }
    c->nodes[from].receivers++;
    c->nodes[to].sender = from;
    c->nodes[to].waits_for_data = false;
    c->nodes[to].state = WORKER_RECEIVING;
}

static void find_senders(struct coordinator *c)
{
    bramble_error error = {0};
    for (uint32_t to = 1; to <= c->n_workers; to++) {
        if (!c->nodes[to].waits_for_data) continue;
        uint32_t from = best_sender(c, &error);
        if (from == UINT32_MAX) break;
        begin_sending(c, from, to);
    }
    if (!out_of_reach(c)) return;
    error_set(&error, BRAMBLE_ERR_IO, "%s: the data can no longer be read, and no node has them",
              c->job.data);
    coordinator_fail_job(c, 0, &error);
}

bool coordinator_send_data(struct coordinator *c)
{
    bramble_error error;
    if (!coordinator_at_job(c, 0) || !c->job.data || c->together) return false;
    find_senders(c);
    if (!c->carrier) return false;
    bool any = carrier_poll(c->carrier);
    if (carrier_failed(c->carrier)) {
        error_set(&error, BRAMBLE_ERR_IO, "%s: the data changed while they were sent; run it again",
                  c->job.data);
        coordinator_fail_job(c, 0, &error);
    }
    return any;
}
