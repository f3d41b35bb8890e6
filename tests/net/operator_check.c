#include "operator_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "operator_run.h"

struct operator_case case_of(const char *label, const struct net_operator *op,
                             void (*reference)(const struct reference_call *call))
{
    if (!op) fail_msg("%s: there is no such operator", label);
    return (struct operator_case){
        .label = label,
        .op = op,
        .reference = reference,
        .n_outputs = 1,
        .attributes = NET_ATTRIBUTES_INIT,
        .samples = 37,
        .tolerance = 1e-5,
        .gradient_tolerance = 2e-5,
        .differences = 120,
    };
}

struct check_input *case_input(struct operator_case *c, enum net_kind kind, struct net_shape shape)
{
    struct check_input *input = &c->inputs[c->n_inputs++];
    *input = (struct check_input){.kind = kind, .shape = shape, .low = -1, .high = 1};
    return input;
}

static void check_close(const struct rig *rig, const char *what, uint32_t which, const float *got,
                        const double *want, size_t n, double tolerance, bool of_greatest)
{
    double greatest = 0;
    for (size_t i = 0; i < n; i++) greatest = fmax(greatest, fabs(want[i]));
    for (size_t i = 0; i < n; i++) {
        double room = tolerance * (1 + (of_greatest ? greatest : fabs(want[i])));
        if (fabs(got[i] - want[i]) <= room) continue;
        fail_msg("%s: %s %u: number %zu of %zu is %.9g, not %.9g (%.2g off, %.2g allowed)", rig->c->label,
                 what, which, i, n, got[i], want[i], fabs(got[i] - want[i]), room);
    }
}

static void check_same(const struct rig *rig, const char *what, uint32_t which, const float *got,
                       const float *want, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!memcmp(&got[i], &want[i], sizeof *got)) continue;
        fail_msg("%s: %s %u: number %zu of %zu is %.9g, not the same as %.9g", rig->c->label, what, which, i,
                 n, got[i], want[i]);
    }
}

/* The reference on rig->exact; call->y and call->state are those of `call`. */
static void refer(const struct rig *rig, struct reference_call *call, bool training)
{
    call->what = rig->c;
    call->samples = rig->c->samples;
    call->training = training;
    for (uint32_t i = 0; i < rig->c->n_inputs; i++) {
        call->x[i] = rig->exact[i];
        if (call->state[i]) memcpy(call->state[i], rig->exact[i], rig->sizes[i] * sizeof(double));
    }
    memcpy(call->y_shape, rig->shapes, sizeof call->y_shape);
    rig->c->reference(call);
}

static void reference_init(const struct rig *rig, struct reference_call *call)
{
    *call = (struct reference_call){0};
    for (uint32_t o = 0; o < rig->c->n_outputs; o++)
        call->y[o] = run_room(rig_output_size(rig, o), sizeof(double));
    for (uint32_t i = 0; i < rig->c->n_inputs; i++)
        if (rig->exact[i] && rig->c->inputs[i].kind == NET_STATE)
            call->state[i] = run_room(rig->sizes[i], sizeof(double));
}

static void reference_fini(struct reference_call *call)
{
    for (uint32_t o = 0; o < NET_OUTPUTS_MAX; o++) free(call->y[o]);
    for (uint32_t i = 0; i < NET_INPUTS_MAX; i++) free(call->state[i]);
}

static void check_forward(const struct rig *rig, bool training)
{
    struct reference_call call;
    struct operator_run run;
    reference_init(rig, &call);
    refer(rig, &call, training);
    run_init(&run, rig, (struct run_options){.training = training});
    run_forward(&run);
    for (uint32_t o = 0; o < rig->c->n_outputs; o++)
        check_close(rig, training ? "output" : "output of prediction", o, run.made[o], call.y[o],
                    rig_output_size(rig, o), rig->c->tolerance, false);
    for (uint32_t i = 0; i < rig->c->n_inputs; i++)
        if (call.state[i])
            check_close(rig, "state", i, graph_numbers(&run.graph, i), call.state[i], rig->sizes[i],
                        rig->c->tolerance, false);
    run_fini(&run);
    reference_fini(&call);
}

/* The slope of sum(dy * y) along number j of input i. */
static double slope(const struct rig *rig, struct reference_call *up, struct reference_call *down, uint32_t i,
                    size_t j)
{
    double here = rig->exact[i][j], step = 1e-7 * fmax(1, fabs(here)), sum = 0;
    rig->exact[i][j] = here + step;
    refer(rig, up, true);
    rig->exact[i][j] = here - step;
    refer(rig, down, true);
    rig->exact[i][j] = here;
    for (uint32_t o = 0; o < rig->c->n_outputs; o++)
        for (size_t k = 0; k < rig_output_size(rig, o); k++)
            sum += rig->dy[o][k] * (up->y[o][k] - down->y[o][k]);
    return sum / (2 * step);
}

static void check_slopes(const struct rig *rig, const struct operator_run *run, uint32_t i)
{
    const float *got = run->dx[i] ? run->dx[i] : run->gradient[i];
    if (!got) return;
    struct reference_call up, down;
    reference_init(rig, &up);
    reference_init(rig, &down);
    size_t n = rig->sizes[i], count = n < rig->c->differences ? n : rig->c->differences;
    float *some = run_room(count, sizeof *some);
    double *want = run_room(count, sizeof *want);
    struct rng rng;
    rng_init(&rng, 5, RNG_HOLDOUT, i, 0);
    for (size_t k = 0; k < count; k++) {
        size_t j = count == n ? k : rng_below(&rng, (uint32_t)n);
        some[k] = got[j];
        want[k] = slope(rig, &up, &down, i, j);
    }
    check_close(rig, "gradient of input", i, some, want, count, rig->c->gradient_tolerance, true);
    free(some);
    free(want);
    reference_fini(&up);
    reference_fini(&down);
}

/* Added to what was there, with the microbatches in the opposite order. */
static void check_added(const struct rig *rig, const struct operator_run *plain)
{
    struct operator_run run;
    run_init(&run, rig, (struct run_options){.training = true, .add = true, .reverse = true});
    run_forward(&run);
    run_backward(&run);
    for (uint32_t o = 0; o < rig->c->n_outputs; o++)
        check_same(rig, "microbatches in the opposite order: output", o, run.made[o], plain->made[o],
                   rig_output_size(rig, o));
    for (uint32_t i = 0; i < rig->c->n_inputs; i++) {
        size_t n = rig->sizes[i];
        if (run.gradient[i])
            check_same(rig, "microbatches in the opposite order: gradient of input", i, run.gradient[i],
                       plain->gradient[i], n);
        if (!run.dx[i]) continue;
        double *want = run_room(n, sizeof *want);
        for (size_t j = 0; j < n; j++) want[j] = run_added_to(i, j) + (double)plain->dx[i][j];
        check_close(rig, "added gradient of input", i, run.dx[i], want, n, 1e-6, true);
        free(want);
    }
    run_fini(&run);
}

static void check_in_place(const struct rig *rig, const struct operator_run *plain)
{
    struct operator_run run;
    run_init(&run, rig, (struct run_options){.training = true, .in_place = true});
    run_forward(&run);
    check_same(rig, "in place: output", 0, run.made[0], plain->made[0], rig_output_size(rig, 0));
    run_backward(&run);
    for (uint32_t i = 0; i < rig->c->n_inputs; i++)
        if (run.dx[i])
            check_same(rig, "in place: gradient of input", i, run.dx[i], plain->dx[i], rig->sizes[i]);
    run_fini(&run);
}

/* As the plan decides it. */
static bool may_share(const struct rig *rig)
{
    const struct operator_case *c = rig->c;
    return c->op->in_place && c->inputs[0].kind == NET_ACTIVATION && rig->sizes[0] == rig_output_size(rig, 0);
}

void check_operator(const struct operator_case *c)
{
    struct rig rig;
    rig_init(&rig, c);
    check_forward(&rig, false);
    check_forward(&rig, true);
    struct operator_run run;
    run_init(&run, &rig, (struct run_options){.training = true});
    run_forward(&run);
    if (!c->no_gradients) {
        run_backward(&run);
        for (uint32_t i = 0; i < c->n_inputs; i++)
            if (!c->inputs[i].whole) check_slopes(&rig, &run, i);
        check_added(&rig, &run);
        if (may_share(&rig)) check_in_place(&rig, &run);
    }
    run_fini(&run);
    rig_fini(&rig);
}

void check_shapes(const struct operator_case *c, const struct net_shape *want)
{
    struct rig rig;
    rig_init(&rig, c);
    for (uint32_t o = 0; o < c->n_outputs; o++) {
        char got_text[64], want_text[64];
        if (!shape_equal(&rig.shapes[o], &want[o]))
            fail_msg("%s: output %u is %s, not %s", c->label, o, shape_text(&rig.shapes[o], got_text),
                     shape_text(&want[o], want_text));
    }
    rig_fini(&rig);
}

void check_refused(const struct operator_case *c, const char *word)
{
    bramble_error error = {0};
    struct net_shape shapes[NET_OUTPUTS_MAX];
    bramble_status status = rig_infer(c, shapes, &error);
    if (status != BRAMBLE_ERR_DATA) fail_msg("%s: status %d, not a refusal", c->label, (int)status);
    if (!strstr(error.message, word)) fail_msg("%s: no '%s' in '%s'", c->label, word, error.message);
}
