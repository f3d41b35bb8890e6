/* Lines over pipes: in parts, too long, without end, with nobody there. */
#include <fcntl.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cluster/lines.h"

struct pair {
    int write;
    struct lines in;
    unsigned n;
    char last[64];
};

static void take(void *context, char *line)
{
    struct pair *pair = context;
    pair->n++;
    strncpy(pair->last, line, sizeof pair->last - 1);
}

static struct pair open_pair(void)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    return (struct pair){.write = ends[1], .in = {.fd = ends[0]}};
}

static void close_pair(struct pair *pair)
{
    if (pair->write >= 0) close(pair->write);
    close(pair->in.fd);
    str_fini(&pair->in.buffer);
}

static void say(struct pair *pair, const char *text)
{
    assert_int_equal(write(pair->write, text, strlen(text)), strlen(text));
}

static void test_parts(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    assert_false(lines_read(&pair.in, take, &pair));
    say(&pair, "one\ntw");
    assert_true(lines_read(&pair.in, take, &pair));
    assert_int_equal(pair.n, 1);
    say(&pair, "o\n\nthree");
    assert_true(lines_read(&pair.in, take, &pair));
    assert_int_equal(pair.n, 3);
    assert_string_equal(pair.last, "");
    close(pair.write);
    pair.write = -1;
    lines_read(&pair.in, take, &pair); /* what has no end is not a line */
    assert_true(pair.in.ended && pair.n == 3);
    assert_false(lines_read(&pair.in, take, &pair));
    close_pair(&pair);
}

static void test_flood(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    char block[4096];
    memset(block, 'x', sizeof block);
    block[sizeof block - 1] = '\n';
    for (unsigned i = 0; i < 10000; i++) { /* 40 MB of short lines are no long one */
        assert_int_equal(write(pair.write, block, sizeof block), sizeof block);
        lines_read(&pair.in, take, &pair);
    }
    assert_true(!pair.in.ended && pair.n == 10000);
    block[sizeof block - 1] = 'x';
    for (unsigned i = 0; i < 10000 && !pair.in.ended; i++) {
        assert_int_equal(write(pair.write, block, sizeof block), sizeof block);
        lines_read(&pair.in, take, &pair);
    }
    assert_true(pair.in.ended && pair.n == 10000);
    close_pair(&pair);
}

static void test_writing(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    struct lines out = {.fd = pair.write};
    for (unsigned i = 0; i < 40000; i++) str_puts(&out.buffer, "0123456\n"); /* more than a pipe holds */
    lines_write(&out);
    assert_true(out.buffer.length > 0 && !out.ended);
    while (pair.n < 40000) {
        lines_read(&pair.in, take, &pair);
        lines_write(&out);
    }
    assert_string_equal(pair.last, "0123456");
    assert_int_equal(out.buffer.length, 0);
    close(pair.in.fd);
    str_puts(&out.buffer, "nobody\n");
    lines_write(&out);
    assert_true(out.ended);
    pair.in.fd = -1;
    str_fini(&out.buffer);
    close(pair.write);
    str_fini(&pair.in.buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_flood),
        cmocka_unit_test(test_writing),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
