#include "cluster/doctor.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "cluster/doctor_steps.h"
#include "cluster/node_hardware.h"

static const double PROBE_SECONDS = 20;

void doctor_say(const struct doctor *doctor, const struct node *node, const char *name,
                enum check_result result, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    doctor->tell(&(struct doctor_check){node, name, result, text}, doctor->context);
}

static void look_here(struct doctor *doctor)
{
    if (program_on_path("mpiexec.openmpi"))
        doctor_say(doctor, NULL, "mpiexec", CHECK_OK, "Open MPI's is here");
    else
        doctor_say(doctor, NULL, "mpiexec", CHECK_FAILED, "is not here; run: sudo apt install openmpi-bin");
}

static void tell_node(struct doctor *doctor, size_t i, const struct node_report *ours)
{
    const struct node *node = &doctor->cluster->nodes[i];
    const struct node_state *state = &doctor->states[i];
    if (!doctor->reached[i]) return;
    if (!state->report.program) {
        doctor_say(doctor, node, "bramble", CHECK_FAILED, "%s", state->problem);
        return;
    }
    for (const struct node_check *check = node_checks; check->name; check++) {
        char text[256];
        enum check_result result = check->look(&state->report, ours, node, text, sizeof text);
        doctor_say(doctor, node, check->name, result, "%s", text);
    }
}

/* Every node's own report, one check at a time. */
static bramble_status look_at_nodes(struct doctor *doctor, bramble_error *error)
{
    const struct cluster *cluster = doctor->cluster;
    struct node_report ours;
    bramble_status status = node_report_self(&ours, error);
    if (status) return status;
    status = probe_nodes(doctor->remote, cluster->nodes, cluster->n_nodes, false, PROBE_SECONDS,
                         doctor->states, doctor->go_on, doctor->context, error);
    for (size_t i = 0; i < cluster->n_nodes && !status; i++) tell_node(doctor, i, &ours);
    node_report_fini(&ours);
    return status;
}

bramble_status doctor_run(struct remote *remote, const struct cluster *cluster, doctor_tell *tell,
                          bool (*go_on)(void *context), void *context, bramble_error *error)
{
    struct doctor doctor = {.remote = remote, .cluster = cluster, .tell = tell, .go_on = go_on};
    doctor.context = context;
    doctor.reached = mem_zalloc(cluster->n_nodes, sizeof *doctor.reached);
    doctor.states = mem_zalloc(cluster->n_nodes, sizeof *doctor.states);
    bramble_status status = BRAMBLE_OK;
    if (!doctor.reached || !doctor.states) status = error_memory(error, "the doctor");
    if (!status) look_here(&doctor);
    if (!status) status = doctor_names(&doctor, error);
    if (!status) status = look_at_nodes(&doctor, error);
    if (!status) status = doctor_mpi(&doctor, error);
    for (size_t i = 0; doctor.states && i < cluster->n_nodes; i++) node_state_fini(&doctor.states[i]);
    mem_free(doctor.states);
    mem_free(doctor.reached);
    return status;
}
