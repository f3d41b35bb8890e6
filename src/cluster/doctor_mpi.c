/* MPI really across the nodes: the same launch as a run's, with ranks that only meet each other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/paths.h"
#include "cluster/confine.h"
#include "cluster/doctor_steps.h"
#include "cluster/launch.h"
#include "cluster/mpi_check.h"

static const double JOB_SECONDS = 25, ALONE_SECONDS = 12; /* MPI over ssh starts in a second or two */

struct job {
    struct member *members; /* ranks 1..n_members */
    size_t n_members;
    char folder[32], log[48];
    uint8_t *met; /* (n_members + 1)^2, as mpi_check_read leaves it */
};

/* Remote nodes that can be used; the local one when there is no other. */
static void choose_members(const struct doctor *doctor, struct job *job)
{
    const struct cluster *cluster = doctor->cluster;
    for (int local = 0; local < 2 && !job->n_members; local++)
        for (size_t i = 0; i < cluster->n_nodes; i++)
            if (cluster->nodes[i].local == local && doctor->states[i].usable)
                job->members[job->n_members++] =
                    (struct member){&cluster->nodes[i], doctor->states[i].report.program, 1};
}

static bool asked_to_stop(const struct doctor *doctor)
{
    return doctor->go_on && !doctor->go_on(doctor->context);
}

static bramble_status run_job(const struct doctor *doctor, struct job *job, const char *own, double seconds,
                              bramble_error *error)
{
    struct launch_plan plan = {.cluster = doctor->cluster,
                               .members = job->members,
                               .n_members = job->n_members,
                               .program = own,
                               .command = "mpi-check",
                               .agent = remote_agent(doctor->remote),
                               .log = job->log};
    const struct timespec pause = {.tv_nsec = 10000000};
    struct launch *launch;
    int exit_code;
    bramble_status status = launch_start(&launch, &plan, error);
    if (status) return status;
    for (double until = clock_seconds() + seconds; !launch_ended(launch, &exit_code);) {
        if (asked_to_stop(doctor))
            status = error_set(error, BRAMBLE_ERR_CANCELLED, "stopped while MPI was tried");
        if (status || clock_seconds() > until) break;
        nanosleep(&pause, NULL);
    }
    launch_free(launch);
    FILE *log = fopen(job->log, "re");
    if (log) mpi_check_read(log, job->n_members + 1, job->met);
    if (log) fclose(log);
    return status;
}

static const char *name_of(const struct job *job, size_t rank)
{
    return rank ? job->members[rank - 1].node->name : "this machine";
}

/* No node at all was met: tries each alone, and names those that cannot be reached then either. */
static void tell_culprits(const struct doctor *doctor, const struct job *all, const char *own,
                          const char *words)
{
    size_t culprits = 0;
    for (size_t i = 0; i < all->n_members && all->n_members > 1; i++) {
        uint8_t met[4] = {0};
        struct job job = *all;
        job.members = all->members + i;
        job.n_members = 1;
        job.met = met;
        if (run_job(doctor, &job, own, ALONE_SECONDS, NULL) == BRAMBLE_OK && met[1] && met[2]) continue;
        culprits++;
        doctor_say(
            doctor, job.members->node, "mpi", CHECK_FAILED,
            "MPI does not start there; is a firewall on it? Open the ports of ports = to all machines");
    }
    doctor_say(doctor, NULL, "mpi", CHECK_FAILED, "does not start%s%s%s", words[0] ? ": " : "", words,
               culprits ? ", for the nodes above"
                        : "; is a firewall on the nodes? Open the ports of ports = to them");
}

static void tell_open(const struct doctor *doctor, const struct job *job)
{
    size_t n = job->n_members + 1;
    for (size_t i = 0; i < n; i++)
        if (job->met[i * n + i])
            doctor_say(doctor, i ? job->members[i - 1].node : NULL, "mpi", CHECK_WARNING, CONFINE_PROBLEM);
}

/* Which pairs did not meet: the first of them, and how many. */
static void tell_strangers(const struct doctor *doctor, const struct job *job, const char *own)
{
    size_t n = job->n_members + 1, strangers = 0, met = 0, first[2] = {0, 0};
    char words[160];
    uint32_t rank;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i + 1; j < n; j++) {
            bool both = job->met[i * n + j] && job->met[j * n + i];
            met += both;
            if (both || strangers++) continue;
            first[0] = i;
            first[1] = j;
        }
    }
    launch_diagnose(job->log, words, sizeof words, &rank);
    if (!strangers)
        doctor_say(doctor, NULL, "mpi", CHECK_OK, "%zu ranks met each other", n);
    else if (!met)
        tell_culprits(doctor, job, own, words);
    else
        doctor_say(
            doctor, NULL, "mpi", CHECK_FAILED,
            "%s and %s cannot reach each other (%zu pairs in all); open the ports of ports = between them",
            name_of(job, first[0]), name_of(job, first[1]), strangers);
}

bramble_status doctor_mpi(struct doctor *doctor, bramble_error *error)
{
    size_t n = doctor->cluster->n_nodes;
    struct job job = {.folder = "/tmp/bramble-XXXXXX"};
    char *own = program_path();
    bramble_error why = {0};
    job.members = mem_zalloc(n, sizeof *job.members);
    job.met = mem_zalloc((n + 1) * (n + 1), 1);
    bramble_status status = own && job.members && job.met ? BRAMBLE_OK : error_memory(error, "the doctor");
    if (!status) choose_members(doctor, &job);
    if (!status && !mkdtemp(job.folder))
        status = error_set(error, BRAMBLE_ERR_IO, "/tmp: cannot make a folder there");
    if (!status && job.n_members) {
        snprintf(job.log, sizeof job.log, "%s/log", job.folder);
        bramble_status tried = run_job(doctor, &job, own, JOB_SECONDS, &why);
        if (tried == BRAMBLE_ERR_CANCELLED)
            status = error_set(error, tried, "%s", why.message);
        else if (tried)
            doctor_say(doctor, NULL, "mpi", CHECK_FAILED, "%s", why.message);
        else
            tell_strangers(doctor, &job, own);
        tell_open(doctor, &job);
        unlink(job.log);
    } else if (!status) {
        doctor_say(doctor, NULL, "mpi", CHECK_SKIPPED, "there is no node to try it with yet");
    }
    rmdir(job.folder);
    mem_free(job.members);
    mem_free(job.met);
    mem_free(own);
    return status;
}
