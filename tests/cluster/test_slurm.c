/* A Slurm job's nodes from its environment, and what is made of srun's words, with programs that stand for
 * Slurm's. tests/slurm tries it with the real ones. */
#include "cluster/slurm.h"

#include <stdbool.h>

#include "base/error.h"
#include "cluster/srun.h"
#include "scratch.h"

static const char *const variables[] = {"SLURM_JOB_ID",
                                        "SLURM_JOB_NODELIST",
                                        "SLURM_JOB_CPUS_PER_NODE",
                                        "SLURM_MEM_PER_NODE",
                                        "SLURM_MEM_PER_CPU",
                                        "SLURMD_NODENAME",
                                        "SLURM_PROCID",
                                        "SLURM_NTASKS",
                                        "SRUN_DEBUG",
                                        NULL};

/* A folder with `name`, a shell script, first on the PATH; and no job. */
static struct scratch stand_in(const char *name, const char *script)
{
    char line[4096];
    struct scratch s = scratch_new();
    scratch_write(&s, name, script, strlen(script));
    assert_int_equal(chmod(s.path, 0700), 0);
    snprintf(line, sizeof line, "%s:/usr/bin:/bin", s.folder);
    setenv("PATH", line, 1);
    for (size_t i = 0; variables[i]; i++) unsetenv(variables[i]);
    return s;
}

static void be_job(const char *cpus)
{
    setenv("SLURM_JOB_ID", "7", 1);
    setenv("SLURM_JOB_NODELIST", "n[1-3],big", 1);
    setenv("SLURM_JOB_CPUS_PER_NODE", cpus, 1);
}

static const char scontrol[] =
    "#!/bin/sh\n[ \"$*\" = 'show hostnames n[1-3],big' ] && printf 'n1\\nn2\\nn3\\nbig\\n'\n";

static void check_node(const struct node *node, const char *name, uint32_t cores, uint64_t megabytes,
                       bool local)
{
    assert_string_equal(node->name, name);
    assert_string_equal(node->host, name);
    assert_int_equal(node->cores, cores);
    assert_int_equal(node->memory_bytes, megabytes << 20);
    assert_int_equal(node->local, local);
    assert_true(node->slurm);
}

static void test_nodes_of_a_job(void **state)
{
    (void)state;
    struct cluster *c;
    bramble_error error = {0};
    struct scratch s = stand_in("scontrol", scontrol);
    be_job("2(x2),4,16");
    setenv("SLURM_MEM_PER_CPU", "100", 1);
    setenv("SLURMD_NODENAME", "n3", 1);
    assert_int_equal(cluster_read(&c, "slurm", &error), BRAMBLE_OK);
    assert_int_equal(c->n_nodes, 4);
    check_node(&c->nodes[0], "n3", 4, 400, true);
    check_node(&c->nodes[1], "n1", 2, 200, false);
    check_node(&c->nodes[2], "n2", 2, 200, false);
    check_node(&c->nodes[3], "big", 16, 1600, false);
    cluster_free(c);
    unsetenv("SLURMD_NODENAME"); /* as on a login node */
    setenv("SLURM_MEM_PER_NODE", "3000", 1);
    assert_int_equal(cluster_from_slurm(&c, &error), BRAMBLE_OK);
    check_node(&c->nodes[0], "n1", 2, 3000, false);
    cluster_free(c);
    scratch_remove(&s);
}

static void refused(bramble_status wanted, const char *words)
{
    struct cluster *c = NULL;
    bramble_error error = {0};
    assert_int_equal(cluster_from_slurm(&c, &error), wanted);
    assert_null(c);
    if (!strstr(error.message, words)) fail_msg("%s", error.message);
    assert_null(strchr(error.message, '\n'));
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",       "x",      "0(x4)",  "2(x",  "2(x0)",           "2(x3)",
                                      "2(x3),", "2(x3)x", "-2(x4)", "2(4)", "99999999999(x4)", "2 (x4)"};
    struct scratch s = stand_in("scontrol", scontrol);
    refused(BRAMBLE_ERR_USAGE, "sbatch");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        be_job(bad[i]);
        refused(BRAMBLE_ERR_DATA, "SLURM_JOB_CPUS_PER_NODE says nothing of");
    }
    be_job("2(x4)");
    setenv("SLURM_JOB_NODELIST", "else", 1);
    refused(BRAMBLE_ERR_IO, "scontrol show hostnames");
    setenv("SLURM_JOB_NODELIST", "n[1-3],big", 1);
    static const char option[] = "#!/bin/sh\necho -x\n", none[] = "#!/bin/sh\n";
    scratch_write(&s, "scontrol", option, strlen(option));
    refused(BRAMBLE_ERR_DATA, "cannot name a node");
    scratch_write(&s, "scontrol", none, strlen(none));
    refused(BRAMBLE_ERR_DATA, "no node");
    scratch_remove(&s);
}

static void test_spare_copies(void **state)
{
    (void)state;
    struct scratch s = stand_in("scontrol", scontrol);
    setenv("SLURM_PROCID", "1", 1);
    assert_false(slurm_copy_is_spare());
    setenv("SLURM_JOB_ID", "7", 1);
    assert_true(slurm_copy_is_spare());
    setenv("SLURM_PROCID", "0", 1);
    assert_false(slurm_copy_is_spare());
    scratch_remove(&s);
}

static struct remote_command run_on(const char *name, const char *line)
{
    bramble_error error;
    struct node *node = calloc(1, sizeof *node);
    *node = (struct node){.name = (char *)name, .host = (char *)name, .slurm = true};
    struct remote_command command = {.node = node, .command = line, .input = -1};
    assert_int_equal(remote_run(NULL, &command, 1, 10, NULL, NULL, &error), BRAMBLE_OK);
    return command;
}

static void done_with(struct remote_command *command)
{
    free((void *)command->node);
    str_fini(&command->output);
    str_fini(&command->errors);
}

/* srun is told which node and what to run, and nothing of the step that we are. */
static void test_commands_through_srun(void **state)
{
    (void)state;
    struct scratch s = stand_in("srun", "#!/bin/sh\n"
                                        "echo \"$SLURM_JOB_ID.$SLURM_NTASKS.$SLURM_PROCID.$SRUN_DEBUG\"\n"
                                        "while [ \"$1\" != --nodelist ]; do shift; done\n"
                                        "shift; echo \"$1\"; shift; exec \"$@\"\n");
    be_job("1(x4)");
    setenv("SLURM_NTASKS", "4", 1);
    setenv("SLURM_PROCID", "0", 1);
    setenv("SRUN_DEBUG", "3", 1);
    struct remote_command command = run_on("big", "echo 'it is'; exit 3");
    assert_int_equal(command.outcome, REMOTE_DONE);
    assert_int_equal(command.exit_code, 3);
    assert_string_equal(command.output.data, "7...\nbig\nit is\n");
    done_with(&command);
    scratch_remove(&s);
}

static void test_what_srun_says(void **state)
{
    (void)state;
    static const struct {
        const char *said;
        enum remote_outcome outcome;
        const char *words;
    } cases[] = {
        {"srun: error: big: task 0: Exited with exit code 1", REMOTE_DONE, "failed with exit code 1"},
        {"srun: error: Unable to create step for job 7: Requested node configuration is not available",
         REMOTE_UNREACHABLE, "not available; see: scontrol show node big"},
        {"srun: error: big: task 0: Killed\nsrun: error: Node failure on big", REMOTE_UNREACHABLE,
         "Node failure on big;"},
        {"srun: error: Slurm job 7 has expired", REMOTE_GONE, "its Slurm job is over"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char script[512], words[256];
        snprintf(script, sizeof script, "#!/bin/sh\necho '%s' >&2\nexit 1\n", cases[i].said);
        struct scratch s = stand_in("srun", script);
        struct remote_command command = run_on("big", "true");
        assert_int_equal(command.outcome, cases[i].outcome);
        remote_explain(&command, words, sizeof words);
        if (!strstr(words, cases[i].words)) fail_msg("%s", words);
        done_with(&command);
        scratch_remove(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nodes_of_a_job), cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_spare_copies),   cmocka_unit_test(test_commands_through_srun),
        cmocka_unit_test(test_what_srun_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
