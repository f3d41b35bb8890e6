#include "cluster/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/confine.h"
#include "cluster/launch_agent.h"
#include "cluster/launch_command.h"
#include "cluster/srun.h"

enum { SCRATCH_DEPTH = 16 /* folders open at once while they are removed */ };

struct launch {
    pid_t pid;
    bool slurm;
    pid_t srun;       /* srun_below(pid), once it is there */
    int exit_code;    /* -1 while it runs */
    char *agent_path; /* of a script beside the log, or NULL */
    char *scratch;    /* a folder beside it: mpiexec's own files, which it leaves there when it is killed */
};

/* In the child: only calls that are safe between fork and exec. */
static void become_mpiexec(char *const *words, int confine, int log, int nothing)
{
    static const int usual[] = {SIGCHLD, SIGPIPE, SIGINT, SIGTERM, SIGHUP}; /* our caller may ignore them */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (unsigned i = 0; i < sizeof usual / sizeof *usual; i++) signal(usual[i], SIG_DFL);
    setpgid(0, 0); /* Ctrl-C in the terminal is for the supervisor, who ends this in good order */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(nothing, 0);
    dup2(log, 1);
    dup2(log, 2);
    if (confine >= 0) fcntl(confine, F_SETFD, 0);
    execvp(words[0], words);
    _exit(127);
}

static bramble_status spawn(struct launch *launch, char *const *words, int confine, const char *log_path,
                            bramble_error *error)
{
    int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    launch->pid = log >= 0 && nothing >= 0 ? fork() : -1;
    if (launch->pid == 0) become_mpiexec(words, confine, log, nothing);
    int why = errno;
    if (launch->pid > 0) setpgid(launch->pid, launch->pid); /* whoever comes first: it may be killed now */
    if (log >= 0) close(log);
    if (nothing >= 0) close(nothing);
    if (launch->pid < 0)
        return error_set(error, BRAMBLE_ERR_IO, "mpiexec cannot be started: %s", strerror(why));
    return BRAMBLE_OK;
}

static bramble_status choose_agent(struct launch *launch, const struct launch_plan *plan,
                                   struct launch_means *means, bramble_error *error)
{
    struct str path = {0};
    bool script = launch_agent_needed(plan);
    if (script) {
        str_printf(&path, "%s.agent", plan->log);
        launch->agent_path = str_take(&path);
        if (!launch->agent_path) return error_memory(error, "starting MPI");
        if (!launch_agent_write(plan, means->network, launch->agent_path))
            return error_set(error, BRAMBLE_ERR_IO, "%s: cannot be written; free some space there",
                             launch->agent_path);
    }
    str_printf(&means->agent, "%s%s", script ? "sh " : "", script ? launch->agent_path : plan->agent);
    return means->agent.failed ? error_memory(error, "starting MPI") : BRAMBLE_OK;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info, (void)kind, (void)where;
    return remove(path) && errno != ENOENT;
}

static bramble_status make_scratch(struct launch *launch, const struct launch_plan *plan,
                                   bramble_error *error)
{
    struct str path = {0};
    str_printf(&path, "%s.tmp", plan->log);
    launch->scratch = str_take(&path);
    if (!launch->scratch) return error_memory(error, "starting MPI");
    if (mkdir(launch->scratch, 0700) == 0) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_IO, "%s: cannot be made: %s", launch->scratch, strerror(errno));
}

static void discard(struct launch *launch)
{
    if (launch->scratch) nftw(launch->scratch, remove_one, SCRATCH_DEPTH, FTW_DEPTH | FTW_PHYS);
    mem_free(launch->scratch);
    if (launch->agent_path) unlink(launch->agent_path);
    mem_free(launch->agent_path);
    mem_free(launch);
}

static bramble_status prepare(struct launch *launch, const struct launch_plan *plan,
                              struct launch_means *means, bramble_error *error)
{
    bramble_status status = launch_network(plan, means->network, error);
    if (!status) status = choose_agent(launch, plan, means, error);
    if (!status) status = make_scratch(launch, plan, error);
    means->scratch = launch->scratch;
    return status;
}

bramble_status launch_start(struct launch **out, const struct launch_plan *plan, bramble_error *error)
{
    struct words words = {0};
    struct launch_means means = {.confine = -1};
    struct launch *launch = mem_zalloc(1, sizeof *launch);
    if (!launch) return error_memory(error, "starting MPI");
    launch->exit_code = -1;
    launch->slurm = launch_uses_slurm(plan) && !launch_all_local(plan, &(const struct node *){NULL});
    bramble_status status = prepare(launch, plan, &means, error);
    if (!status) confine_open(&means.confine, &means.preload);
    if (!status) status = launch_command(&words, plan, &means, error);
    if (!status) status = spawn(launch, words.list, means.confine, plan->log, error);
    words_fini(&words);
    str_fini(&means.agent);
    str_fini(&means.preload);
    if (means.confine >= 0) close(means.confine);
    if (status)
        discard(launch);
    else
        *out = launch;
    return status;
}

bool launch_ended(struct launch *launch, int *exit_code)
{
    int how;
    if (launch->slurm && !launch->srun && launch->exit_code < 0) launch->srun = srun_below(launch->pid);
    pid_t waited = launch->exit_code < 0 ? waitpid(launch->pid, &how, WNOHANG) : 0;
    if (waited == launch->pid)
        launch->exit_code = WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
    else if (waited < 0 && errno == ECHILD)
        launch->exit_code = 255; /* somebody else waited for it */
    *exit_code = launch->exit_code;
    return launch->exit_code >= 0;
}

void launch_signal(struct launch *launch, int signal)
{
    if (launch->exit_code < 0) kill(-launch->pid, signal);
}

void launch_free(struct launch *launch)
{
    if (!launch) return;
    launch_signal(launch, SIGKILL);
    while (launch->exit_code < 0 && waitpid(launch->pid, NULL, 0) < 0 && errno == EINTR) continue;
    srun_end(launch->srun);
    discard(launch);
}
