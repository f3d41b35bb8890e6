#include "forest/sample.h"

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

static void put(struct sample *sample, const struct grow_rules *rules, const struct bramble_table *table,
                size_t row, uint32_t weight)
{
    size_t at = sample->n++;
    sample->row[at] = (uint32_t)row;
    sample->weight[at] = weight;
    if (sample->class_id)
        sample->class_id[at] = table->classes[row];
    else
        sample->target[at] = (int64_t)weight * rules->targets[row];
}

/* Weights as the rules fixed them. */
static void put_drawn(struct sample *sample, const struct grow_rules *rules,
                      const struct bramble_table *table, const uint16_t *counts)
{
    sample->weight_scale = rules->weight_scale;
    for (size_t i = 0; i < table->n_rows; i++) {
        uint64_t weight = (uint64_t)counts[i] * (rules->weights ? rules->weights[i] : 1);
        if (weight) put(sample, rules, table, i, weight > UINT32_MAX ? UINT32_MAX : (uint32_t)weight);
    }
}

/* balanced_subsample: what each class weighs in this sample; its rows are counted as drawn, whatever they
 * weigh. */
static void balance_classes(const struct grow_rules *rules, const struct bramble_table *table,
                            const uint16_t *counts, double *class_rows, double *class_weight)
{
    memset(class_rows, 0, rules->n_classes * sizeof *class_rows);
    for (size_t i = 0; i < table->n_rows; i++) class_rows[table->classes[i]] += counts[i];
    class_weight_balance(class_rows, rules->n_classes, class_weight);
}

static void put_balanced(struct sample *sample, const struct grow_rules *rules,
                         const struct bramble_table *table, const uint16_t *counts,
                         const double *class_weight)
{
    double sum = 0;
    for (size_t i = 0; i < table->n_rows; i++)
        sum += counts[i] * rules->balanced[i] * class_weight[table->classes[i]];
    sample->weight_scale = fixed_point_scale(sum, 31);
    for (size_t i = 0; i < table->n_rows; i++) {
        double weight = counts[i] * rules->balanced[i] * class_weight[table->classes[i]];
        double fixed = weight * sample->weight_scale + 0.5;
        if (weight > 0) put(sample, rules, table, i, fixed < 1 ? 1 : (uint32_t)fixed);
    }
}

/* Rows drawn that all weigh nothing: the first with a weight stands in, so that the tree has a root. */
static void put_stand_in(struct sample *sample, const struct grow_rules *rules,
                         const struct bramble_table *table, uint16_t *counts)
{
    size_t row = 0;
    while (row + 1 < table->n_rows &&
           ((rules->weights && !rules->weights[row]) || (rules->balanced && !(rules->balanced[row] > 0))))
        row++;
    counts[row] = 1;
    put(sample, rules, table, row, 1);
}

void sample_draw(struct sample *sample, const struct grow_rules *rules, const struct bramble_table *table,
                 uint32_t tree, uint16_t *counts, double *class_scratch)
{
    sample_counts(rules, table->n_rows, tree, counts);
    sample->n = 0;
    if (rules->balanced) {
        double *class_weight = class_scratch + rules->n_classes;
        balance_classes(rules, table, counts, class_scratch, class_weight);
        put_balanced(sample, rules, table, counts, class_weight);
    } else {
        put_drawn(sample, rules, table, counts);
    }
    if (!sample->n) put_stand_in(sample, rules, table, counts);
}
