/*
 * bramble/cluster.h: the machines that train together.
 *
 * A cluster is a list of machines in a small file (docs/cluster.md). They are reached over the person's own
 * ssh; nothing listens on them before a run and nothing stays after it.
 *
 *     bramble_cluster *cluster;
 *     if (bramble_cluster_read(&cluster, "cluster.ini", &error)) ...
 *     bramble_cluster_probe(cluster, NULL, &error);
 *     for (size_t i = 0; i < bramble_cluster_n_nodes(cluster); i++) {
 *         bramble_node node;
 *         bramble_cluster_node(cluster, i, &node);
 *         printf("%s: %s\n", node.name, node.usable ? "fine" : node.problem);
 *     }
 *     bramble_cluster_free(cluster);
 */
#ifndef BRAMBLE_CLUSTER_H
#define BRAMBLE_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <bramble/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bramble_cluster bramble_cluster;

/* Reads PATH. *out is the caller's to free. Asks no machine and no name server. "slurm" stands for the nodes
 * of the Slurm job we run in (docs/slurm.md), which are reached without ssh; a file of that name is
 * "./slurm". */
BRAMBLE_API bramble_status bramble_cluster_read(bramble_cluster **out, const char *path,
                                                bramble_error *error);

/* True when PATH is "slurm" and this process is not the first of several copies that srun started: the first
 * uses all nodes, so there is nothing to do for the others. */
BRAMBLE_API bool bramble_cluster_has_leader(const char *path);

/* A cluster of these hosts ("pi1", "pi@192.168.1.11"), and with `local` this machine. */
BRAMBLE_API bramble_status bramble_cluster_of_hosts(bramble_cluster **out, const char *const *hosts,
                                                    size_t n_hosts, bool local, bramble_error *error);

/* A cluster of some of another's nodes, nodes[0..n) by number, in that order but for this machine, which
 * comes first. It is not probed yet. *out is the caller's to free; the other stays as it is. */
BRAMBLE_API bramble_status bramble_cluster_select(bramble_cluster **out, const bramble_cluster *cluster,
                                                  const size_t *nodes, size_t n, bramble_error *error);

/* Removes all data that training left in the caches of the nodes, so that the next one has to send them
 * again. Fails when a node does not answer. */
BRAMBLE_API bramble_status bramble_cluster_empty_caches(const bramble_cluster *cluster, bramble_error *error);

/* As a file that bramble_cluster_read takes; whole or not at all. */
BRAMBLE_API bramble_status bramble_cluster_write(const bramble_cluster *cluster, const char *path,
                                                 bramble_error *error);
BRAMBLE_API void bramble_cluster_free(bramble_cluster *cluster); /* NULL is fine */
BRAMBLE_API size_t bramble_cluster_n_nodes(const bramble_cluster *cluster);

typedef struct bramble_probe_options {
    bool measure;                 /* also the speed of kernels and links: some seconds more */
    double deadline_seconds;      /* for a node to answer, measuring not counted */
    bool (*go_on)(void *context); /* asked some times a second; false: BRAMBLE_ERR_CANCELLED. Or NULL */
    void *context;
} bramble_probe_options;
#define BRAMBLE_PROBE_OPTIONS_INIT                                                                           \
    {                                                                                                        \
        .deadline_seconds = 10                                                                               \
    }

/* Asks all nodes at once what they are; fails only when that cannot be begun here. NULL: the options above.
 */
BRAMBLE_API bramble_status bramble_cluster_probe(bramble_cluster *cluster,
                                                 const bramble_probe_options *options, bramble_error *error);

/* A node as the file has it, and, once it was probed, as it is. Texts are the cluster's, "" where not known.
 */
typedef struct bramble_node {
    const char *name, *host, *user; /* user: NULL when the file gives none */
    bool local;                     /* this machine */
    bool usable;                    /* a run can start there */
    const char *problem;            /* in one line; a usable node may have one, and an unusable one does */
    bool answered;                  /* what follows is known */
    const char *arch, *system, *model, *version, *mpi, *kernels, *program;
    uint32_t cores; /* it has */
    uint64_t memory_bytes, memory_free_bytes, disk_free_bytes;
    double clock_offset_seconds; /* its clock less ours */
    bool under_voltage, throttled;
    double temperature;   /* degrees Celsius; NaN: it does not tell */
    double tree_rate;     /* million row-features a second; from here on NaN unless measured */
    double gemm_gflops;   /* single precision */
    double bandwidth_mbs; /* from here to it, 10^6 bytes a second, inside ssh */
    double latency_ms;    /* of a round trip */
} bramble_node;
BRAMBLE_API void bramble_cluster_node(const bramble_cluster *cluster, size_t i, bramble_node *node);

/* All of that as one line of JSON (docs/formats.md): *json is the caller's, release with
 * bramble_string_free. And read again, without the machines. */
BRAMBLE_API bramble_status bramble_cluster_record(const bramble_cluster *cluster, char **json,
                                                  bramble_error *error);
BRAMBLE_API bramble_status bramble_cluster_record_write(const bramble_cluster *cluster, const char *path,
                                                        bramble_error *error);
BRAMBLE_API bramble_status bramble_cluster_record_read(bramble_cluster **out, const char *path,
                                                       bramble_error *error);

typedef enum bramble_install_outcome {
    BRAMBLE_INSTALLED = 0,    /* it is there now */
    BRAMBLE_INSTALLED_BEFORE, /* it was there, or needs none */
    BRAMBLE_INSTALL_FAILED,
} bramble_install_outcome;

/* What became of one node. */
typedef struct bramble_installed {
    const char *node;
    bramble_install_outcome outcome;
    const char *arch; /* "aarch64"; "" when it did not answer */
    const char *text; /* where it is, or what went wrong and what to do, in one line */
} bramble_installed;

typedef struct bramble_install_options {
    void (*tell)(const bramble_installed *installed, void *context); /* called for each node */
    bool (*go_on)(void *context); /* asked some times a second; false: BRAMBLE_ERR_CANCELLED. Or NULL */
    void *context;
} bramble_install_options;

/*
 * Copies bramble to the nodes over ssh, to ~/.local/bin/bramble or where the file says it is: the first of
 * `programs` that is for the node's processor, else this very program, else a build in arm64/ beside it. What
 * is the same already stays. Each appears whole, checked, or not at all.
 */
BRAMBLE_API bramble_status bramble_cluster_install(bramble_cluster *cluster, const char *const *programs,
                                                   size_t n_programs, const bramble_install_options *options,
                                                   bramble_error *error);

typedef enum bramble_check_result {
    BRAMBLE_CHECK_OK = 0,
    BRAMBLE_CHECK_WARNING, /* a run can start; its owner should see to it all the same */
    BRAMBLE_CHECK_FAILED,
    BRAMBLE_CHECK_SKIPPED, /* what it needs is not there yet */
} bramble_check_result;

/* One step between blank machines and a working cluster. */
typedef struct bramble_check {
    const char *node; /* NULL: of the cluster as a whole */
    const char *name; /* "ssh", "mpi", ... (docs/cluster.md) */
    bramble_check_result result;
    const char *text; /* what was found, or what is wrong and what to type, in one line; for the call only */
} bramble_check;

typedef struct bramble_doctor_options {
    void (*tell)(const bramble_check *check, void *context); /* called for each check, as it is done */
    bool (*go_on)(void *context); /* asked some times a second; false: BRAMBLE_ERR_CANCELLED. Or NULL */
    void *context;
} bramble_doctor_options;

/* Tries every step on every node, and a small MPI job on all that can be used. */
BRAMBLE_API bramble_status bramble_cluster_doctor(bramble_cluster *cluster,
                                                  const bramble_doctor_options *options,
                                                  bramble_error *error);

/* For programs that mpiexec started on the doctor's behalf: meets the other ranks, says so on stdout. */
BRAMBLE_API bramble_status bramble_mpi_check(bramble_error *error);

/* For programs that stand for MPI's daemon on a node: becomes `words` (a program and its arguments, NULL at
 * the end), whose TCP sockets listen on `network` ("10.0.0.0/24") alone. Returns only when that fails. */
BRAMBLE_API bramble_status bramble_confine(const char *network, const char *const *words,
                                           bramble_error *error);

/* What this machine says about itself as one line of JSON; *json as above. With `measure` it also runs its
 * kernels on all cores, which takes two seconds. */
BRAMBLE_API bramble_status bramble_node_report(char **json, bool measure, bramble_error *error);

#ifdef __cplusplus
}
#endif
#endif
