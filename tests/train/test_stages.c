/* How a pipeline's stages are cut, against all ways of cutting. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "train/stages.h"

enum { PIECES = 7, MEMBERS = 4 };

static double draw(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (double)(*state >> 8) / (1 << 24);
}

struct made {
    struct stages_task task;
    struct stages_piece pieces[PIECES];
    double crossing[PIECES + 1];
    struct stages_member members[MEMBERS];
};

static void make(struct made *made, uint32_t seed, double memory)
{
    uint32_t state = seed * 2654435761u + 1;
    made->task = (struct stages_task){.n_pieces = 1 + (uint32_t)(draw(&state) * PIECES),
                                      .n_members = 1 + (uint32_t)(draw(&state) * MEMBERS),
                                      .groups = 1 + (uint32_t)(draw(&state) * 8),
                                      .bundle = 1u << (uint32_t)(draw(&state) * 3),
                                      .samples = 16,
                                      .pieces = made->pieces,
                                      .crossing = made->crossing,
                                      .members = made->members,
                                      .wire = 200,
                                      .latency = draw(&state)};
    for (uint32_t p = 0; p < PIECES; p++)
        made->pieces[p] =
            (struct stages_piece){draw(&state), 9 * draw(&state), 100 * draw(&state), draw(&state)};
    for (uint32_t p = 0; p <= PIECES; p++) made->crossing[p] = 40 * draw(&state);
    made->crossing[0] = made->crossing[made->task.n_pieces] = 0;
    for (uint32_t m = 0; m < MEMBERS; m++)
        made->members[m] = (struct stages_member){0.3 + draw(&state), memory * draw(&state)};
}

struct search {
    const struct stages_task *task;
    uint32_t n; /* stages */
    double slowest;
};

/* All ways for what is left, whatever they cost. */
static void try_all(struct search *search, uint32_t from, uint32_t member, uint32_t left, double slowest)
{
    const struct stages_task *task = search->task;
    if (!left) {
        if (from == task->n_pieces && slowest < search->slowest) search->slowest = slowest;
        return;
    }
    for (uint32_t m = member; m < task->n_members; m++)
        for (uint32_t end = from + 1; end <= task->n_pieces; end++) {
            if (stages_bytes(task, left, from, end) > task->members[m].memory) continue;
            double seconds = stages_seconds(task, m, from, end);
            try_all(search, end, m + 1, left - 1, seconds > slowest ? seconds : slowest);
        }
}

static void check(const struct stages_task *task, const struct stages *stages)
{
    double slowest = 0, sum = 0;
    assert_true(stages->n >= 1 && stages->places[0] == 0 && stages->places[stages->n] == task->n_pieces);
    for (uint32_t s = 0; s < stages->n; s++) {
        uint32_t m = stages->members[s], from = stages->places[s], to = stages->places[s + 1];
        assert_true(from < to && m < task->n_members && (!s || m > stages->members[s - 1]));
        assert_true(stages_bytes(task, stages->n - s, from, to) <= task->members[m].memory * (1 + 1e-9));
        double seconds = stages_seconds(task, m, from, to);
        sum += seconds;
        slowest = seconds > slowest ? seconds : slowest;
    }
    assert_true(fabs(stages->seconds - (task->groups - 1) * slowest - sum) < 1e-9);
    struct search search = {task, stages->n, INFINITY};
    try_all(&search, 0, 0, stages->n, 0);
    assert_true(fabs(slowest - search.slowest) < 1e-9);
    for (uint32_t n = 1; n <= task->n_members && n <= task->n_pieces; n++) {
        struct search other = {task, n, INFINITY};
        try_all(&other, 0, 0, n, 0);
        if (task->groups > 1 &&
            isfinite(other.slowest)) /* no other number's is better by its slowest alone */
            assert_true(stages->seconds <= (task->groups - 1 + n) * other.slowest / 0.99 + 1e-9);
    }
}

static void test_against_all(void **state)
{
    (void)state;
    uint32_t fit = 0, refused = 0;
    for (uint32_t seed = 0; seed < 400; seed++) {
        struct made made;
        struct stages stages;
        make(&made, seed, seed % 2 ? 1e9 : 700);
        if (!stages_cut(&stages, &made.task, NULL)) {
            check(&made.task, &stages);
            fit++;
            continue;
        }
        refused++;
        for (uint32_t n = 1; n <= MEMBERS; n++) {
            struct search search = {&made.task, n, INFINITY};
            try_all(&search, 0, 0, n, 0);
            assert_false(isfinite(search.slowest));
        }
    }
    assert_true(fit > 200 && refused > 20);
}

static void test_equal_halves(void **state)
{
    (void)state;
    const struct stages_piece pieces[4] = {{1, 1, 0, 1}, {1, 1, 0, 1}, {1, 1, 0, 1}, {1, 1, 0, 1}};
    const double crossing[5] = {0, 1, 1, 1, 0};
    const struct stages_member members[2] = {{1, 1e9}, {1, 1e9}}, slow[2] = {{1, 1e9}, {0.01, 1e9}};
    struct stages_task task = {4, 2, 8, 1, 16, pieces, crossing, members, 1e9, 0};
    struct stages stages;
    assert_int_equal(stages_cut(&stages, &task, NULL), BRAMBLE_OK);
    assert_int_equal(stages.n, 2);
    assert_int_equal(stages.places[1], 2);
    task.members = slow; /* is of no help */
    assert_int_equal(stages_cut(&stages, &task, NULL), BRAMBLE_OK);
    assert_int_equal(stages.n, 1);
    assert_int_equal(stages.members[0], 0);
}

/* With one group, which nodes only hand on, there is nothing to win but memory. */
static void test_one_group(void **state)
{
    (void)state;
    const struct stages_piece pieces[2] = {{1, 0, 600, 0}, {1, 0, 600, 0}};
    const double crossing[3] = {0, 1, 0};
    struct stages_member members[2] = {{1, 2000}, {1, 2000}};
    struct stages_task task = {2, 2, 1, 1, 16, pieces, crossing, members, 1e9, 0};
    struct stages stages;
    bramble_error error;
    assert_int_equal(stages_cut(&stages, &task, NULL), BRAMBLE_OK);
    assert_int_equal(stages.n, 1);
    members[0].memory = members[1].memory = 1000;
    assert_int_equal(stages_cut(&stages, &task, NULL), BRAMBLE_OK);
    assert_int_equal(stages.n, 2);
    members[1].memory = 500;
    assert_int_equal(stages_cut(&stages, &task, &error), BRAMBLE_ERR_UNSUPPORTED);
    assert_non_null(strstr(error.message, "does not fit these nodes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_all),
        cmocka_unit_test(test_equal_halves),
        cmocka_unit_test(test_one_group),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
