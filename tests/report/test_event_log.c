/* The log of events: whole lines, whoever writes, and a reader that survives what crashes leave. */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "scratch.h"

#include "base/clock.h"
#include "base/mem.h"
#include "report/event_log.h"

static struct event_log *log_opened(const char *path)
{
    bramble_error error = {0};
    struct event_log *log;
    if (event_log_open(&log, path, clock_unix_seconds(), &error)) fail_msg("%s", error.message);
    return log;
}

struct lines {
    unsigned n;
    char last[256];
};

static bramble_status keep(void *context, const char *event, bramble_error *error)
{
    struct lines *lines = context;
    (void)error;
    lines->n++;
    snprintf(lines->last, sizeof lines->last, "%s", event);
    return BRAMBLE_OK;
}

static struct lines read_all(const char *path)
{
    struct lines lines = {0};
    bramble_error error = {0};
    if (event_log_read(path, keep, &lines, &error)) fail_msg("%s", error.message);
    return lines;
}

static void test_lines(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const char *path = scratch_path(&s, "events.jsonl");
    assert_int_equal(read_all(path).n, 0);
    struct event_log *log = log_opened(path);
    assert_int_equal(
        event_log_add(log, "joined", "{\"node\": \"pi\\n4\", \"rate\": 2.5,\n \"time\": 7}", NULL), 0);
    struct lines lines = read_all(path);
    unsigned year, ms;
    double seconds;
    char rest[128];
    assert_int_equal(sscanf(lines.last,
                            "{\"time\":\"%4u-%*2u-%*2uT%*2u:%*2u:%*2u.%3uZ\",\"seconds\":%lf,%127s", &year,
                            &ms, &seconds, rest),
                     4);
    assert_true(year >= 2020 && seconds >= 0 && seconds < 600);
    assert_string_equal(rest, "\"event\":\"joined\",\"node\":\"pi\\n4\",\"rate\":2.5}");
    assert_int_equal(event_log_add(log, "finished", NULL, NULL), BRAMBLE_OK);
    assert_int_equal(read_all(path).n, 2);
    event_log_close(log);
    log = log_opened(path);
    assert_int_equal(event_log_add(log, "resumed", "{}", NULL), BRAMBLE_OK);
    event_log_close(log);
    event_log_close(NULL);
    assert_int_equal(read_all(path).n, 3);
    scratch_remove(&s);
}

static void test_what_is_no_event_is_refused(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct event_log *log = log_opened(scratch_path(&s, "events.jsonl"));
    const char *const bad[] = {"", "7", "[]", "{\"a\":1", "{\"a\":\"\xff\"}"};
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(event_log_add(log, "x", bad[i], NULL), BRAMBLE_ERR_USAGE);
    assert_int_equal(event_log_add(log, "\xff", NULL, NULL), BRAMBLE_ERR_USAGE);
    event_log_close(log);
    assert_int_equal(read_all(s.path).n, 0);
    scratch_remove(&s);
}

static void test_torn_and_odd_lines_are_passed_over(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    FILE *file = fopen(scratch_path(&s, "events.jsonl"), "w");
    assert_non_null(file);
    fputs("not json\n\n[]\n{\"event\": 1}\n", file);
    fputs("{\"time\":\"t\",\"seconds\":1,\"event\":\"first\"}\n", file);
    for (unsigned i = 0; i < 3000000; i++) putc('x', file);
    putc('\n', file);
    fwrite("{\"a\0\":1}\n", 1, 9, file);
    fputs("{\"time\":\"t\",\"seconds\":2,\"event\":\"second\"}\n{\"time\":\"t\",\"sec", file);
    assert_int_equal(fclose(file), 0);
    struct lines lines = read_all(s.path);
    assert_int_equal(lines.n, 2);
    assert_non_null(strstr(lines.last, "second"));
    struct event_log *log = log_opened(s.path);
    assert_int_equal(event_log_add(log, "resumed", NULL, NULL), BRAMBLE_OK);
    event_log_close(log);
    lines = read_all(s.path);
    assert_int_equal(lines.n, 3);
    assert_non_null(strstr(lines.last, "resumed"));
    scratch_remove(&s);
}

static bramble_status stop(void *context, const char *event, bramble_error *error)
{
    (void)event;
    (void)error;
    ++*(unsigned *)context;
    return BRAMBLE_ERR_CANCELLED;
}

static void *add_many(void *log)
{
    for (unsigned i = 0; i < 200; i++) event_log_add(log, "progress", "{\"trees\": 7}", NULL);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct event_log *log = log_opened(scratch_path(&s, "events.jsonl"));
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, add_many, log), 0);
    for (unsigned i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    event_log_close(log);
    assert_int_equal(read_all(s.path).n, 800);
    unsigned visits = 0;
    assert_int_equal(event_log_read(s.path, stop, &visits, NULL), BRAMBLE_ERR_CANCELLED);
    assert_int_equal(visits, 1);
    scratch_remove(&s);
}

static void test_full_disk(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    struct event_log *log = log_opened(scratch_path(&s, "events.jsonl"));
    struct rlimit before, limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){1000, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    unsigned n = 0;
    bramble_error error = {0};
    while (!event_log_add(log, "progress", NULL, &error)) n++;
    assert_non_null(strstr(error.message, "cannot write"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(event_log_add(log, "finished", NULL, NULL), BRAMBLE_OK);
    event_log_close(log);
    struct lines lines = read_all(s.path);
    assert_int_equal(lines.n, n + 1);
    assert_non_null(strstr(lines.last, "finished"));
    scratch_remove(&s);
}

static void test_where_nothing_can_be_written(void **state)
{
    (void)state;
    struct event_log *log = NULL;
    bramble_error error = {0};
    assert_int_equal(event_log_open(&log, "/nowhere/events.jsonl", 0, &error), BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "/nowhere/events.jsonl"));
    assert_null(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_what_is_no_event_is_refused),
        cmocka_unit_test(test_torn_and_odd_lines_are_passed_over),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_where_nothing_can_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
