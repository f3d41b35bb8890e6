#include "run_curve.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

const char *const run_figure_keys[RUN_FIGURES] = {
    [RUN_LOSS] = "loss",
    [RUN_VALIDATION_LOSS] = "validation_loss",
    [RUN_ACCURACY] = "accuracy",
    [RUN_VALIDATION_ACCURACY] = "validation_accuracy",
    [RUN_LEARNING_RATE] = "learning_rate",
    [RUN_RATE] = "samples_per_second",
};

static bool grow_one(double **numbers, size_t capacity)
{
    double *larger = mem_resize(*numbers, capacity, sizeof **numbers);
    if (larger) *numbers = larger;
    return larger != NULL;
}

static bramble_status make_room(struct run_curve *curve, bramble_error *error)
{
    if (curve->n < curve->capacity) return BRAMBLE_OK;
    size_t capacity = curve->capacity ? 2 * curve->capacity : 64;
    bool grown = grow_one(&curve->epochs, capacity);
    for (unsigned f = 0; grown && f < RUN_FIGURES; f++) grown = grow_one(&curve->figures[f], capacity);
    if (!grown) return error_memory(error, "a run's curve");
    curve->capacity = capacity;
    return BRAMBLE_OK;
}

static double number_of(const json_t *event, const char *key)
{
    const json_t *value = json_object_get(event, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bramble_status add_epoch(struct run_curve *curve, const json_t *event, bramble_error *error)
{
    double epoch = number_of(event, "epoch");
    if (!(epoch >= 1)) return BRAMBLE_OK;
    while (curve->n && curve->epochs[curve->n - 1] >= epoch) curve->n--; /* it was gone on with before it */
    bramble_status status = make_room(curve, error);
    if (status) return status;
    curve->epochs[curve->n] = epoch;
    for (unsigned f = 0; f < RUN_FIGURES; f++)
        curve->figures[f][curve->n] = number_of(event, run_figure_keys[f]);
    curve->n++;
    return BRAMBLE_OK;
}

static bramble_status visit(void *context, const char *text, bramble_error *error)
{
    json_t *event = json_loads(text, 0, NULL);
    const char *name = json_string_value(json_object_get(event, "event"));
    bramble_status status = BRAMBLE_OK;
    if (name && strcmp(name, "epoch") == 0) status = add_epoch(context, event, error);
    json_decref(event);
    return status;
}

bramble_status run_curve_read(struct run_curve *out, const bramble_run_info *run, bramble_error *error)
{
    struct run_curve curve = {0};
    bramble_status status = bramble_run_events(run->folder, visit, &curve, error);
    if (status)
        run_curve_fini(&curve);
    else
        *out = curve;
    return status;
}

void run_curve_fini(struct run_curve *curve)
{
    mem_free(curve->epochs);
    for (unsigned f = 0; f < RUN_FIGURES; f++) mem_free(curve->figures[f]);
    *curve = (struct run_curve){0};
}

double run_curve_last(const struct run_curve *curve, enum run_figure figure)
{
    for (size_t i = curve->n; i-- > 0;)
        if (isfinite(curve->figures[figure][i])) return curve->figures[figure][i];
    return NAN;
}
