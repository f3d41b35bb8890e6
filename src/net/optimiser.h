/*
 * What brings weights forward along their gradient: PyTorch's definitions and defaults (torch.optim).
 */
#ifndef NET_OPTIMISER_H
#define NET_OPTIMISER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum optimiser_kind { OPTIMISER_SGD, OPTIMISER_ADAM, OPTIMISER_ADAMW, OPTIMISER_RMSPROP };

struct optimiser_options {
    enum optimiser_kind kind;
    double momentum;     /* SGD, RMSprop; 0: none */
    bool nesterov;       /* SGD */
    double beta1, beta2; /* Adam, AdamW */
    double alpha;        /* RMSprop: share of the old mean square kept */
    double epsilon;      /* Adam, AdamW, RMSprop */
    double weight_decay; /* of values that decay; AdamW: decoupled, else added to the gradient */
    double clip_norm;    /* gradients longer than this are shortened to it; 0: never */
};

#define OPTIMISER_OPTIONS_INIT                                                                               \
    {                                                                                                        \
        .kind = OPTIMISER_SGD, .momentum = 0.9, .beta1 = 0.9, .beta2 = 0.999, .alpha = 0.99, .epsilon = 1e-8 \
    }

/* Numbers of state a weight takes: 0 to 2. */
uint32_t optimiser_slots(const struct optimiser_options *options);

/*
 * One update of `n` weights: gradient times `scale` (clipping), state[slots][stride] apart from each other.
 * step counts from 1. Any cut of the weights into calls gives the same numbers.
 */
void optimiser_update(const struct optimiser_options *options, float *weights, const float *gradient,
                      float *state, size_t stride, size_t n, bool decays, double learning_rate, double scale,
                      uint64_t step);

#endif
