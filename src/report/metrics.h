/*
 * Figures that say how good predictions are, defined as scikit-learn defines them, weights included. Plain
 * arrays in; sums are double precision in row order, so the same rows give the same bits.
 */
#ifndef REPORT_METRICS_H
#define REPORT_METRICS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Classification, gathered row by row so that nobody has to keep all probabilities.
 * confusion: C x C, row: truth, column: prediction, the caller's, zeroed by metrics_classes_init.
 */
struct metrics_classes {
    uint32_t n_classes; /* C */
    double *confusion;
    double weight, loss; /* sums over rows */
};

void metrics_classes_init(struct metrics_classes *metrics, uint32_t n_classes, double *confusion);

/* Adds n rows: truth[n] and predicted[n] below C, proba N x C row-major, weights[n] or NULL for 1. O(n C). */
void metrics_classes_add(struct metrics_classes *metrics, size_t n, const uint32_t *truth,
                         const uint32_t *predicted, const float *proba, const double *weights);

/* Share of the weight that is predicted right. */
double metrics_accuracy(const struct metrics_classes *metrics);
/* Mean of -ln(probability of the true class); probabilities are clipped to [1e-15, 1 - 1e-15] and then made
 * to sum to 1, as sklearn.metrics.log_loss(eps=1e-15) does. */
double metrics_log_loss(const struct metrics_classes *metrics);
/* Mean F1 over the classes that occur among truths or predictions. O(C^2). */
double metrics_macro_f1(const struct metrics_classes *metrics);

struct metrics_numbers {
    double rmse, mae;
    double r2; /* 1 when all is right and 0 when not, where the truth does not vary */
};

/* Regression figures of n >= 1 rows; weights may be NULL. O(n). */
struct metrics_numbers metrics_numbers(size_t n, const double *truth, const double *predicted,
                                       const double *weights);

#endif
