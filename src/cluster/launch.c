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
#include "cluster/launch_agent.h"
#include "cluster/network.h"
#include "cluster/srun.h"

#define LOOPBACK "127.0.0.0/8"

enum { SCRATCH_DEPTH = 16 /* folders open at once while they are removed */ };

struct launch {
    pid_t pid;
    bool slurm;
    pid_t srun;       /* srun_below(pid), once it is there */
    int exit_code;    /* -1 while it runs */
    char *agent_path; /* of a script beside the log, or NULL */
    char *scratch;    /* a folder beside it: mpiexec's own files, which it leaves there when it is killed */
};

/* A command line as it grows: owned words, NULL at the end. */
struct words {
    char **list;
    size_t n, capacity;
    bool failed;
};

static void add(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct words *words, const char *format, ...)
{
    va_list args;
    struct str text = {0};
    va_start(args, format);
    str_vprintf(&text, format, args);
    va_end(args);
    if (words->n + 2 > words->capacity) {
        size_t capacity = words->capacity ? 2 * words->capacity : 64;
        char **list = mem_resize(words->list, capacity, sizeof *list);
        if (list) words->list = list;
        if (list) words->capacity = capacity;
    }
    char *word = str_take(&text);
    words->failed |= !word || words->n + 2 > words->capacity;
    if (words->failed) {
        mem_free(word);
        return;
    }
    words->list[words->n++] = word;
    words->list[words->n] = NULL;
}

static void words_fini(struct words *words)
{
    for (size_t i = 0; i < words->n; i++) mem_free(words->list[i]);
    mem_free(words->list);
}

static void setting(struct words *words, const char *name, const char *value)
{
    add(words, "--mca");
    add(words, "%s", name);
    add(words, "%s", value);
}

static bool all_local(const struct launch_plan *plan, const struct node **remote)
{
    for (size_t i = 0; i < plan->n_members; i++) {
        *remote = plan->members[i].node;
        if (!(*remote)->local) return false;
    }
    return true;
}

/* The network on which MPI meets: what the cluster's file says, else the one that reaches the first remote
 * node.
 */
static bramble_status choose_network(const struct launch_plan *plan, char cidr[NETWORK_TEXT],
                                     bramble_error *error)
{
    const struct node *remote = NULL;
    if (all_local(plan, &remote))
        snprintf(cidr, NETWORK_TEXT, "%s", LOOPBACK);
    else if (plan->cluster->network)
        snprintf(cidr, NETWORK_TEXT, "%s", plan->cluster->network);
    else
        return network_to(remote->host, cidr, error);
    return BRAMBLE_OK;
}

static bool uses_slurm(const struct launch_plan *plan)
{
    return plan->n_members && plan->members[0].node->slurm;
}

static void add_ssh(struct words *words, const char *agent)
{
    setting(words, "plm", "rsh");
    setting(words, "plm_rsh_agent", agent);
    setting(words, "plm_rsh_no_tree_spawn", "1");
    setting(words, "orte_keep_fqdn_hostnames", "1"); /* "pi.local" is not "pi" */
}

/* Open MPI takes its daemons for the nodes of its step in their order; Slurm's order is that of the members.
 */
static void add_slurm(struct words *words, const struct launch_plan *plan)
{
    struct str options = {0};
    size_t n = 0;
    for (size_t i = 0; i < plan->n_members; i++) n += !plan->members[i].node->local;
    str_printf(&options, SRUN_BESIDE " --nodes=%zu --nodelist=", n);
    for (size_t i = 0; i < plan->n_members; i++) {
        const struct node *node = plan->members[i].node;
        if (!node->local) str_printf(&options, "%s%s", node->host, --n ? "," : "");
    }
    words->failed |= options.failed;
    setting(words, "plm", "slurm");
    if (options.data) setting(words, "plm_slurm_args", options.data);
    str_fini(&options);
}

/*
 * The first of two ports. Open MPI's daemons listen on every port of theirs that is free, and one that finds
 * none waits for ever: so a generation gets two of the n, other ones than those it may be there beside.
 * Sessions begin anywhere.
 */
static unsigned daemon_port(const char *token, unsigned low, unsigned n)
{
    const char *dot = token ? strrchr(token, '.') : NULL;
    unsigned session = 0;
    for (const char *at = token; at && at != dot && *at; at++) session = 31 * session + (unsigned char)*at;
    unsigned generation = dot ? (unsigned)strtoul(dot + 1, NULL, 10) : 0;
    return low + (session + 2 * generation) % (n - 1);
}

static void port_setting(struct words *words, const char *name, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    setting(words, name, text);
}

static void add_ports(struct words *words, const struct launch_plan *plan)
{
    /* The lower half for ranks, the upper for daemons, half of that for their IPv6: they would take each
     * other's for free. A job uses no IPv6, but listens on it, and such a socket takes the port for IPv4 too.
     */
    unsigned low = plan->cluster->port_low, n = plan->cluster->port_high - low + 1U;
    port_setting(words, "btl_tcp_port_min_v4", low);
    port_setting(words, "btl_tcp_port_range_v4", n / 2);
    port_setting(words, "btl_tcp_port_min_v6", low);
    port_setting(words, "btl_tcp_port_range_v6", n / 2);
    unsigned quarter = (n - n / 2) / 2;
    low = daemon_port(plan->token, low + n / 2, quarter);
    char range[32];
    snprintf(range, sizeof range, "%u-%u", low, low + 1);
    setting(words, "oob_tcp_dynamic_ipv4_ports", range);
    snprintf(range, sizeof range, "%u-%u", low + quarter, low + quarter + 1);
    setting(words, "oob_tcp_dynamic_ipv6_ports", range);
}

static void add_settings(struct words *words, const struct launch_plan *plan, const char *agent,
                         const char *cidr)
{
    if (plan->token) setting(words, "bramble_session", plan->token); /* nothing to MPI; its daemons show it */
    setting(words, "ras", "^slurm"); /* we name the hosts, also in a job of Slurm */
    if (uses_slurm(plan))
        add_slurm(words, plan);
    else
        add_ssh(words, agent);
    setting(words, "pml", "ob1");
    setting(words, "btl", "tcp,self");
    setting(words, "btl_tcp_if_include", cidr);
    setting(words, "oob_tcp_if_include", cidr);
    setting(words, "btl_tcp_disable_family", "6");
    setting(words, "btl_tcp_links", "2");
    setting(words, "mpi_yield_when_idle", "1");
    setting(words, "odls_base_sigkill_timeout", "0"); /* ranks have nothing to tidy up */
    setting(words, "oob_tcp_keepalive_time", "3");
    setting(words, "oob_tcp_keepalive_intvl", "1");
    setting(words, "oob_tcp_keepalive_probes", "3");
    if (plan->cluster->port_low) add_ports(words, plan);
}

static void add_rank(struct words *words, const char *host, const char *program,
                     const struct launch_plan *plan)
{
    add(words, "-n");
    add(words, "1");
    add(words, "-host");
    add(words, "%s", host);
    add(words, "%s", program);
    add(words, "%s", plan->command ? plan->command : "rank");
    if (plan->command) return;
    add(words, "--session");
    add(words, "%s", plan->token);
}

static void add_member(struct words *words, const struct member *member, const struct launch_plan *plan)
{
    const struct node *node = member->node;
    add(words, ":");
    add_rank(words, node->local ? "localhost" : node->host, member->program, plan);
    if (plan->command) return;
    add(words, "--threads");
    add(words, "%u", member->threads);
    if (!node->memory_bytes) return;
    add(words, "--memory");
    add(words, "%llu", (unsigned long long)(node->memory_bytes / 1000000));
}

/* mpiexec is stricter than ssh, and takes what follows a colon for a number. */
static bramble_status check_host(const struct node *node, bramble_error *error)
{
    if (!strpbrk(node->host, ":%_")) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                     "%s: MPI takes no host called %s; write a name of letters, digits, dots and hyphens, or "
                     "the IPv4 address, as host",
                     node->name, node->host);
}

static bramble_status command_line(struct words *words, const struct launch_plan *plan, const char *agent,
                                   const char *scratch, bramble_error *error)
{
    char cidr[NETWORK_TEXT];
    bramble_status status = choose_network(plan, cidr, error);
    for (size_t i = 0; !status && i < plan->n_members; i++) status = check_host(plan->members[i].node, error);
    if (status) return status;
    for (size_t i = 0; uses_slurm(plan) && srun_clean[i]; i++) add(words, "%s", srun_clean[i]);
    add(words, "env");
    add(words, "TMPDIR=%s", scratch);
    add(words, "mpiexec.openmpi");
    if (geteuid() == 0) add(words, "--allow-run-as-root"); /* a container's only user is root */
    add(words, "--bind-to");
    add(words, "none");
    add(words, "--map-by");
    add(words, ":OVERSUBSCRIBE");
    add_settings(words, plan, agent, cidr);
    add_rank(words, "localhost", plan->program, plan);
    if (!plan->command) {
        add(words, "--orders");
        add(words, "%s", plan->orders);
        add(words, "--reports");
        add(words, "%s", plan->reports);
    }
    for (size_t i = 0; i < plan->n_members; i++) add_member(words, &plan->members[i], plan);
    return words->failed ? error_memory(error, "a command line") : BRAMBLE_OK;
}

/* In the child: only calls that are safe between fork and exec. */
static void become_mpiexec(char *const *words, int log, int nothing)
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
    execvp(words[0], words);
    _exit(127);
}

static bramble_status spawn(struct launch *launch, char *const *words, const char *log_path,
                            bramble_error *error)
{
    int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    launch->pid = log >= 0 && nothing >= 0 ? fork() : -1;
    if (launch->pid == 0) become_mpiexec(words, log, nothing);
    int why = errno;
    if (launch->pid > 0) setpgid(launch->pid, launch->pid); /* whoever comes first: it may be killed now */
    if (log >= 0) close(log);
    if (nothing >= 0) close(nothing);
    if (launch->pid < 0)
        return error_set(error, BRAMBLE_ERR_IO, "mpiexec cannot be started: %s", strerror(why));
    return BRAMBLE_OK;
}

/* The agent's command line. */
static bramble_status choose_agent(struct launch *launch, const struct launch_plan *plan, struct str *agent,
                                   bramble_error *error)
{
    struct str path = {0};
    bool script = launch_agent_needed(plan);
    if (script) {
        str_printf(&path, "%s.agent", plan->log);
        launch->agent_path = str_take(&path);
        if (!launch->agent_path) return error_memory(error, "starting MPI");
        if (!launch_agent_write(plan, launch->agent_path))
            return error_set(error, BRAMBLE_ERR_IO, "%s: cannot be written; free some space there",
                             launch->agent_path);
    }
    str_printf(agent, "%s%s", script ? "sh " : "", script ? launch->agent_path : plan->agent);
    return agent->failed ? error_memory(error, "starting MPI") : BRAMBLE_OK;
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

bramble_status launch_start(struct launch **out, const struct launch_plan *plan, bramble_error *error)
{
    struct words words = {0};
    struct launch *launch = mem_zalloc(1, sizeof *launch);
    if (!launch) return error_memory(error, "starting MPI");
    launch->exit_code = -1;
    launch->slurm = uses_slurm(plan) && !all_local(plan, &(const struct node *){NULL});
    struct str agent = {0};
    bramble_status status = choose_agent(launch, plan, &agent, error);
    if (!status) status = make_scratch(launch, plan, error);
    if (!status) status = command_line(&words, plan, agent.data, launch->scratch, error);
    if (!status) status = spawn(launch, words.list, plan->log, error);
    words_fini(&words);
    str_fini(&agent);
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
