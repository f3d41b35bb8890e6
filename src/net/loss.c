#include "net/loss.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "net/kernels/functions.h"
#include "net/kernels/kernel.h"

enum { CHUNK = 64 };

/* A sample's part of what loss_microbatch is asked. */
struct sample {
    const float *output;
    const float *target; /* all but cross-entropy */
    float *gradient;     /* NULL: not wanted */
    uint32_t n;          /* outputs */
    double scale;        /* its weight / total_weight */
};

static uint32_t greatest(const float *x, uint32_t n)
{
    uint32_t at = 0;
    for (uint32_t i = 1; i < n; i++)
        if (x[i] > x[at]) at = i;
    return at;
}

/* e[i] = exp(x[i] - shift). */
KERNEL static void exp_shifted(const float *x, float shift, float *e, size_t n)
{
    KERNEL_LOOP
    for (size_t i = 0; i < n; i++) e[i] = float_exp(x[i] - shift);
}

/* The sum of exp(x[i] - shift); the terms too, when e is not NULL. */
static double sum_exp(const float *x, float shift, float *e, uint32_t n)
{
    float chunk[CHUNK];
    double sum = 0;
    for (uint32_t i = 0; i < n; i += CHUNK) {
        uint32_t length = n - i < CHUNK ? n - i : CHUNK;
        float *terms = e ? e + i : chunk;
        exp_shifted(x + i, shift, terms, length);
        for (uint32_t j = 0; j < length; j++) sum += (double)terms[j];
    }
    return sum;
}

/* gradient holds the exponentials: becomes by * them less what smoothing gives class by class. */
static void class_gradient(const struct loss_options *o, const struct sample *s, float by, float smooth)
{
    if (!o->class_weight || smooth == 0.0f) {
        for (uint32_t k = 0; k < s->n; k++) s->gradient[k] = fmaf(s->gradient[k], by, -smooth);
        return;
    }
    for (uint32_t k = 0; k < s->n; k++)
        s->gradient[k] = fmaf(s->gradient[k], by, -smooth * o->class_weight[k]);
}

/*
 * The sum over classes c of -a[c] log p[c], where the true class has 1 - smoothing of its weight, and every
 * class smoothing / C of its own on top. Its gradient is p (sum of a) - a.
 */
static double cross_entropy(const struct loss_options *o, const struct sample *s, uint32_t class, bool *right)
{
    uint32_t top = greatest(s->output, s->n);
    float shift = s->output[top];
    double sum = sum_exp(s->output, shift, s->gradient, s->n);
    double log_sum = (double)shift + (double)float_log((float)sum);
    double own = o->class_weight ? (double)o->class_weight[class] : 1.0;
    double sharp = (1.0 - o->label_smoothing) * own, each = o->label_smoothing / s->n, total = sharp;
    double loss = sharp * (log_sum - (double)s->output[class]);
    for (uint32_t k = 0; k < s->n && each > 0; k++) {
        double a = each * (o->class_weight ? (double)o->class_weight[k] : 1.0);
        loss += a * (log_sum - (double)s->output[k]);
        total += a;
    }
    *right = top == class;
    if (s->gradient) {
        class_gradient(o, s, (float)(total * s->scale / sum), (float)(each * s->scale));
        s->gradient[class] -= (float)(sharp * s->scale);
    }
    return loss;
}

static double squared_error(const struct sample *s)
{
    double loss = 0;
    float twice = (float)(2.0 * s->scale);
    for (uint32_t k = 0; k < s->n; k++) {
        float error = s->output[k] - s->target[k];
        loss += (double)error * (double)error;
        if (s->gradient) s->gradient[k] = error * twice;
    }
    return loss;
}

static double huber(const struct loss_options *o, const struct sample *s)
{
    double loss = 0;
    float scale = (float)s->scale, edge = (float)(o->delta * s->scale);
    for (uint32_t k = 0; k < s->n; k++) {
        float error = s->output[k] - s->target[k];
        double size = fabs((double)error);
        bool beyond = size > o->delta;
        loss += beyond ? o->delta * (size - 0.5 * o->delta) : 0.5 * size * size;
        if (s->gradient) s->gradient[k] = beyond ? copysignf(edge, error) : error * scale;
    }
    return loss;
}

/* log(1 + e), 0 <= e <= 1, without losing what e has below 1's last place. */
static float log_above_one(float e)
{
    float one = 1.0f + e;
    return one == 1.0f ? e : float_log(one) * (e / (one - 1.0f));
}

static double binary_cross_entropy(const struct sample *s)
{
    double loss = 0;
    float scale = (float)s->scale;
    for (uint32_t k = 0; k < s->n; k++) {
        float x = s->output[k], t = s->target[k];
        loss += (x > 0.0f ? (double)x : 0.0) - (double)x * (double)t +
                (double)log_above_one(float_exp(-fabsf(x)));
        if (s->gradient) s->gradient[k] = (float_logistic(x) - t) * scale;
    }
    return loss;
}

/* One output: above or below half; several: each class against the rest, the greatest counts. */
static bool binary_right(const struct sample *s)
{
    if (s->n == 1) return (s->output[0] > 0.0f) == (s->target[0] > 0.5f);
    return greatest(s->output, s->n) == greatest(s->target, s->n);
}

static double sample_loss(const struct loss_options *o, const struct sample *s, const void *target,
                          bool *right)
{
    switch (o->kind) {
    case LOSS_CROSS_ENTROPY: return cross_entropy(o, s, *(const uint32_t *)target, right);
    case LOSS_BINARY_CROSS_ENTROPY: *right = binary_right(s); return binary_cross_entropy(s);
    case LOSS_HUBER: return huber(o, s);
    case LOSS_MEAN_SQUARED_ERROR: break;
    }
    return squared_error(s);
}

static double own_weight(const float *weight, uint64_t i)
{
    return weight ? (double)weight[i] : 1;
}

struct loss_sum loss_microbatch(const struct loss_options *options, const float *output, const void *target,
                                const float *weight, uint32_t samples, uint32_t n_outputs,
                                double total_weight, float *gradient)
{
    struct loss_sum sum = {.weight = loss_weight(options, target, weight, samples, n_outputs)};
    for (uint32_t i = 0; i < samples; i++) {
        size_t at = (size_t)i * n_outputs;
        const void *wanted = loss_target_at(options, target, i, n_outputs);
        double own = own_weight(weight, i);
        struct sample sample = {
            .output = output + at,
            .target = wanted,
            .gradient = gradient ? gradient + at : NULL,
            .n = n_outputs,
            .scale = total_weight > 0 ? own / total_weight : 0,
        };
        bool right = false;
        sum.loss += own * sample_loss(options, &sample, wanted, &right);
        sum.correct += right;
        sum.correct_weight += right ? own : 0;
    }
    return sum;
}

/* Without weights sums of ones, which are exact. */
double loss_weight(const struct loss_options *options, const void *target, const float *weight,
                   uint64_t samples, uint32_t n_outputs)
{
    const float *by_class = options->kind == LOSS_CROSS_ENTROPY ? options->class_weight : NULL;
    double sum = weight || by_class ? 0 : (double)samples;
    for (uint64_t i = 0; i < samples && (weight || by_class); i++)
        sum += own_weight(weight, i) * (by_class ? (double)by_class[((const uint32_t *)target)[i]] : 1);
    return options->kind == LOSS_CROSS_ENTROPY ? sum : sum * n_outputs;
}

const void *loss_target_at(const struct loss_options *options, const void *target, uint64_t i,
                           uint32_t n_outputs)
{
    if (options->kind == LOSS_CROSS_ENTROPY) return (const uint32_t *)target + i;
    return (const float *)target + i * n_outputs;
}
