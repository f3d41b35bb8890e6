#include "forest/category_order.h"

#include <math.h>
#include <string.h>

enum { POWER_ITERATIONS = 16 };

/* Class shares of category b, less the node's, into share[k]; returns its weight. */
static double deviation(const struct node_rows *rows, const struct general_scratch *scratch, uint8_t b,
                        double *share)
{
    const int64_t *cell = scratch->cells + (size_t)b * scratch->width;
    double weight = (double)cell[CELL_WEIGHT];
    for (uint32_t c = 0; c < rows->k; c++)
        share[c] = (double)cell[CELL_CLASSES + c] / weight - (double)rows->totals[c] / (double)rows->weight;
    return weight;
}

static double dot(const double *a, const double *b, uint32_t k)
{
    double sum = 0;
    for (uint32_t c = 0; c < k; c++) sum += a[c] * b[c];
    return sum;
}

/* The direction in which the categories' class shares vary most, by power iteration from the most deviant. */
static void principal_direction(const struct node_rows *rows, struct general_scratch *scratch,
                                const uint8_t *order, uint32_t m, double *direction, double *share,
                                double *next)
{
    uint32_t k = rows->k;
    double most = -1;
    for (uint32_t i = 0; i < m; i++) {
        double size = deviation(rows, scratch, order[i], share) * dot(share, share, k);
        if (size <= most) continue;
        most = size;
        memcpy(direction, share, k * sizeof *direction);
    }
    for (int iteration = 0; iteration < POWER_ITERATIONS; iteration++) {
        memset(next, 0, k * sizeof *next);
        for (uint32_t i = 0; i < m; i++) {
            double weight = deviation(rows, scratch, order[i], share);
            double along = weight * dot(share, direction, k);
            for (uint32_t c = 0; c < k; c++) next[c] += along * share[c];
        }
        double length = sqrt(dot(next, next, k));
        if (!(length > 0)) return;
        for (uint32_t c = 0; c < k; c++) direction[c] = next[c] / length;
    }
}

static void sort_by_key(uint8_t *order, double *key, uint32_t m)
{
    for (uint32_t i = 1; i < m; i++) {
        uint8_t category = order[i];
        double value = key[i];
        uint32_t j = i;
        for (; j > 0 && key[j - 1] > value; j--) {
            order[j] = order[j - 1];
            key[j] = key[j - 1];
        }
        order[j] = category;
        key[j] = value;
    }
}

void category_order(const struct node_rows *rows, struct general_scratch *scratch, uint8_t *order, uint32_t m)
{
    double key[256];
    double *direction = scratch->shares, *share = direction + rows->k, *next = share + rows->k;
    if (rows->k > 2) principal_direction(rows, scratch, order, m, direction, share, next);
    for (uint32_t i = 0; i < m; i++) {
        const int64_t *cell = scratch->cells + (size_t)order[i] * scratch->width;
        if (rows->k <= 2) {
            int64_t what = rows->k ? cell[CELL_CLASSES] : cell[CELL_SUM];
            key[i] = (double)what / (double)cell[CELL_WEIGHT];
        } else {
            deviation(rows, scratch, order[i], share);
            key[i] = dot(share, direction, rows->k);
        }
    }
    sort_by_key(order, key, m);
}
