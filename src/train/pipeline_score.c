/* Validation: chunks of rows go forward through the stages, one behind the other. */
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "train/pipeline_internal.h"

struct scoring {
    struct pipeline *p;
    const struct net_data *data;
    struct net_chunk chunk;
    struct net_score_part *parts; /* of each chunk; the last stage fills them in */
    float *in, *out;
};

static bramble_status scoring_init(struct scoring *s, bramble_error *error)
{
    const struct pipeline *p = s->p;
    s->parts = mem_zalloc(net_chunks(s->data), sizeof *s->parts);
    if (!s->parts) return error_memory(error, "the validation rows");
    bramble_status status = net_chunk_init(&s->chunk, s->data, error);
    if (status || !p->stage) return status;
    s->in = mem_alloc_aligned(NET_CHUNK_ROWS, pipeline_in(p) * sizeof *s->in);
    s->out = mem_alloc_aligned(NET_CHUNK_ROWS, pipeline_out(p) * sizeof *s->out);
    return s->in && s->out ? BRAMBLE_OK : error_memory(error, "the validation rows");
}

static void scoring_fini(struct scoring *s)
{
    net_chunk_fini(&s->chunk);
    mem_free(s->parts);
    mem_free(s->in);
    mem_free(s->out);
}

/* A chunk through this member's stage. */
static bramble_status pass(struct scoring *s, size_t number, const struct exchanged *came,
                           bramble_error *error)
{
    const struct pipeline *p = s->p;
    uint32_t n = net_chunk_rows(s->data, number);
    const float *x = s->in;
    if (pipeline_is_first(p)) {
        net_chunk_encode(&s->chunk, number);
        x = s->chunk.x;
    } else {
        if (came->length != n * pipeline_in(p) * sizeof *s->in) return pipeline_wrong(p->before, error);
        memcpy(s->in, came->bytes, came->length);
    }
    float *out = pipeline_is_last(p) ? s->chunk.outputs : s->out;
    bramble_status status = net_run(&p->part.graph, x, n, p->options.threads, out, error);
    if (!status && pipeline_is_last(p)) s->parts[number] = net_chunk_judge(&s->chunk, number);
    return status;
}

static bramble_status pass_all(struct scoring *s, bramble_error *error)
{
    struct pipeline *p = s->p;
    struct exchanged came = {0};
    size_t n = net_chunks(s->data);
    bramble_status status = BRAMBLE_OK;
    for (size_t tick = 0; !status && tick < n + p->layout.stages.n - 1; tick++) {
        bool has = p->own != NET_NONE && tick >= p->own && tick - p->own < n;
        if (has) status = pass(s, tick - p->own, &came, error);
        if (status) return status;
        bool sends = has && p->behind != MOVER_NOBODY;
        size_t length = sends ? net_chunk_rows(s->data, tick - p->own) * pipeline_out(p) * sizeof(float) : 0;
        mover_post(p->there, sends ? p->behind : MOVER_NOBODY, s->out, length);
        status = mover_wait(p->there, p->before, &came, error);
    }
    return status;
}

/* All get to know what the last stage found. */
static bramble_status share(struct scoring *s, bramble_error *error)
{
    struct pipeline *p = s->p;
    uint32_t last = p->layout.stages.members[p->layout.stages.n - 1];
    size_t length = net_chunks(s->data) * sizeof *s->parts;
    bramble_status status = pipeline_all_gather(p, s->parts, p->exchanges->rank == last ? length : 0, error);
    if (status) return status;
    if (p->theirs[last].length != length)
        return error_set(error, BRAMBLE_ERR_IO, "member %u of the run sent no part of the validation",
                         last + 1);
    memcpy(s->parts, p->theirs[last].bytes, length);
    return BRAMBLE_OK;
}

bramble_status pipeline_score(struct pipeline *p, const struct net_data *data, struct net_score *out,
                              bramble_error *error)
{
    struct scoring s = {.p = p, .data = data};
    bramble_status status = scoring_init(&s, error);
    if (!status) status = pass_all(&s, error);
    if (!status) status = share(&s, error);
    if (!status) *out = net_score_sum(data, s.parts);
    scoring_fini(&s);
    return status;
}
