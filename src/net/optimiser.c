#include "net/optimiser.h"

#include <math.h>

#include "net/kernels/kernel.h"
#include "net/powers.h"

/* An update's numbers as the loops take them. */
struct update {
    float *w, *first, *second; /* the state's slots */
    const float *g;
    size_t n;
    float scale, decay; /* g becomes g * scale + decay * w */
    float shrink;       /* AdamW: w * shrink before the step */
    float rate;         /* learning rate, and for Adam what corrects the mean's bias */
    float keep, take;   /* momentum or beta1; 1 - beta1 */
    float keep_square, take_square;
    float root_scale; /* of the square root of the mean square */
    float epsilon;
};

KERNEL_INLINE float step_gradient(const struct update *u, size_t i)
{
    return fmaf(u->decay, u->w[i], u->g[i] * u->scale);
}

KERNEL static void sgd(const struct update *update)
{
    const struct update u = *update;
    KERNEL_LOOP
    for (size_t i = 0; i < u.n; i++) u.w[i] = fmaf(-u.rate, step_gradient(&u, i), u.w[i]);
}

KERNEL static void sgd_momentum(const struct update *update)
{
    const struct update u = *update;
    KERNEL_LOOP
    for (size_t i = 0; i < u.n; i++) {
        float moving = fmaf(u.keep, u.first[i], step_gradient(&u, i));
        u.first[i] = moving;
        u.w[i] = fmaf(-u.rate, moving, u.w[i]);
    }
}

KERNEL static void sgd_nesterov(const struct update *update)
{
    const struct update u = *update;
    KERNEL_LOOP
    for (size_t i = 0; i < u.n; i++) {
        float g = step_gradient(&u, i), moving = fmaf(u.keep, u.first[i], g);
        u.first[i] = moving;
        u.w[i] = fmaf(-u.rate, fmaf(u.keep, moving, g), u.w[i]);
    }
}

/* The mean square's root, not below epsilon, with this step's gradient in it. */
KERNEL_INLINE float root_mean_square(const struct update *u, float *squares, size_t i, float g)
{
    float square = fmaf(u->take_square * g, g, u->keep_square * squares[i]);
    squares[i] = square;
    return fmaf(sqrtf(square), u->root_scale, u->epsilon);
}

KERNEL static void adam(const struct update *update)
{
    const struct update u = *update;
    KERNEL_LOOP
    for (size_t i = 0; i < u.n; i++) {
        float g = step_gradient(&u, i), mean = fmaf(u.take, g, u.keep * u.first[i]);
        u.first[i] = mean;
        float root = root_mean_square(&u, u.second, i, g);
        u.w[i] = fmaf(-u.rate, mean / root, u.w[i] * u.shrink);
    }
}

KERNEL static void rmsprop(const struct update *update)
{
    const struct update u = *update;
    KERNEL_LOOP
    for (size_t i = 0; i < u.n; i++) {
        float g = step_gradient(&u, i), root = root_mean_square(&u, u.first, i, g);
        u.w[i] = fmaf(-u.rate, g / root, u.w[i]);
    }
}

KERNEL static void rmsprop_momentum(const struct update *update)
{
    const struct update u = *update;
    KERNEL_LOOP
    for (size_t i = 0; i < u.n; i++) {
        float g = step_gradient(&u, i), root = root_mean_square(&u, u.first, i, g);
        float moving = fmaf(u.keep, u.second[i], g / root);
        u.second[i] = moving;
        u.w[i] = fmaf(-u.rate, moving, u.w[i]);
    }
}

static void run_sgd(struct update *u, const struct optimiser_options *o)
{
    u->keep = (float)o->momentum;
    if (o->momentum == 0)
        sgd(u);
    else if (o->nesterov)
        sgd_nesterov(u);
    else
        sgd_momentum(u);
}

static void run_rmsprop(struct update *u, const struct optimiser_options *o)
{
    u->keep = (float)o->momentum;
    u->keep_square = (float)o->alpha;
    u->take_square = (float)(1.0 - o->alpha);
    u->root_scale = 1.0f;
    if (o->momentum == 0)
        rmsprop(u);
    else
        rmsprop_momentum(u);
}

/* The means begin at 0, which the corrections make up for: of t steps' weights they lack beta^t. */
static void run_adam(struct update *u, const struct optimiser_options *o, double learning_rate, uint64_t step)
{
    u->keep = (float)o->beta1;
    u->take = (float)(1.0 - o->beta1);
    u->keep_square = (float)o->beta2;
    u->take_square = (float)(1.0 - o->beta2);
    u->rate = (float)(learning_rate / (1.0 - power_whole(o->beta1, step)));
    u->root_scale = (float)(1.0 / sqrt(1.0 - power_whole(o->beta2, step)));
    adam(u);
}

uint32_t optimiser_slots(const struct optimiser_options *options)
{
    uint32_t momentum = options->momentum != 0;
    switch (options->kind) {
    case OPTIMISER_SGD: return momentum;
    case OPTIMISER_RMSPROP: return 1 + momentum;
    case OPTIMISER_ADAM:
    case OPTIMISER_ADAMW: break;
    }
    return 2;
}

void optimiser_update(const struct optimiser_options *options, float *weights, const float *gradient,
                      float *state, size_t stride, size_t n, bool decays, double learning_rate, double scale,
                      uint64_t step)
{
    double decay = decays ? options->weight_decay : 0, decoupled = 0;
    if (options->kind == OPTIMISER_ADAMW) {
        decoupled = learning_rate * decay;
        decay = 0;
    }
    uint32_t slots = optimiser_slots(options);
    struct update u = {
        .w = weights,
        .first = slots > 0 ? state : NULL,
        .second = slots > 1 ? state + stride : NULL,
        .g = gradient,
        .n = n,
        .scale = (float)scale,
        .decay = (float)decay,
        .shrink = (float)(1.0 - decoupled),
        .rate = (float)learning_rate,
        .epsilon = (float)options->epsilon,
    };
    switch (options->kind) {
    case OPTIMISER_SGD: run_sgd(&u, options); break;
    case OPTIMISER_RMSPROP: run_rmsprop(&u, options); break;
    case OPTIMISER_ADAM:
    case OPTIMISER_ADAMW: run_adam(&u, options, learning_rate, step); break;
    }
}
