/* Commands over real ssh: what they say, and what each way of failing is called. */
#include "cluster/remote.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "cluster/remote_words.h"
#include "ssh_server.h"

static struct ssh_server server;
static struct remote *remote;
static bool there;

static struct node node_of(const char *host)
{
    return (struct node){.name = (char *)host, .host = (char *)host, .local = strcmp(host, "local") == 0};
}

/* One command on one node; the caller's to release. */
static struct remote_command run(const struct node *node, const char *command, double deadline_seconds)
{
    bramble_error error = {0};
    struct remote_command run = {.node = node, .command = command, .input = -1};
    if (remote_run(remote, &run, 1, deadline_seconds, NULL, NULL, &error)) fail_msg("%s", error.message);
    return run;
}

static void command_fini(struct remote_command *command)
{
    str_fini(&command->output);
    str_fini(&command->errors);
}

static void check(const char *host, const char *command, enum remote_outcome outcome, const char *explained)
{
    struct node node = node_of(host);
    char text[256];
    struct remote_command done = run(&node, command, 10);
    remote_explain(&done, text, sizeof text);
    if (done.outcome != outcome || !strstr(text, explained) || strchr(text, '\n'))
        fail_msg("%s: outcome %d, code %d: %s\n%s", host, (int)done.outcome, done.exit_code, text,
                 done.errors.data ? done.errors.data : "");
    command_fini(&done);
}

static void need_server(void)
{
    if (!there) skip();
}

static void test_says_what_the_command_says(void **state)
{
    (void)state;
    need_server();
    struct node nodes[] = {node_of("good"), node_of("second"), node_of("local")};
    for (unsigned i = 0; i < 3; i++) {
        struct remote_command done = run(&nodes[i], "echo out; echo \"it's\" '$HOME' >&2; exit 3", 10);
        assert_int_equal(done.outcome, REMOTE_DONE);
        assert_int_equal(done.exit_code, 3);
        assert_string_equal(done.output.data, "out\n");
        assert_string_equal(done.errors.data, "it's $HOME\n");
        command_fini(&done);
    }
}

static void test_many_at_once(void **state)
{
    (void)state;
    need_server();
    enum { N = 8 };
    struct node nodes[N];
    struct remote_command commands[N];
    bramble_error error = {0};
    for (unsigned i = 0; i < N; i++) {
        nodes[i] = node_of(i % 3 == 0 ? "local" : i % 3 == 1 ? "good" : "closed");
        commands[i] =
            (struct remote_command){.node = &nodes[i], .command = "sleep 0.2; echo $((6 * 7))", .input = -1};
    }
    assert_int_equal(remote_run(remote, commands, N, 20, NULL, NULL, &error), BRAMBLE_OK);
    for (unsigned i = 0; i < N; i++) {
        assert_int_equal(commands[i].outcome, i % 3 == 2 ? REMOTE_UNREACHABLE : REMOTE_DONE);
        if (i % 3 != 2) assert_string_equal(commands[i].output.data, "42\n");
        assert_true(commands[i].seconds > 0 && commands[i].ended > 1e9);
        command_fini(&commands[i]);
    }
}

static void test_input_and_much_output(void **state)
{
    (void)state;
    need_server();
    const char *hosts[] = {"good", "local"};
    for (unsigned i = 0; i < 2; i++) {
        struct node node = node_of(hosts[i]);
        scratch_write(&server.folder, "input", "several\nlines\n", 14);
        bramble_error error = {0};
        struct remote_command command = {.node = &node,
                                         .command = "cat; head -c 3000000 /dev/zero | tr '\\0' x"};
        command.input = open(scratch_path(&server.folder, "input"), O_RDONLY | O_CLOEXEC);
        assert_int_equal(remote_run(remote, &command, 1, 30, NULL, NULL, &error), BRAMBLE_OK);
        close(command.input);
        assert_int_equal(command.exit_code, 0);
        assert_int_equal(command.output.length, 1 << 20); /* what is kept */
        assert_int_equal(strncmp(command.output.data, "several\nlines\nxxx", 17), 0);
        command_fini(&command);
    }
}

static void test_each_way_to_fail_has_its_name(void **state)
{
    (void)state;
    need_server();
    check("closed", "true", REMOTE_UNREACHABLE, "openssh-server");
    check("stranger", "true", REMOTE_HOST_KEY, "not known");
    check("changed", "true", REMOTE_HOST_KEY, "ssh-keygen -R changed");
    check("wrong-key", "true", REMOTE_NOT_PERMITTED, "ssh-copy-id");
    check("no-such-host.invalid", "true", REMOTE_UNKNOWN_HOST, "/etc/hosts");
    check("good", "no-such-program", REMOTE_DONE, "exit code 127");
    check("good", "sh -c 'kill -9 $$'", REMOTE_DONE, "exit code 137");
    check("local", "kill -9 $$", REMOTE_DONE, "exit code 137");
    check("good", "echo all is well; exit 255", REMOTE_DONE, "exit code 254");
}

static void test_a_command_that_hangs_is_ended(void **state)
{
    (void)state;
    need_server();
    const char *hosts[] = {"good", "local"};
    for (unsigned i = 0; i < 2; i++) {
        struct node node = node_of(hosts[i]);
        struct remote_command first = run(&node, "true", 10);
        struct remote_command done = run(&node, "echo begun; sleep 1000", 2);
        assert_int_equal(first.outcome, REMOTE_DONE);
        assert_int_equal(done.outcome, REMOTE_TIMED_OUT);
        assert_non_null(done.output.data);
        assert_string_equal(done.output.data, "begun\n");
        command_fini(&first);
        command_fini(&done);
    }
}

/* A server that is stopped takes connections and says nothing. */
static void test_a_server_that_hangs_is_not_reached(void **state)
{
    (void)state;
    need_server();
    struct node node = node_of("good");
    remote_forget(remote, &node);
    kill(server.pid, SIGSTOP);
    struct remote_command done = run(&node, "true", 1.5);
    kill(server.pid, SIGCONT);
    assert_int_equal(done.outcome, REMOTE_UNREACHABLE);
    command_fini(&done);
    check("good", "true", REMOTE_DONE, "fine");
}

/* Its children in the same process group are gone too: nobody holds the pipe. */
static void test_children_are_ended_too(void **state)
{
    (void)state;
    need_server();
    struct node node = node_of("local");
    struct remote_command done = run(&node, "sleep 1000 & echo $!; wait", 0.3);
    long pid = strtol(done.output.data, NULL, 10);
    const struct timespec pause = {.tv_nsec = 10000000};
    for (unsigned i = 0; i < 300 && kill((pid_t)pid, 0) == 0; i++) {
        char path[64], state_of = 0;
        snprintf(path, sizeof path, "/proc/%ld/stat", pid);
        FILE *file = fopen(path, "r");
        if (file && fscanf(file, "%*d (%*[^)]) %c", &state_of) != 1) state_of = 0;
        if (file) fclose(file);
        if (state_of == 'Z') break; /* dead, and nobody here waits for orphans */
        nanosleep(&pause, NULL);
        assert_true(i < 299);
    }
    command_fini(&done);
}

static bool not_for_long(void *context)
{
    return ++*(unsigned *)context < 4;
}

static void test_cancelling(void **state)
{
    (void)state;
    need_server();
    struct node nodes[] = {node_of("good"), node_of("local")};
    struct remote_command commands[2];
    unsigned asked = 0;
    bramble_error error = {0};
    for (unsigned i = 0; i < 2; i++)
        commands[i] = (struct remote_command){.node = &nodes[i], .command = "sleep 1000", .input = -1};
    assert_int_equal(remote_run(remote, commands, 2, 1000, not_for_long, &asked, &error), BRAMBLE_OK);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(commands[i].outcome, REMOTE_CANCELLED);
        command_fini(&commands[i]);
    }
}

static void test_connections_are_shared_and_ended(void **state)
{
    (void)state;
    need_server();
    struct node node = node_of("second");
    check("second", "true", REMOTE_DONE, "fine");
    assert_true(remote_connected(remote, &node));
    remote_forget(remote, &node);
    assert_false(remote_connected(remote, &node));
    check("second", "true", REMOTE_DONE, "fine");
    assert_non_null(strstr(remote_agent(remote), "ControlPath=/"));
    assert_null(strstr(remote_agent(remote), "StrictHostKeyChecking"));
}

static void test_quoting(void **state)
{
    (void)state;
    need_server();
    const char *words[] = {"a b", "it's", "$(exit 3)", "`id`", "a\nb", "\\", "\"", "", "*", "!!", "-n"};
    const char *hosts[] = {"good", "local"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++) {
        for (unsigned h = 0; h < 2; h++) {
            struct node node = node_of(hosts[h]);
            struct str command = {0};
            str_puts(&command, "printf %s. ");
            remote_quote(&command, words[i]);
            struct remote_command done = run(&node, command.data, 10);
            assert_int_equal(done.output.length, strlen(words[i]) + 1);
            assert_memory_equal(done.output.data, words[i], strlen(words[i]));
            command_fini(&done);
            str_fini(&command);
        }
    }
}

static void test_no_ssh_at_all(void **state)
{
    (void)state;
    need_server();
    char *kept = strdup(getenv("BRAMBLE_SSH"));
    setenv("BRAMBLE_SSH", "/no/such/ssh", 1);
    struct remote *other;
    struct node node = node_of("good");
    struct remote_command command = {.node = &node, .command = "true", .input = -1};
    bramble_error error = {0};
    assert_int_equal(remote_open(&other, &error), BRAMBLE_OK);
    assert_int_equal(remote_run(other, &command, 1, 5, NULL, NULL, &error), BRAMBLE_ERR_IO);
    assert_non_null(strstr(error.message, "openssh-client"));
    command_fini(&command);
    remote_close(other);
    setenv("BRAMBLE_SSH", kept, 1);
    free(kept);
}

static int begin(void **state)
{
    (void)state;
    there = ssh_server_start(&server);
    return there && remote_open(&remote, NULL) != BRAMBLE_OK;
}

/* Closing leaves neither the folder nor a master behind. */
static int finish(void **state)
{
    (void)state;
    if (!there) return 0;
    char folder[64];
    const char *path = strstr(remote_agent(remote), "ControlPath=") + strlen("ControlPath=");
    snprintf(folder, sizeof folder, "%.*s", (int)(strcspn(path, "%") - 1), path);
    bool was_there = access(folder, F_OK) == 0;
    remote_close(remote);
    bool is_gone = access(folder, F_OK) != 0;
    ssh_server_stop(&server);
    return was_there && is_gone ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_what_the_command_says),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_input_and_much_output),
        cmocka_unit_test(test_each_way_to_fail_has_its_name),
        cmocka_unit_test(test_a_command_that_hangs_is_ended),
        cmocka_unit_test(test_a_server_that_hangs_is_not_reached),
        cmocka_unit_test(test_children_are_ended_too),
        cmocka_unit_test(test_cancelling),
        cmocka_unit_test(test_connections_are_shared_and_ended),
        cmocka_unit_test(test_quoting),
        cmocka_unit_test(test_no_ssh_at_all),
    };
    return cmocka_run_group_tests(tests, begin, finish);
}
