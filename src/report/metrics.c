#include "report/metrics.h"

#include <math.h>
#include <string.h>

#define PROBABILITY_MIN 1e-15

void metrics_classes_init(struct metrics_classes *metrics, uint32_t n_classes, double *confusion)
{
    *metrics = (struct metrics_classes){.n_classes = n_classes, .confusion = confusion};
    memset(confusion, 0, (size_t)n_classes * n_classes * sizeof *confusion);
}

static double clip(double probability)
{
    if (probability < PROBABILITY_MIN) return PROBABILITY_MIN;
    return probability > 1 - PROBABILITY_MIN ? 1 - PROBABILITY_MIN : probability;
}

void metrics_classes_add(struct metrics_classes *metrics, size_t n, const uint32_t *truth,
                         const uint32_t *predicted, const float *proba, const double *weights)
{
    uint32_t n_classes = metrics->n_classes;
    for (size_t r = 0; r < n; r++) {
        double weight = weights ? weights[r] : 1, sum = 0;
        for (uint32_t c = 0; c < n_classes; c++) sum += clip(proba[r * n_classes + c]);
        metrics->loss -= weight * log(clip(proba[r * n_classes + truth[r]]) / sum);
        metrics->confusion[(size_t)truth[r] * n_classes + predicted[r]] += weight;
        metrics->weight += weight;
    }
}

double metrics_accuracy(const struct metrics_classes *metrics)
{
    double right = 0;
    for (size_t c = 0; c < metrics->n_classes; c++) right += metrics->confusion[c * metrics->n_classes + c];
    return right / metrics->weight;
}

double metrics_log_loss(const struct metrics_classes *metrics)
{
    return metrics->loss / metrics->weight;
}

double metrics_macro_f1(const struct metrics_classes *metrics)
{
    size_t n_classes = metrics->n_classes, present = 0;
    double sum = 0;
    for (size_t c = 0; c < n_classes; c++) {
        double truths = 0, predictions = 0;
        for (size_t k = 0; k < n_classes; k++) {
            truths += metrics->confusion[c * n_classes + k];
            predictions += metrics->confusion[k * n_classes + c];
        }
        if (truths + predictions <= 0) continue;
        sum += 2 * metrics->confusion[c * n_classes + c] / (truths + predictions);
        present++;
    }
    return present ? sum / (double)present : 0;
}

struct metrics_numbers metrics_numbers(size_t n, const double *truth, const double *predicted,
                                       const double *weights)
{
    double weight = 0, mean = 0, squares = 0, absolute = 0, spread = 0;
    for (size_t r = 0; r < n; r++) {
        double w = weights ? weights[r] : 1;
        weight += w;
        mean += w * truth[r];
    }
    mean /= weight;
    for (size_t r = 0; r < n; r++) {
        double w = weights ? weights[r] : 1, wrong = truth[r] - predicted[r], beside = truth[r] - mean;
        squares += w * wrong * wrong;
        absolute += w * fabs(wrong);
        spread += w * beside * beside;
    }
    struct metrics_numbers metrics = {.rmse = sqrt(squares / weight), .mae = absolute / weight};
    if (spread > 0)
        metrics.r2 = 1 - squares / spread;
    else
        metrics.r2 = squares > 0 ? 0 : 1;
    return metrics;
}
