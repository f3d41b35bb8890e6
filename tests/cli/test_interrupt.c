/* Ctrl-C during training, seen from a terminal: the bar moves, the program stops at once, nothing is left. */
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>

#include "program.h"

/* A terminal of 100 columns that a program's stderr is, and what it showed so far. */
struct terminal {
    int master;
    size_t n;
    char shown[1 << 16];
};

static FILE *terminal_open(struct terminal *t)
{
    int slave;
    struct winsize size = {.ws_row = 25, .ws_col = 100};
    *t = (struct terminal){0};
    assert_int_equal(openpty(&t->master, &slave, NULL, NULL, &size), 0);
    fcntl(t->master, F_SETFD, FD_CLOEXEC);
    setenv("TERM", "vt100", 1);
    FILE *stream = fdopen(slave, "w");
    assert_non_null(stream);
    return stream;
}

/* Reads on until `text` (NULL: the end) shows up; older text goes when there is too much. */
static bool terminal_read(struct terminal *t, const char *text)
{
    for (;;) {
        if (text && strstr(t->shown, text)) return true;
        if (t->n > sizeof t->shown / 2) {
            memmove(t->shown, t->shown + t->n - 1000, 1001);
            t->n = 1000;
        }
        ssize_t got = read(t->master, t->shown + t->n, sizeof t->shown - t->n - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        t->n += (size_t)got;
        t->shown[t->n] = 0;
    }
}

static void interrupt_training(int signal_number)
{
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "a.csv", 300, 1);
    struct terminal *t = malloc(sizeof *t);
    assert_non_null(t);
    FILE *stream = terminal_open(t);
    const char *const words[] = {"train", "forest", "a.csv", "--trees", "1000000", "--out", "m.onnx", NULL};
    struct running running = program_start(&s, "bramble", words, NULL, stream);
    fclose(stream);
    bool began = terminal_read(t, "trees/s");
    kill(running.pid, signal_number);
    if (!began) fail_msg("no progress was shown: %s", t->shown);
    terminal_read(t, NULL);
    int status;
    assert_int_equal(waitpid(running.pid, &status, 0), running.pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != signal_number) fail_msg("status %x", (unsigned)status);
    assert_non_null(strstr(t->shown, "bramble: stopped; nothing was written\r\n"));
    assert_int_equal(scratch_count(&s), 1);
    fclose(running.out);
    close(t->master);
    free(t);
    scratch_remove(&s);
}

static void test_ctrl_c(void **state)
{
    (void)state;
    interrupt_training(SIGINT);
}

static void test_terminate(void **state)
{
    (void)state;
    interrupt_training(SIGTERM);
}

/* The bar is gone when training is done; only the result, on stdout, remains. */
static void test_a_finished_bar_is_gone(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    write_kinds_csv(&s, "a.csv", 300, 1);
    struct terminal *t = malloc(sizeof *t);
    assert_non_null(t);
    FILE *stream = terminal_open(t);
    const char *const words[] = {"train", "forest", "a.csv", "--trees", "50", NULL};
    struct running running = program_start(&s, "bramble", words, NULL, stream);
    fclose(stream);
    running.err = tmpfile();
    terminal_read(t, NULL);
    struct said said = said_done(program_wait(&running));
    assert_non_null(strstr(said.out, "trained     50 trees"));
    assert_non_null(strstr(t->shown, "reading a.csv"));
    assert_true(t->n > 4 && strcmp(t->shown + t->n - 4, "\r\033[J") == 0);
    assert_null(strchr(t->shown, '\n'));
    said_fini(&said);
    close(t->master);
    free(t);
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ctrl_c),
        cmocka_unit_test(test_terminate),
        cmocka_unit_test(test_a_finished_bar_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
