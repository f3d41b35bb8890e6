/* Programs that bramble becomes listen on one network alone. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "scratch.h"

#include "base/error.h"
#include "cluster/confine.h"

static void run_listens(const char *network, const char *preload, int out)
{
    char program[512];
    bramble_error error = {0};
    snprintf(program, sizeof program, "%s/tests/cluster/listens", getenv("BRAMBLE_BUILD"));
    const char *const words[] = {program, NULL};
    dup2(out, 1);
    if (preload) setenv("LD_PRELOAD", preload, 1);
    confine_exec(network, words, &error);
    dprintf(out, "%s", error.message);
    _exit(1);
}

/* What `listens` says of itself, confined to a network. */
static void says(const char *network, const char *preload, bool confined, const char *wanted)
{
    int ends[2], status;
    char said[400] = "";
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) run_listens(network, preload, ends[1]);
    close(ends[1]);
    size_t n = 0;
    for (ssize_t got; (got = read(ends[0], said + n, sizeof said - 1 - n)) > 0;) n += (size_t)got;
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (strncmp(said, wanted, strlen(wanted)) != 0) fail_msg("%s: said %s, not %s", network, said, wanted);
    const char *six = said + strlen(wanted); /* nothing where there is no IPv6 */
    if (*six) assert_string_equal(six, confined ? "::ffff:127.0.0.1 ::ffff:127.0.0.1 " : ":: :: ");
}

static void test_listens_on_one_network(void **state)
{
    (void)state;
    says("127.0.0.0/8", NULL, true, "127.0.0.1 127.0.0.2 0.0.0.0 none loaded ");
    says("127.0.0.1/32", NULL, true, "127.0.0.1 127.0.0.2 0.0.0.0 none loaded ");
}

/* There is no address to take, or a choice of them. */
static void test_without_one_address(void **state)
{
    (void)state;
    says("203.0.113.0/24", NULL, true, "0.0.0.0 127.0.0.2 0.0.0.0 none loaded ");
    says("nonsense", NULL, false, "0.0.0.0 127.0.0.2 0.0.0.0 none loaded ");
    says("0.0.0.0/0", NULL, false, "0.0.0.0 127.0.0.2 0.0.0.0 none loaded ");
    says("fd00::/64", NULL, false, "0.0.0.0 127.0.0.2 0.0.0.0 none loaded ");
    says("127.0.0.0/99", NULL, false, "0.0.0.0 127.0.0.2 0.0.0.0 none loaded ");
}

static void test_keeps_what_others_load(void **state)
{
    (void)state;
    says("127.0.0.0/8", "libz.so.1", true, "127.0.0.1 127.0.0.2 0.0.0.0 libz.so.1 loaded ");
}

static int listen_on(const char *where)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(inet_pton(AF_INET, where, &address.sin_addr), 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

static void test_holds(void **state)
{
    (void)state;
    assert_false(confine_holds()); /* nothing said that it was loaded */
    setenv(CONFINE_LOADED, "1", 1);
    assert_true(confine_holds());
    int narrow = listen_on("127.0.0.1");
    assert_true(confine_holds());
    int wide = listen_on("0.0.0.0");
    assert_false(confine_holds());
    close(wide);
    int silent = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(confine_holds());
    close(silent);
    close(narrow);
    int six = socket(AF_INET6, SOCK_STREAM, 0);
    if (six >= 0 && listen(six, 1) == 0) assert_false(confine_holds());
    if (six >= 0) close(six);
    unsetenv(CONFINE_LOADED);
}

static void test_says_what_does_not_start(void **state)
{
    (void)state;
    const char *const words[] = {"/nonexistent/orted", NULL};
    char *before = getenv("LD_PRELOAD") ? strdup(getenv("LD_PRELOAD")) : NULL;
    bramble_error error = {0};
    assert_int_equal(confine_exec("127.0.0.0/8", words, &error), BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "/nonexistent/orted: cannot be started: No such file"));
    if (before)
        setenv("LD_PRELOAD", before, 1);
    else
        unsetenv("LD_PRELOAD");
    unsetenv(CONFINE_NETWORK);
    free(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listens_on_one_network),   cmocka_unit_test(test_without_one_address),
        cmocka_unit_test(test_keeps_what_others_load),   cmocka_unit_test(test_holds),
        cmocka_unit_test(test_says_what_does_not_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
