#include "cluster/probe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "cluster/link.h"

enum { NO_PROGRAM = 96, CANNOT_RUN = 126, NOT_FOUND = 127, USAGE = 2 };

static const double LINK_SECONDS = 10; /* at most, for one node's link */

void node_state_fini(struct node_state *state)
{
    node_report_fini(&state->report);
}

/* A shell's lines that leave in $f the program to ask: of those there are the first of this very version,
 * else the first. */
static void put_search(struct str *out)
{
    str_puts(out, "f=\nfor p in \"$(command -v bramble)\" \"$HOME/.local/bin/bramble\"; do\n"
                  "[ -x \"$p\" ] || continue\n"
                  "if [ \"$(\"$p\" --version 2>/dev/null)\" = 'bramble " BRAMBLE_VERSION
                  "' ]; then f=$p; break; fi\n"
                  "f=${f:-$p}\ndone\n");
    str_printf(out, "[ \"$f\" ] || exit %d\n", NO_PROGRAM);
}

/* What a node's shell is to do to report; one round trip. It ends by itself should we be gone. */
static char *report_command(const struct node *node, const char *own_program, bool measure,
                            double deadline_seconds)
{
    struct str command = {0};
    const char *same = node->local || node->slurm ? own_program : NULL; /* a job's nodes share their disks */
    const char *program = node->program ? node->program : same;
    if (program) {
        str_puts(&command, "f=");
        remote_quote_program(&command, program);
        str_puts(&command, "\n");
    } else {
        put_search(&command);
    }
    str_printf(&command, "exec timeout %.0f \"$f\" node-report%s", ceil(deadline_seconds) + 1,
               measure ? " --measure" : "");
    return str_take(&command);
}

/* The program that runs now, when it is bramble itself and not another one with our library in it. */
static const char *own_bramble(const struct node_report *ours)
{
    const char *slash = strrchr(ours->program, '/');
    return slash && strcmp(slash + 1, "bramble") == 0 ? ours->program : NULL;
}

/* The line that is the report; a login script there may have said something before it. */
static bool find_report(struct node_report *report, const struct str *output)
{
    const char *line = output->data;
    while (line && *line) {
        size_t length = strcspn(line, "\n");
        if (*line == '{' && node_report_from_json(report, line, length)) return true;
        line += length + (line[length] == '\n');
    }
    return false;
}

static void explain_silence(struct node_state *state, const struct remote_command *command)
{
    const char *errors = command->errors.data ? command->errors.data : "", *library;
    static const char lacking[] = "error while loading shared libraries: ";
    size_t size = sizeof state->problem;
    if (command->node->slurm && (command->exit_code == NO_PROGRAM || command->exit_code == NOT_FOUND))
        snprintf(state->problem, size,
                 "bramble is not there; put it in a folder that all nodes of the job share");
    else if (command->exit_code == NO_PROGRAM)
        snprintf(state->problem, size, "bramble is not there; run: bramble cluster install --cluster FILE");
    else if ((library = strstr(errors, lacking)))
        snprintf(state->problem, size, "bramble there lacks %.*s; on it: sudo apt install " NODE_PACKAGES,
                 (int)strcspn(library + strlen(lacking), ":\n"), library + strlen(lacking));
    else if (command->exit_code == CANNOT_RUN || strstr(errors, "Exec format error"))
        snprintf(state->problem, size,
                 "bramble there is for another processor; run: bramble cluster install --cluster FILE");
    else if (command->exit_code == NOT_FOUND && command->node->program)
        snprintf(state->problem, size, "there is no %.100s; correct program = in the cluster file",
                 command->node->program);
    else if (command->exit_code == USAGE)
        snprintf(state->problem, size,
                 "bramble there is an older one; run: bramble cluster install --cluster FILE");
    else
        remote_explain(command, state->problem, size);
}

static void take_answer(struct node_state *state, const struct remote_command *command,
                        const struct node_report *ours)
{
    *state = (struct node_state){0};
    if (command->outcome != REMOTE_DONE) {
        state->gone = command->outcome == REMOTE_GONE;
        remote_explain(command, state->problem, sizeof state->problem);
        return;
    }
    if (!find_report(&state->report, &command->output)) {
        explain_silence(state, command);
        return;
    }
    state->report.clock_offset_seconds = state->report.clock_seconds - command->ended;
    state->usable =
        node_report_judge(&state->report, ours, command->node, state->problem, sizeof state->problem);
}

static bramble_status ask_all(struct remote *remote, struct remote_command *commands, size_t n,
                              const struct node_report *ours, bool measure, double deadline_seconds,
                              struct node_state *states, bool (*go_on)(void *context), void *context,
                              bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    for (size_t i = 0; i < n && !status; i++) {
        commands[i].command = report_command(commands[i].node, own_bramble(ours), measure, deadline_seconds);
        if (!commands[i].command) status = error_memory(error, "the nodes' reports");
    }
    if (!status) status = remote_run(remote, commands, n, deadline_seconds, go_on, context, error);
    for (size_t i = 0; i < n && !status; i++)
        if (commands[i].outcome == REMOTE_CANCELLED)
            status = error_set(error, BRAMBLE_ERR_CANCELLED, "stopped while the nodes were asked");
    for (size_t i = 0; i < n; i++) {
        if (!status) take_answer(&states[i], &commands[i], ours);
        mem_free((char *)commands[i].command);
        str_fini(&commands[i].output);
        str_fini(&commands[i].errors);
    }
    return status;
}

/* One after the other: our own end is shared. */
static void measure_links(struct remote *remote, const struct node *nodes, size_t n,
                          struct node_state *states, bool (*go_on)(void *context), void *context)
{
    for (size_t i = 0; i < n && (!go_on || go_on(context)); i++)
        if (states[i].report.program)
            link_measure(remote, &nodes[i], LINK_SECONDS, &states[i].report.latency_ms,
                         &states[i].report.bandwidth_mbs);
}

bramble_status probe_nodes(struct remote *remote, const struct node *nodes, size_t n, bool measure,
                           double deadline_seconds, struct node_state *states, bool (*go_on)(void *context),
                           void *context, bramble_error *error)
{
    struct node_report ours;
    bramble_status status = node_report_self(&ours, error);
    if (status) return status;
    struct remote_command *commands = mem_zalloc(n, sizeof *commands);
    for (size_t i = 0; i < n && commands; i++)
        commands[i] = (struct remote_command){.node = &nodes[i], .input = -1};
    if (commands)
        status =
            ask_all(remote, commands, n, &ours, measure, deadline_seconds, states, go_on, context, error);
    else
        status = error_memory(error, "the nodes' reports");
    if (!status && measure) measure_links(remote, nodes, n, states, go_on, context);
    mem_free(commands);
    node_report_fini(&ours);
    return status;
}
