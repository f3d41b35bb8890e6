#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/stale.h"

bramble_status stale_server_init(struct stale_server *out, const struct stale_net *net, uint32_t staleness,
                                 bramble_error *error)
{
    uint32_t n = net->exchanges->n_members;
    *out = (struct stale_server){.net = *net};
    out->given = mem_zalloc(n, sizeof *out->given);
    if (!out->given) return error_memory(error, "the members' batches");
    return handout_init(&out->handout, n, staleness, error);
}

void stale_server_fini(struct stale_server *server)
{
    handout_fini(&server->handout);
    mem_free(server->given);
    *server = (struct stale_server){0};
}

void stale_server_begin(struct stale_server *server, uint64_t first)
{
    server->in_epoch = true;
    handout_begin(&server->handout, first, stale_batches(&server->net));
    for (uint32_t m = 0; m < server->handout.n_members; m++) server->given[m] = server->applied;
}

static bramble_status give(struct stale_server *server, uint32_t member, uint64_t batch, bramble_error *error)
{
    const struct stale_net *net = &server->net;
    const struct exchange *exchange = &net->exchanges[1];
    const struct stale_weights head = {batch};
    size_t length = (net->n_parameters + net->n_states) * sizeof(float);
    char *letter = mem_alloc(sizeof head + length, 1);
    if (!letter) return error_memory(error, "the weights for a member");
    memcpy(letter, &head, sizeof head);
    if (length) memcpy(letter + sizeof head, net->weights, length);
    bramble_status status = exchange->send(exchange->context, member, letter, sizeof head + length, error);
    mem_free(letter);
    server->given[member] = server->applied;
    return status;
}

static bramble_status hand_out(struct stale_server *server, bramble_error *error)
{
    struct handout *handout = &server->handout;
    bramble_status status = BRAMBLE_OK;
    for (uint32_t m = 0; !status && m < handout->n_members; m++) {
        uint64_t batch = handout->at[m] == HANDOUT_NONE ? handout_next(handout, m) : HANDOUT_NONE;
        if (batch != HANDOUT_NONE) status = give(server, m, batch, error);
    }
    return status;
}

static bramble_status end_epoch(struct stale_server *server, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    for (uint32_t m = 0; !status && m < server->handout.n_members; m++)
        status = give(server, m, stale_batches(&server->net), error);
    if (!status) server->in_epoch = false;
    return status;
}

/* The numbers behind the head, NULL when the batch gave none. */
static bramble_status read_gradient(const struct stale_server *server, uint32_t from,
                                    const struct exchanged *letter, struct stale_gradient *head,
                                    const float **numbers, bramble_error *error)
{
    const struct stale_net *net = &server->net;
    size_t length = 0;
    bool is_one = letter->length >= sizeof *head;
    if (is_one) memcpy(head, letter->bytes, sizeof *head);
    bool good = is_one && isfinite(head->loss) && head->bad_node == NET_NONE;
    if (good) length = (net->n_parameters + net->n_states) * sizeof(float);
    *numbers = good ? (const float *)((const char *)letter->bytes + sizeof *head) : NULL;
    uint64_t batch = server->handout.at[from];
    if (is_one && batch != HANDOUT_NONE && head->batch == batch && letter->length == sizeof *head + length &&
        head->correct <= stale_samples(net, batch))
        return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_IO, "member %u of the run sent what is no gradient of its batch",
                     from + 1);
}

/* The running means of batch normalisation are those of the gradient that was found with the newest weights:
 * old ones that come in late do not count. */
static void take_states(struct stale_server *server, uint32_t from, const float *states)
{
    const struct stale_net *net = &server->net;
    if (!net->n_states || server->given[from] < server->states_given) return;
    memcpy(net->weights + net->n_parameters, states, net->n_states * sizeof *states);
    server->states_given = server->given[from];
}

static void apply(struct stale_server *server, double learning_rate, const struct stale_gradient *head,
                  const float *numbers, struct stale_applied *out)
{
    const struct stale_net *net = &server->net;
    out->samples = stale_samples(net, head->batch);
    out->result = (struct step_result){
        .loss = head->loss, .correct = head->correct, .bad_node = head->bad_node, .gradient_norm = NAN};
    if (!numbers) return;
    out->result.gradient_norm = trainer_update(net->trainer, numbers, learning_rate);
    if (!isfinite(out->result.gradient_norm)) return;
    take_states(server, out->member, numbers + net->n_parameters);
    server->applied++;
    handout_done(&server->handout, out->member);
}

bramble_status stale_server_serve(struct stale_server *server, double learning_rate,
                                  struct stale_applied *out, bramble_error *error)
{
    const struct exchange *exchange = &server->net.exchanges[0];
    struct exchanged letter;
    struct stale_gradient head;
    const float *numbers;
    bramble_status status = server->holds_back ? BRAMBLE_OK : hand_out(server, error);
    if (!status) status = exchange->receive(exchange->context, &out->member, &letter, error);
    if (!status) status = read_gradient(server, out->member, &letter, &head, &numbers, error);
    if (status) return status;
    apply(server, learning_rate, &head, numbers, out);
    if (handout_is_over(&server->handout)) return end_epoch(server, error);
    return server->holds_back ? BRAMBLE_OK : hand_out(server, error);
}

bool stale_server_is_whole(struct stale_server *server)
{
    bool whole = handout_is_prefix(&server->handout);
    server->holds_back = !whole;
    return whole;
}
