#include "forest/sample.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "forest/class_weight.h"

bool sample_init(struct sample *sample, size_t capacity, bool classify)
{
    *sample = (struct sample){.capacity = capacity};
    sample->row = mem_alloc(capacity, sizeof *sample->row);
    sample->weight = mem_alloc(capacity, sizeof *sample->weight);
    if (classify)
        sample->class_id = mem_alloc(capacity, sizeof *sample->class_id);
    else
        sample->target = mem_alloc(capacity, sizeof *sample->target);
    if (sample->row && sample->weight && (sample->class_id || sample->target)) return true;
    sample_fini(sample);
    return false;
}

void sample_fini(struct sample *sample)
{
    mem_free(sample->row);
    mem_free(sample->weight);
    mem_free(sample->class_id);
    mem_free(sample->target);
    *sample = (struct sample){0};
}

void sample_counts(const struct grow_rules *rules, size_t n_rows, uint32_t tree, uint16_t *counts)
{
    if (!rules->bootstrap) {
        for (size_t i = 0; i < n_rows; i++) counts[i] = 1;
        return;
    }
    memset(counts, 0, n_rows * sizeof *counts);
    struct rng rng;
    rng_init(&rng, rules->split.seed, RNG_BOOTSTRAP, tree, 0);
    for (uint64_t i = 0; i < rules->n_draws; i++) {
        uint32_t row = rng_below(&rng, (uint32_t)n_rows);
        counts[row] += counts[row] < UINT16_MAX;
    }
}

/* Weights that a class makes much heavier may together leave 32 bits: what to multiply them all by first. */
static double fitting_scale(const struct sample *sample, const double *class_weight)
{
    double total = 0;
    for (size_t i = 0; i < sample->n; i++)
        total += (double)sample->weight[i] * class_weight[sample->class_id[i]];
    int exponent;
    frexp(total, &exponent);
    return exponent > 31 ? ldexp(1, 31 - exponent) : 1;
}

/* balanced_subsample: multiplies each row's weight by its class's. */
static void balance(struct sample *sample, const uint16_t *counts, uint32_t n_classes)
{
    uint64_t per_class[CLASS_MAX + 1];
    double class_weight[CLASS_MAX + 1];
    memset(per_class, 0, n_classes * sizeof *per_class);
    for (size_t i = 0; i < sample->n; i++) per_class[sample->class_id[i]] += counts[sample->row[i]];
    class_weight_balance(per_class, n_classes, class_weight);
    double scale = fitting_scale(sample, class_weight);
    for (size_t i = 0; i < sample->n; i++) {
        double fixed = (double)sample->weight[i] * class_weight[sample->class_id[i]] * scale + 0.5;
        sample->weight[i] = fixed < 1 ? 1 : (uint32_t)fixed;
    }
}

static void put(struct sample *sample, size_t at, const struct grow_rules *rules,
                const struct bramble_table *table, size_t row, uint64_t weight)
{
    sample->row[at] = (uint32_t)row;
    sample->weight[at] = weight > UINT32_MAX ? UINT32_MAX : (uint32_t)weight;
    if (sample->class_id)
        sample->class_id[at] = table->classes[row];
    else
        sample->target[at] = (int64_t)sample->weight[at] * rules->targets[row];
}

/* A draw that met rows of weight 0 only: the first row with a weight stands for it, so that a tree has a
 * root. */
static size_t first_weighted(struct sample *sample, const struct grow_rules *rules,
                             const struct bramble_table *table)
{
    size_t row = 0;
    while (row + 1 < table->n_rows && rules->weights && !rules->weights[row]) row++;
    put(sample, 0, rules, table, row, 1);
    return 1;
}

void sample_draw(struct sample *sample, const struct grow_rules *rules, const struct bramble_table *table,
                 uint32_t tree, uint16_t *counts)
{
    sample_counts(rules, table->n_rows, tree, counts);
    size_t n = 0;
    for (size_t i = 0; i < table->n_rows; i++) {
        uint64_t weight = (uint64_t)counts[i] * (rules->weights ? rules->weights[i] : 1);
        if (weight) put(sample, n++, rules, table, i, weight);
    }
    if (!n) n = first_weighted(sample, rules, table);
    sample->n = n;
    if (rules->balance_each_tree) balance(sample, counts, rules->n_classes);
}
