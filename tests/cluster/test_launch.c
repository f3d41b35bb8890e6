/* What mpiexec's log says went wrong: pieces of real logs of Open MPI 4.1.4. */
#include "scratch.h"

#include "cluster/launch.h"
#include "cluster/launch_agent.h"

static const char killed[] =
    "--------------------------------------------------------------------------\n"
    "Primary job  terminated normally, but 1 process returned\n"
    "a non-zero exit code. Per user-direction, the job has been aborted.\n"
    "--------------------------------------------------------------------------\n"
    "--------------------------------------------------------------------------\n"
    "mpiexec.openmpi noticed that process rank 3 with PID 182 on node pi4-2 exited on signal 9 (Killed).\n"
    "--------------------------------------------------------------------------\n";

static const char refused[] =
    "[desktop:00249] plm:rsh: Warning: setpgid(285,285) failed in parent with errno=Permission denied(13)\n"
    "bramble: unknown command \"rank\"; 'bramble --help' lists them\n"
    "--------------------------------------------------------------------------\n"
    "Primary job  terminated normally, but 1 process returned\n"
    "a non-zero exit code. Per user-direction, the job has been aborted.\n"
    "--------------------------------------------------------------------------\n"
    "mpiexec.openmpi detected that one or more processes exited with non-zero status, thus causing\n"
    "the job to be terminated. The first process to do so was:\n"
    "\n"
    "  Process name: [[12872,1],3]\n"
    "  Exit code:    2\n"
    "--------------------------------------------------------------------------\n"
    "[warn] Epoll MOD(1) on fd 26 failed. Old events were 6; read change was 0 (none): Bad file descriptor\n";

static const char unknown[] = "ssh: Could not resolve hostname nosuchhost: Name or service not known\n"
                              "--------------------------------------------------------------------------\n"
                              "ORTE was unable to reliably start one or more daemons.\n"
                              "This usually is caused by:\n"
                              "\n"
                              "* not finding the required libraries and/or binaries on\n"
                              "  one or more nodes. Please check your PATH and LD_LIBRARY_PATH\n"
                              "  settings, or configure OMPI with --enable-orterun-prefix-by-default\n";

static const char nowhere[] =
    "mpiexec.openmpi was unable to launch the specified application as it could not access\n"
    "or execute an executable:\n"
    "\n"
    "Executable: /nonexistent/bramble\n"
    "Node: vm\n"
    "\n"
    "while attempting to start process rank 2.\n";

static const char aborted[] = "MPI_ABORT was invoked on rank 2 in communicator MPI_COMM_WORLD\n"
                              "with errorcode 4.\n";

static void says(const char *log, const char *words, uint32_t who)
{
    struct scratch s = scratch_new();
    char line[200];
    uint32_t rank = 99;
    launch_diagnose(scratch_write(&s, "log", log, strlen(log)), line, sizeof line, &rank);
    if (!strstr(line, words) || (!*words && *line)) fail_msg("said: %s", line);
    assert_int_equal(rank, who);
    assert_null(strchr(line, '\n'));
    scratch_remove(&s);
}

static void test_diagnoses(void **state)
{
    (void)state;
    says(killed, "process rank 3 with PID 182 on node pi4-2 exited on signal 9", 3);
    says(refused, "bramble: unknown command \"rank\"", 3);
    says(unknown, "ssh: Could not resolve hostname nosuchhost", 0);
    says(nowhere, "could not access", 2);
    says(aborted, "MPI_ABORT was invoked on rank 2", 2);
    says("", "", 0);
    uint32_t rank = 99;
    char line[8] = "before";
    launch_diagnose("/nonexistent/log", line, sizeof line, &rank);
    assert_true(!*line && rank == 0);
}

/* What the agent makes of what mpiexec says, with `echo` for ssh. */
static void agent_says(const char *script, const char *words, const char *wanted)
{
    char command[600], said[400] = "";
    snprintf(command, sizeof command, "sh %s %s", script, words);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(said, sizeof said, pipe));
    assert_int_equal(pclose(pipe), 0);
    assert_string_equal(said, wanted);
}

static void test_agent(void **state)
{
    (void)state;
    struct scratch s = scratch_new();
    const struct node here = {.host = "localhost", .local = true};
    const struct node plain = {.host = "pi4-1"}, other = {.host = "10.0.0.7", .user = "a b"};
    const struct member members[] = {
        {&here, "/opt/bramble", 0}, {&plain, "/opt/bramble", 0}, {&other, "/home/a b/bramble's", 0}};
    struct launch_plan plan = {.members = members, .n_members = 1, .agent = "echo -n"};
    assert_false(launch_agent_needed(&plan));
    plan.n_members = 3;
    plan.agent = "echo";
    assert_true(launch_agent_needed(&plan));
    assert_true(launch_agent_write(&plan, "10.0.0.0/24", scratch_path(&s, "agent")));
    agent_says(s.path, "pi4-1 ' orted' --daemonize -mca x 'a b'",
               "pi4-1 '/opt/bramble' confine 10.0.0.0/24 -- orted --daemonize -mca x a b\n");
    agent_says(
        s.path, "-x 10.0.0.7 '( . ./.profile;' orted -mca x y ')'",
        "-l a b -x 10.0.0.7 ( . ./.profile; '/home/a b/bramble'\\''s' confine 10.0.0.0/24 -- orted -mca "
        "x y )\n");
    agent_says(s.path, "elsewhere orted", "elsewhere orted\n");
    scratch_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_diagnoses), cmocka_unit_test(test_agent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
