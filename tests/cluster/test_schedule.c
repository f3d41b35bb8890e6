/* Tasks are handed out so that no node waits while another has work to spare: played through with a simulated
 * clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/schedule.h"

#define LOOK_SECONDS 0.01 /* between a coordinator's looks at who could do what */

enum { HELD_MOST = 64 };

/* A worker in the play: `threads` tasks at a time, the others wait in order. */
struct player {
    uint32_t threads;
    double task_seconds;
    double leaves_at; /* 0: never */
    bool gone;
    uint32_t n;
    uint32_t held[HELD_MOST];
    double ends[HELD_MOST]; /* 0: has not begun */
};

static void begin(struct player *player, double now)
{
    for (uint32_t i = 0; i < player->n && i < player->threads; i++)
        if (player->ends[i] == 0) player->ends[i] = now + player->task_seconds;
}

static void drop(struct player *player, uint32_t i)
{
    memmove(&player->held[i], &player->held[i + 1], (player->n - i - 1) * sizeof *player->held);
    memmove(&player->ends[i], &player->ends[i + 1], (player->n - i - 1) * sizeof *player->ends);
    player->n--;
}

static void feed(struct schedule *s, struct player *players, uint32_t n, double now)
{
    for (uint32_t w = 0; w < n; w++) {
        uint32_t task;
        while (!players[w].gone && schedule_next(s, w, now, &task)) {
            assert_true(players[w].n < HELD_MOST);
            players[w].held[players[w].n] = task;
            players[w].ends[players[w].n++] = 0;
        }
        begin(&players[w], now);
    }
}

static void cancel(struct schedule *s, struct player *players)
{
    uint32_t w, task;
    while (schedule_take_cancel(s, &w, &task))
        for (uint32_t i = 0; i < players[w].n; i++)
            if (players[w].held[i] == task) drop(&players[w], i--);
}

/* The next thing to happen: the first end of a task (or leaving); returns its time, *w and *i say whose (i
 * UINT32_MAX: w leaves). */
static double next_event(const struct player *players, uint32_t n, uint32_t *w, uint32_t *i)
{
    double first = INFINITY;
    for (uint32_t p = 0; p < n; p++) {
        if (players[p].gone) continue;
        if (players[p].leaves_at > 0 && players[p].leaves_at < first)
            first = players[p].leaves_at, *w = p, *i = UINT32_MAX;
        for (uint32_t k = 0; k < players[p].n && k < players[p].threads; k++)
            if (players[p].ends[k] < first) first = players[p].ends[k], *w = p, *i = k;
    }
    return first;
}

static void hand_in(struct schedule *s, struct player *players, uint32_t w, uint32_t i, uint8_t *done)
{
    uint32_t task = players[w].held[i];
    drop(&players[w], i);
    if (schedule_result(s, w, task, players[w].task_seconds)) {
        assert_false(done[task]);
        done[task] = 1;
    }
    cancel(s, players);
}

/* Plays a job and returns the time it took; checks that each task is done first by exactly one. */
static double play(uint32_t n_tasks, struct player *players, uint32_t n)
{
    struct schedule *s = schedule_new(n_tasks, n);
    uint8_t *done = calloc(n_tasks, 1);
    double now = 0;
    assert_non_null(s);
    for (uint32_t w = 0; w < n; w++) schedule_join(s, w, players[w].threads);
    while (!schedule_finished(s)) {
        uint32_t w = 0, i = 0;
        feed(s, players, n, now);
        double next = next_event(players, n, &w, &i);
        assert_true(isfinite(next));     /* nobody works although tasks are left */
        if (next > now + LOOK_SECONDS) { /* idle workers may get something meanwhile */
            now += LOOK_SECONDS;
            continue;
        }
        now = next;
        if (i == UINT32_MAX) {
            players[w].gone = true;
            schedule_leave(s, w);
        } else {
            hand_in(s, players, w, i, done);
        }
    }
    for (uint32_t t = 0; t < n_tasks; t++) assert_true(done[t]);
    free(done);
    schedule_free(s);
    return now;
}

static double ideal(uint32_t n_tasks, const struct player *players, uint32_t n)
{
    double rate = 0;
    for (uint32_t w = 0; w < n; w++) rate += players[w].threads / players[w].task_seconds;
    return n_tasks / rate;
}

static void test_shares_by_speed(void **state)
{
    (void)state;
    struct player players[] = {{4, 4.0}, {4, 4.0}, {4, 4.0}, {4, 4.0}, {7, 2.5}, {7, 2.5}};
    double best = ideal(600, players, 6), took = play(600, players, 6);
    assert_true(took < best * 1.04 + 2.5);
}

static void test_short_tasks(void **state)
{
    (void)state;
    struct player players[] = {{1, 0.08}, {2, 0.05}};
    double best = ideal(1000, players, 2), took = play(1000, players, 2);
    assert_true(took < best * 1.01 + 0.1);
}

/* One quick core beside many slow ones: they must not leave the last task to each other for ever. */
static void test_last_task_is_taken(void **state)
{
    (void)state;
    for (uint32_t n_tasks = 2; n_tasks < 50; n_tasks++)
        for (uint32_t n = 3; n < 14; n += 2)
            for (double slow = 1.2; slow < 8; slow += 0.9) {
                struct player players[14] = {{1, 1.0}};
                for (uint32_t i = 1; i < n; i++) players[i] = (struct player){1, slow};
                assert_true(play(n_tasks, players, n) < ideal(n_tasks, players, n) + 2 * slow);
            }
}

static void test_slow_node_never_harms(void **state)
{
    (void)state;
    for (uint32_t n_tasks = 1; n_tasks < 60; n_tasks++) {
        struct player alone[] = {{2, 1.0}, {2, 1.0}}, with[] = {{2, 1.0}, {2, 1.0}, {1, 20.0}};
        double without = play(n_tasks, alone, 2), took = play(n_tasks, with, 3);
        assert_true(took <= without + 1.0); /* a task was tried there before its speed was known */
    }
}

static void test_lost_tasks_are_done_by_others(void **state)
{
    (void)state;
    struct player players[] = {{4, 1.0}, {4, 1.0, 5.5}, {4, 1.0, 9.5}};
    double took = play(100, players, 3);
    assert_true(took < 40);
}

static void test_last_node_left(void **state)
{
    (void)state;
    struct player players[] = {{1, 1.0}, {8, 0.1, 0.05}};
    assert_true(play(10, players, 2) <= 10.01);
}

static void test_done_before(void **state)
{
    (void)state;
    struct schedule *s = schedule_new(5, 1);
    uint32_t task;
    schedule_mark_done(s, 0);
    schedule_mark_done(s, 3);
    schedule_mark_done(s, 3);
    schedule_mark_done(s, 99);
    assert_int_equal(schedule_tasks_done(s), 2);
    schedule_join(s, 0, 8);
    const uint32_t left[] = {1, 2, 4};
    for (int i = 0; i < 3; i++) {
        assert_true(schedule_next(s, 0, 0, &task));
        assert_int_equal(task, left[i]);
    }
    assert_false(schedule_next(s, 0, 0, &task));
    assert_false(schedule_result(s, 0, 5, 1.0)); /* no such task */
    for (int i = 0; i < 3; i++) assert_true(schedule_result(s, 0, left[i], 1.0));
    assert_false(schedule_result(s, 0, 4, 1.0)); /* a second copy */
    assert_true(schedule_finished(s));
    schedule_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_by_speed),
        cmocka_unit_test(test_short_tasks),
        cmocka_unit_test(test_last_task_is_taken),
        cmocka_unit_test(test_slow_node_never_harms),
        cmocka_unit_test(test_lost_tasks_are_done_by_others),
        cmocka_unit_test(test_last_node_left),
        cmocka_unit_test(test_done_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
