#include "cluster/slurm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/node_words.h"
#include "cluster/remote.h"

#define NAME "--cluster slurm"

static const double EXPAND_SECONDS = 10;

/* What the job may use of its nodes, read as far as the nodes have come. */
struct allowance {
    const char *cpus; /* the rest of "2(x3),4": how many processors, for how many nodes in a row */
    uint32_t n_cpus, n_nodes;
    uint64_t memory_bytes, memory_bytes_per_cpu;
};

/* A whole number at the start of *text, which moves behind it. */
static bool take_number(const char **text, uint32_t *number)
{
    char *end;
    if (**text < '0' || **text > '9') return false;
    errno = 0;
    unsigned long value = strtoul(*text, &end, 10);
    if (errno || value > UINT32_MAX) return false;
    *text = end;
    *number = (uint32_t)value;
    return true;
}

/* Moves on to the next node. */
static bool next_node(struct allowance *allowance)
{
    if (allowance->n_nodes == 0) {
        allowance->n_nodes = 1;
        if (!take_number(&allowance->cpus, &allowance->n_cpus) || allowance->n_cpus == 0) return false;
        if (strncmp(allowance->cpus, "(x", 2) == 0) {
            allowance->cpus += 2;
            if (!take_number(&allowance->cpus, &allowance->n_nodes) || allowance->n_nodes == 0) return false;
            if (*allowance->cpus++ != ')') return false;
        }
        if (*allowance->cpus == ',') allowance->cpus++;
    }
    allowance->n_nodes--;
    return true;
}

/* A number of megabytes from the environment, as bytes; 0 when it is not there. */
static uint64_t megabytes(const char *variable)
{
    uint32_t number = 0;
    const char *text = getenv(variable);
    return text && take_number(&text, &number) ? (uint64_t)number << 20 : 0;
}

static bramble_status read_allowance(struct allowance *allowance, bramble_error *error)
{
    *allowance = (struct allowance){.cpus = getenv("SLURM_JOB_CPUS_PER_NODE"),
                                    .memory_bytes = megabytes("SLURM_MEM_PER_NODE"),
                                    .memory_bytes_per_cpu = megabytes("SLURM_MEM_PER_CPU")};
    if (allowance->cpus) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_USAGE,
                     NAME ": SLURM_JOB_CPUS_PER_NODE is not set; start bramble by sbatch, salloc or srun");
}

static bool is_own(const char *name)
{
    const char *own = getenv("SLURMD_NODENAME"); /* not set where salloc leaves a person on the login node */
    return own && *own ? strcmp(own, name) == 0 : host_is_own(name);
}

static bramble_status add_node(struct cluster *cluster, char *name, struct allowance *allowance,
                               bramble_error *error)
{
    if (!next_node(allowance))
        return error_set(error, BRAMBLE_ERR_DATA,
                         NAME ": SLURM_JOB_CPUS_PER_NODE says nothing of %.80s; start a new job", name);
    uint64_t memory = allowance->memory_bytes, product;
    if (!memory && !__builtin_mul_overflow(allowance->memory_bytes_per_cpu, allowance->n_cpus, &product))
        memory = product;
    struct node node = {.name = name,
                        .host = name,
                        .cores = allowance->n_cpus,
                        .memory_bytes = memory,
                        .local = is_own(name),
                        .slurm = true};
    return cluster_append_from(cluster, &node, NAME, error);
}

/* Fills in the nodes from scontrol's answer, one a line; cuts it up. */
static bramble_status add_nodes(struct cluster *cluster, char *names, bramble_error *error)
{
    struct allowance allowance;
    bramble_status status = read_allowance(&allowance, error);
    char *rest = names;
    for (char *name; !status && (name = strsep(&rest, "\n"));)
        if (*name) status = add_node(cluster, name, &allowance, error);
    if (!status && cluster->n_nodes == 0)
        status = error_set(error, BRAMBLE_ERR_DATA, NAME ": scontrol names no node; start a new job");
    return status;
}

/* Has scontrol write out a list like "node[1-3]"; str_fini *names. */
static bramble_status expand(struct str *names, const char *list, bramble_error *error)
{
    struct str line = {0};
    str_puts(&line, "exec scontrol show hostnames ");
    remote_quote(&line, list);
    if (line.failed) {
        str_fini(&line);
        return error_memory(error, "the list of nodes");
    }
    struct node here = {.name = "this machine", .host = "localhost", .local = true};
    struct remote_command command = {.node = &here, .command = line.data, .input = -1};
    bramble_status status = remote_run(NULL, &command, 1, EXPAND_SECONDS, NULL, NULL, error);
    if (!status && (command.outcome != REMOTE_DONE || command.exit_code != 0))
        status = error_set(error, BRAMBLE_ERR_IO,
                           NAME ": `scontrol show hostnames` fails with exit code %d; is Slurm on the PATH?",
                           command.exit_code);
    str_fini(&line);
    str_fini(&command.errors);
    if (status)
        str_fini(&command.output);
    else
        *names = command.output;
    return status;
}

bramble_status cluster_from_slurm(struct cluster **out, bramble_error *error)
{
    const char *list = getenv("SLURM_JOB_NODELIST"), *job = getenv("SLURM_JOB_ID");
    struct str names = {0};
    if (!list || !*list || !job)
        return error_set(error, BRAMBLE_ERR_USAGE,
                         NAME ": this is no job of Slurm; start bramble by sbatch, salloc or srun");
    struct cluster *cluster = mem_zalloc(1, sizeof *cluster);
    bramble_status status = cluster && (cluster->path = mem_strdup("slurm"))
                                ? expand(&names, list, error)
                                : error_memory(error, "the list of nodes");
    if (!status) status = add_nodes(cluster, names.data ? names.data : (char[]){""}, error);
    str_fini(&names);
    if (status)
        cluster_free(cluster);
    else
        *out = cluster;
    return status;
}

bool slurm_copy_is_spare(void)
{
    uint32_t number = 0;
    const char *text = getenv("SLURM_PROCID");
    return getenv("SLURM_JOB_ID") && text && take_number(&text, &number) && number > 0;
}
