#include "data/batches.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"

enum { WANT_BYTES = 8 << 20 }; /* of rows that come next, on their way into memory where they are in a file */
enum { SLOTS = 3 };            /* one that is trained on, two that are ready or being made */

struct slot {
    float *x;
    uint32_t *targets;
    float *weights, *all_weights; /* NULL: the rows have none */
    struct batch batch;
};

struct batches {
    const struct encoder *encoder;
    const struct rows *rows;
    struct batches_options options;
    uint64_t per_epoch;
    struct row_encoder *coder;
    /* The maker's: its thread's, where it has one. */
    struct batches_state making;
    uint32_t *order; /* the rows in the order of epoch order_epoch - 1; 0: of none yet */
    uint64_t order_epoch;
    float *image; /* before it is augmented */
    struct slot slots[SLOTS];
    /* Between the two threads. */
    pthread_mutex_t mutex;
    pthread_cond_t made_one, freed_one;
    uint64_t n_made, n_taken, n_freed; /* under the mutex */
    bool stop;                         /* under the mutex */
    bool has_thread;
    pthread_t thread;
};

/* Fisher and Yates's, from the same start in every epoch, so that any epoch can be gone on with. */
static void order_make(struct batches *b, uint64_t epoch)
{
    if (b->order_epoch == epoch + 1) return;
    uint32_t n = (uint32_t)b->rows->n_rows;
    for (uint32_t i = 0; i < n; i++) b->order[i] = i;
    b->order_epoch = epoch + 1;
    struct rng rng;
    rng_init(&rng, b->options.seed, RNG_BATCH_ORDER, epoch, 0);
    for (uint32_t i = n; i > 1; i--) {
        uint32_t j = rng_below(&rng, i), other = b->order[j];
        b->order[j] = b->order[i - 1];
        b->order[i - 1] = other;
    }
}

static void sample_make(struct batches *b, uint32_t row, float *x)
{
    const struct augment_options *augment = &b->options.augment;
    if (!augment_any(augment)) {
        row_encoder_encode(b->coder, row, x);
        return;
    }
    row_encoder_encode(b->coder, row, b->image);
    augment_image(augment, b->encoder->shape, b->options.seed, (uint32_t)b->making.epoch, row, b->image, x);
}

static struct batches_state state_after(const struct batches *b, struct batches_state state)
{
    if (state.batch + 1 < b->per_epoch) return (struct batches_state){state.epoch, state.batch + 1};
    return (struct batches_state){state.epoch + 1, 0};
}

/* Rows that come after those of the batch that begins at sample `first`. */
static void want_ahead(const struct batches *b, uint64_t first, uint32_t samples)
{
    uint64_t ahead = WANT_BYTES / b->rows->row_bytes + 1, from = first ? first + ahead : 0,
             to = first + ahead + samples;
    if (to > b->rows->n_rows) to = b->rows->n_rows;
    if (from < to) rows_want(b->rows, b->order + from, to - from);
}

static void batch_make(struct batches *b, struct slot *slot)
{
    order_make(b, b->making.epoch);
    uint64_t first = b->making.batch * b->options.batch_size, left = b->rows->n_rows - first;
    uint32_t samples = left < b->options.batch_size ? (uint32_t)left : b->options.batch_size;
    const uint32_t *targets = b->rows->targets;
    uint32_t n = 0;
    want_ahead(b, first, samples);
    for (uint32_t i = 0; i < samples; i++) {
        uint32_t row = b->order[first + i];
        if (slot->all_weights) slot->all_weights[i] = b->rows->weights[row];
        if (b->options.wants && !b->options.wants(b->options.wants_context, b->making, samples, i)) continue;
        sample_make(b, row, slot->x + (size_t)n * b->encoder->n_inputs);
        if (targets) memcpy(&slot->targets[n], &targets[row], sizeof *targets);
        if (slot->weights) slot->weights[n] = b->rows->weights[row];
        n++;
    }
    slot->batch = (struct batch){.x = slot->x,
                                 .targets = targets ? slot->targets : NULL,
                                 .weights = slot->weights,
                                 .all_weights = slot->all_weights,
                                 .samples = samples,
                                 .n = n};
    b->making = state_after(b, b->making);
}

static void *make_batches(void *argument)
{
    struct batches *b = argument;
    pthread_mutex_lock(&b->mutex);
    for (;;) {
        while (!b->stop && b->n_made - b->n_freed == SLOTS) pthread_cond_wait(&b->freed_one, &b->mutex);
        if (b->stop) break;
        struct slot *slot = &b->slots[b->n_made % SLOTS];
        pthread_mutex_unlock(&b->mutex);
        batch_make(b, slot);
        pthread_mutex_lock(&b->mutex);
        b->n_made++;
        pthread_cond_signal(&b->made_one);
    }
    pthread_mutex_unlock(&b->mutex);
    return NULL;
}

const struct batch *batches_next(struct batches *b)
{
    struct slot *slot = &b->slots[0];
    if (b->has_thread) {
        pthread_mutex_lock(&b->mutex);
        b->n_freed = b->n_taken;
        pthread_cond_signal(&b->freed_one);
        while (b->n_made == b->n_taken) pthread_cond_wait(&b->made_one, &b->mutex);
        slot = &b->slots[b->n_taken++ % SLOTS];
        pthread_mutex_unlock(&b->mutex);
    } else {
        batch_make(b, slot);
    }
    return &slot->batch;
}

static bramble_status augment_check(const struct batches *b, bramble_error *error)
{
    const struct augment_options *augment = &b->options.augment;
    const uint32_t *shape = b->encoder->shape;
    if (!augment_any(augment)) return BRAMBLE_OK;
    if (!shape[0])
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "only images can be cropped, flipped or cut out; train on these data without that");
    uint32_t side = shape[0] < shape[1] ? shape[0] : shape[1];
    if (augment->crop_padding >= side || augment->cutout > 2 * (uint64_t)side)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "images of %u x %u pixels: crop by less than %u of them, cut out squares of %llu at "
                         "most",
                         shape[0], shape[1], side, 2ULL * side);
    return BRAMBLE_OK;
}

/* Settles how many batches an epoch has. */
static bramble_status sizes_check(struct batches *b, struct batches_state from, bramble_error *error)
{
    const struct batches_options *options = &b->options;
    uint64_t n = b->rows->n_rows;
    if (n > UINT32_MAX)
        return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                         "%llu rows are more than a network can be trained on; leave out some",
                         (unsigned long long)n);
    if (!options->batch_size) return error_set(error, BRAMBLE_ERR_USAGE, "a batch has at least one sample");
    b->per_epoch = (n + options->batch_size - 1) / options->batch_size;
    if (from.epoch >= BATCHES_EPOCHS_MAX || from.batch >= b->per_epoch)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "there is no batch %llu in epoch %llu of these data; go on with the data and the "
                         "settings that the run began with",
                         (unsigned long long)from.batch, (unsigned long long)from.epoch);
    b->making = from;
    return augment_check(b, error);
}

static bool slots_allocate(struct batches *b)
{
    uint32_t samples = b->options.batch_size;
    if (samples > b->rows->n_rows) samples = (uint32_t)b->rows->n_rows;
    for (int s = 0; s < (b->options.own_thread ? SLOTS : 1); s++) {
        struct slot *slot = &b->slots[s];
        if (samples > SIZE_MAX / b->encoder->n_inputs) return false;
        slot->x = mem_alloc_aligned((size_t)samples * b->encoder->n_inputs, sizeof *slot->x);
        slot->targets = mem_alloc(samples, sizeof *slot->targets);
        if (!slot->x || !slot->targets) return false;
        if (!b->rows->weights) continue;
        slot->weights = mem_alloc(samples, sizeof *slot->weights);
        slot->all_weights = mem_alloc(samples, sizeof *slot->all_weights);
        if (!slot->weights || !slot->all_weights) return false;
    }
    return true;
}

static bramble_status allocate(struct batches *b, bramble_error *error)
{
    b->order = mem_alloc(b->rows->n_rows, sizeof *b->order);
    b->image = mem_alloc(b->encoder->n_inputs, sizeof *b->image);
    if (!b->order || !b->image || !slots_allocate(b)) return error_memory(error, "the batches");
    return row_encoder_new(&b->coder, b->encoder, b->rows, error);
}

/* Signals are other threads' to take. Where no thread can be started it is done without. */
static void thread_start(struct batches *b)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    b->has_thread = pthread_create(&b->thread, NULL, make_batches, b) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bramble_status batches_new(struct batches **out, const struct encoder *encoder, const struct rows *rows,
                           const struct batches_options *options, struct batches_state from,
                           bramble_error *error)
{
    struct batches *b = mem_zalloc(1, sizeof *b);
    if (!b) return error_memory(error, "the batches");
    b->encoder = encoder;
    b->rows = rows;
    b->options = *options;
    pthread_mutex_init(&b->mutex, NULL);
    pthread_cond_init(&b->made_one, NULL);
    pthread_cond_init(&b->freed_one, NULL);
    bramble_status status = sizes_check(b, from, error);
    if (!status) status = allocate(b, error);
    if (status) {
        batches_free(b);
        return status;
    }
    if (options->own_thread) thread_start(b);
    *out = b;
    return BRAMBLE_OK;
}

static void thread_end(struct batches *b)
{
    pthread_mutex_lock(&b->mutex);
    b->stop = true;
    pthread_cond_signal(&b->freed_one);
    pthread_mutex_unlock(&b->mutex);
    pthread_join(b->thread, NULL);
}

void batches_free(struct batches *b)
{
    if (!b) return;
    if (b->has_thread) thread_end(b);
    pthread_cond_destroy(&b->freed_one);
    pthread_cond_destroy(&b->made_one);
    pthread_mutex_destroy(&b->mutex);
    for (int s = 0; s < SLOTS; s++) {
        mem_free(b->slots[s].x);
        mem_free(b->slots[s].targets);
        mem_free(b->slots[s].weights);
        mem_free(b->slots[s].all_weights);
    }
    row_encoder_free(b->coder);
    mem_free(b->order);
    mem_free(b->image);
    mem_free(b);
}
