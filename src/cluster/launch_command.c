#include "cluster/launch_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/confine.h"
#include "cluster/srun.h"

#define LOOPBACK "127.0.0.0/8"

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

static void setting(struct words *words, const char *name, const char *value)
{
    add(words, "--mca");
    add(words, "%s", name);
    add(words, "%s", value);
}

bool launch_all_local(const struct launch_plan *plan, const struct node **remote)
{
    for (size_t i = 0; i < plan->n_members; i++) {
        *remote = plan->members[i].node;
        if (!(*remote)->local) return false;
    }
    return true;
}

bramble_status launch_network(const struct launch_plan *plan, char cidr[NETWORK_TEXT], bramble_error *error)
{
    const struct node *remote = NULL;
    if (launch_all_local(plan, &remote))
        snprintf(cidr, NETWORK_TEXT, "%s", LOOPBACK);
    else if (plan->cluster->network)
        snprintf(cidr, NETWORK_TEXT, "%s", plan->cluster->network);
    else
        return network_to(remote->host, cidr, error);
    return BRAMBLE_OK;
}

bool launch_uses_slurm(const struct launch_plan *plan)
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

/* bramble's path on all remote members; NULL where they have several, or blanks in it. */
static const char *common_program(const struct launch_plan *plan)
{
    const char *program = NULL;
    for (size_t i = 0; i < plan->n_members; i++) {
        const struct member *member = &plan->members[i];
        if (member->node->local) continue;
        if (strchr(member->program, ' ') || (program && strcmp(program, member->program) != 0)) return NULL;
        program = member->program;
    }
    return program;
}

/* One command starts the daemons of all of Slurm's nodes; srun hands it mpiexec's environment. */
static void add_daemon(struct words *words, const struct launch_plan *plan, const char *network)
{
    const char *program = common_program(plan);
    add(words, "--mca");
    add(words, "orte_launch_agent");
    if (program)
        add(words, "%s" CONFINED_DAEMON, program, network);
    else
        add(words, "env -u " CONFINE_LOADED " orted");
}

/* Open MPI takes its daemons for the nodes of its step in their order; Slurm's order is that of the members.
 */
static void add_slurm(struct words *words, const struct launch_plan *plan, const char *network)
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
    add_daemon(words, plan, network);
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

static void add_settings(struct words *words, const struct launch_plan *plan,
                         const struct launch_means *means)
{
    if (plan->token) setting(words, "bramble_session", plan->token); /* nothing to MPI; its daemons show it */
    setting(words, "ras", "^slurm"); /* we name the hosts, also in a job of Slurm */
    if (launch_uses_slurm(plan))
        add_slurm(words, plan, means->network);
    else
        add_ssh(words, means->agent.data);
    setting(words, "pml", "ob1");
    setting(words, "btl", "tcp,self");
    setting(words, "btl_tcp_if_include", means->network);
    setting(words, "oob_tcp_if_include", means->network);
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

static bramble_status check_hosts(const struct launch_plan *plan, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    for (size_t i = 0; !status && i < plan->n_members; i++) status = check_host(plan->members[i].node, error);
    return status;
}

bramble_status launch_command(struct words *words, const struct launch_plan *plan,
                              const struct launch_means *means, bramble_error *error)
{
    bramble_status status = check_hosts(plan, error);
    if (status) return status;
    for (size_t i = 0; launch_uses_slurm(plan) && srun_clean[i]; i++) add(words, "%s", srun_clean[i]);
    add(words, "env");
    add(words, "TMPDIR=%s", means->scratch);
    add(words, CONFINE_NETWORK "=%s", means->network);
    if (means->confine >= 0) add(words, "LD_PRELOAD=%s", means->preload.data);
    add(words, "mpiexec.openmpi");
    if (geteuid() == 0) add(words, "--allow-run-as-root"); /* a container's only user is root */
    add(words, "--bind-to");
    add(words, "none");
    add(words, "--map-by");
    add(words, ":OVERSUBSCRIBE");
    add_settings(words, plan, means);
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

void words_fini(struct words *words)
{
    for (size_t i = 0; i < words->n; i++) mem_free(words->list[i]);
    mem_free(words->list);
}
