/* A node's threads: tasks in, results out, and a stop at any moment. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/crew.h"

enum { FAILS = 1000, ENDLESS = 2000, N_TASKS = 500 };

static atomic_uint n_open, n_begun; /* programs, endless tasks */

static void pause_a_little(void)
{
    nanosleep(&(struct timespec){0, 1000000}, NULL);
}

static bramble_status open_it(void **context, const char *job, const char *data_path, uint32_t threads,
                              bramble_error *error)
{
    (void)data_path, (void)threads;
    if (strcmp(job, "fails") == 0) return error_set(error, BRAMBLE_ERR_DATA, "the job makes no sense");
    for (unsigned i = 0; strcmp(job, "slow") == 0 && i < 50; i++) pause_a_little();
    *context = mem_strdup(job);
    if (!*context) return error_memory(error, "a job");
    atomic_fetch_add(&n_open, 1);
    return BRAMBLE_OK;
}

static bramble_status run_it(void *context, uint32_t thread, uint32_t task, bool (*go_on)(void *),
                             void *go_on_context, void **result, size_t *length, bramble_error *error)
{
    (void)context;
    if (task == FAILS) return error_set(error, BRAMBLE_ERR_DATA, "task %u cannot be done", task);
    if (task >= ENDLESS) atomic_fetch_add(&n_begun, 1);
    while (task >= ENDLESS) {
        if (!go_on(go_on_context)) return BRAMBLE_ERR_CANCELLED;
        pause_a_little();
    }
    uint32_t *both = mem_alloc(2, sizeof *both);
    if (!both) return error_memory(error, "a result");
    both[0] = task * 3;
    both[1] = thread;
    *result = both;
    *length = 2 * sizeof *both;
    return BRAMBLE_OK;
}

static void close_it(void *context)
{
    atomic_fetch_sub(&n_open, 1);
    mem_free(context);
}

static const struct program program = {.name = "test", .open = open_it, .run = run_it, .close = close_it};

static struct crew *crew_of(const char *job, uint32_t threads)
{
    struct crew *crew;
    bramble_error error;
    atomic_store(&n_begun, 0);
    assert_int_equal(crew_new(&crew, &program, job, NULL, threads, NULL, &error), BRAMBLE_OK);
    return crew;
}

static enum crew_state wait_for(struct crew *crew, bramble_error *error, enum crew_state passing)
{
    enum crew_state state;
    while ((state = crew_state(crew, error)) == passing) pause_a_little();
    return state;
}

static struct crew *ready_crew(uint32_t threads)
{
    bramble_error error;
    struct crew *crew = crew_of("fine", threads);
    assert_int_equal(wait_for(crew, &error, CREW_OPENING), CREW_READY);
    return crew;
}

static struct crew_result next_result(struct crew *crew)
{
    struct crew_result result;
    while (!crew_take(crew, &result)) pause_a_little();
    return result;
}

static void test_many_tasks(void **state)
{
    (void)state;
    struct crew *crew = ready_crew(3);
    bool seen[N_TASKS] = {false};
    for (uint32_t t = 0; t < N_TASKS; t++) assert_true(crew_add(crew, t));
    for (uint32_t i = 0; i < N_TASKS; i++) {
        struct crew_result result = next_result(crew);
        uint32_t both[2];
        assert_int_equal(result.length, sizeof both);
        memcpy(both, result.bytes, sizeof both);
        mem_free(result.bytes);
        assert_true(result.task < N_TASKS && !seen[result.task] && result.seconds >= 0);
        assert_true(both[0] == result.task * 3 && both[1] < 3);
        seen[result.task] = true;
    }
    crew_free(crew);
    assert_int_equal(atomic_load(&n_open), 0);
}

static void test_cancel(void **state)
{
    (void)state;
    struct crew *crew = ready_crew(1);
    crew_add(crew, ENDLESS);
    crew_add(crew, 1);
    crew_add(crew, 2);
    while (!atomic_load(&n_begun)) pause_a_little();
    crew_cancel(crew, 1);       /* waits */
    crew_cancel(crew, 77);      /* is not there */
    crew_cancel(crew, ENDLESS); /* runs */
    struct crew_result result = next_result(crew);
    assert_int_equal(result.task, 2);
    mem_free(result.bytes);
    assert_false(crew_take(crew, &result));
    crew_free(crew);
}

static void test_free_at_work(void **state)
{
    (void)state;
    struct crew *crew = ready_crew(3);
    for (uint32_t i = 0; i < 6; i++) crew_add(crew, ENDLESS + i);
    crew_add(crew, 1);
    while (atomic_load(&n_begun) < 3) pause_a_little();
    crew_free(crew);
    crew_free(crew_of("slow", 2));
    crew_free(crew_of("fails", 2));
    assert_int_equal(atomic_load(&n_open), 0);
}

static void test_failures(void **state)
{
    (void)state;
    bramble_error error;
    struct crew *crew = crew_of("fails", 2);
    assert_int_equal(wait_for(crew, &error, CREW_OPENING), CREW_FAILED);
    assert_string_equal(error.message, "the job makes no sense");
    crew_free(crew);
    crew = ready_crew(2);
    crew_add(crew, 1);
    crew_add(crew, FAILS);
    assert_int_equal(wait_for(crew, &error, CREW_READY), CREW_FAILED);
    assert_string_equal(error.message, "task 1000 cannot be done");
    mem_free(next_result(crew).bytes);
    crew_free(crew);
    assert_int_equal(atomic_load(&n_open), 0);
}

static void test_no_memory(void **state)
{
    (void)state;
    size_t n = 0;
    struct crew *crew = NULL;
    for (bool failed = true; failed; crew_free(crew)) {
        bramble_error error;
        crew = NULL;
        mem_fail_at(++n, 1);
        failed = crew_new(&crew, &program, "fine", "data", 2, NULL, &error) != BRAMBLE_OK ||
                 wait_for(crew, &error, CREW_OPENING) == CREW_FAILED;
        mem_fail_at(0, 0);
    }
    assert_int_equal(atomic_load(&n_open), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_tasks),   cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_free_at_work), cmocka_unit_test(test_failures),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
