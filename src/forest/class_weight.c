#include "forest/class_weight.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/number.h"

void class_weight_balance(const double *rows, uint32_t n_classes, double *weight)
{
    double total = 0;
    uint32_t present = 0;
    for (uint32_t c = 0; c < n_classes; c++) {
        total += rows[c];
        present += rows[c] > 0;
    }
    for (uint32_t c = 0; c < n_classes; c++) weight[c] = rows[c] > 0 ? total / (present * rows[c]) : 0;
}

/* Reads one "LABEL=WEIGHT" and moves *text past it. */
static bramble_status parse_pair(const struct bramble_schema *schema, const char **text, double *weight,
                                 bramble_error *error)
{
    const char *begin = *text, *comma = strchr(begin, ','), *end = comma ? comma : begin + strlen(begin);
    const char *equals = NULL;
    for (const char *c = begin; c < end; c++)
        if (*c == '=') equals = c;
    double value;
    if (!equals || !number_parse(equals + 1, (size_t)(end - equals - 1), &value) || !isfinite(value) ||
        value < 0)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "class_weight must be balanced, balanced_subsample, or LABEL=WEIGHT,...; not '%.*s'",
                         (int)(end - begin), begin);
    uint32_t c;
    if (!schema_class_code(schema, begin, (size_t)(equals - begin), &c))
        return error_set(error, BRAMBLE_ERR_USAGE, "class_weight names '%.*s', which is no class of '%s'",
                         (int)(equals - begin), begin, schema->target_name);
    weight[c] = value;
    *text = comma ? comma + 1 : end;
    return BRAMBLE_OK;
}

static bramble_status weigh_classes(const struct bramble_table *table, const char *option, double *weight,
                                    bramble_error *error)
{
    uint32_t n = table->schema.n_classes;
    if (strcmp(option, "balanced") == 0) {
        double *rows = mem_zalloc(n, sizeof *rows);
        if (!rows) return error_memory(error, "class weights");
        for (size_t i = 0; i < table->n_rows; i++) rows[table->classes[i]]++;
        class_weight_balance(rows, n, weight);
        mem_free(rows);
        return BRAMBLE_OK;
    }
    for (uint32_t c = 0; c < n; c++) weight[c] = 1;
    bramble_status status = BRAMBLE_OK;
    do status = parse_pair(&table->schema, &option, weight, error);
    while (!status && *option);
    return status;
}

bramble_status class_weight_apply(double **weights, bool *each_tree, const struct bramble_table *table,
                                  const char *option, bramble_error *error)
{
    *each_tree = false;
    if (!option) return BRAMBLE_OK;
    if (table->schema.task != BRAMBLE_TASK_CLASSIFICATION)
        return error_set(error, BRAMBLE_ERR_USAGE, "class_weight is for classes; the target is a number");
    bool subsample = strcmp(option, "balanced_subsample") == 0;
    double *row_weight = mem_alloc(table->n_rows, sizeof *row_weight);
    double *weight = mem_alloc(table->schema.n_classes, sizeof *weight);
    bramble_status status = !row_weight || !weight ? error_memory(error, "class weights")
                            : subsample            ? BRAMBLE_OK
                                                   : weigh_classes(table, option, weight, error);
    double total = 0;
    for (size_t i = 0; !status && i < table->n_rows; i++) {
        row_weight[i] =
            (table->weights ? table->weights[i] : 1) * (subsample ? 1 : weight[table->classes[i]]);
        total += row_weight[i];
    }
    if (!status && !(total > 0))
        status = error_set(error, BRAMBLE_ERR_USAGE, "class_weight leaves no row with a weight");
    mem_free(weight);
    if (status) {
        mem_free(row_weight);
        return status;
    }
    *weights = row_weight;
    *each_tree = subsample;
    return BRAMBLE_OK;
}
