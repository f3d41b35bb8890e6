#include "cluster/install.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/probe.h"

enum { SUM_LENGTH = 64, WRONG_SUM = 97, CANNOT_START = 98 };

static const char default_program[] = "~/.local/bin/bramble";
static const double ASK_SECONDS = 20, COPY_SECONDS = 300;

/* A program that can be given to nodes. */
struct offer {
    const char *path, *arch;
    char sum[SUM_LENGTH + 1];
};

struct installing {
    struct remote *remote;
    const struct node *nodes;
    size_t n;
    struct offer *offers;
    size_t n_offers;
    struct install_result *results;
    struct remote_command *commands; /* n */
    const struct offer **chosen;     /* n: what a node is to get, or NULL */
    bool (*go_on)(void *context);
    void *context;
};

static const char *target(const struct node *node)
{
    return node->program ? node->program : default_program;
}

static void say(struct install_result *result, enum install_outcome outcome, const char *text)
{
    result->outcome = outcome;
    snprintf(result->text, sizeof result->text, "%s", text);
}

static void commands_fini(struct installing *in)
{
    for (size_t i = 0; i < in->n; i++) {
        mem_free((char *)in->commands[i].command);
        if (in->commands[i].input >= 0) close(in->commands[i].input);
        str_fini(&in->commands[i].output);
        str_fini(&in->commands[i].errors);
    }
    memset(in->commands, 0, in->n * sizeof *in->commands);
    for (size_t i = 0; i < in->n; i++) in->commands[i].input = -1;
}

/* Runs the commands of those nodes that have one; false as remote_run. */
static bramble_status run_all(struct installing *in, double seconds, bramble_error *error)
{
    struct remote_command *some = mem_alloc(in->n, sizeof *some);
    size_t *of = mem_alloc(in->n, sizeof *of), n = 0;
    bramble_status status = some && of ? BRAMBLE_OK : error_memory(error, "installing");
    for (size_t i = 0; i < in->n && !status; i++) {
        if (!in->commands[i].command) continue;
        of[n] = i;
        some[n++] = in->commands[i];
    }
    if (!status && n) status = remote_run(in->remote, some, n, seconds, in->go_on, in->context, error);
    for (size_t k = 0; k < n && !status; k++)
        if (some[k].outcome == REMOTE_CANCELLED)
            status = error_set(error, BRAMBLE_ERR_CANCELLED, "stopped; what was not copied yet is as it was");
    for (size_t k = 0; k < n; k++) in->commands[of[k]] = some[k];
    mem_free(some);
    mem_free(of);
    return status;
}

/* What the node is and what is there now. */
static char *question(const struct node *node)
{
    struct str text = {0};
    str_puts(&text, "uname -m\nsha256sum ");
    remote_quote_program(&text, target(node));
    str_puts(&text, " 2>/dev/null || :");
    return str_take(&text);
}

/* Exits by itself at the first thing that goes wrong, and leaves nothing then. */
static char *copy_command(const struct node *node, const char *sum)
{
    struct str text = {0};
    str_puts(&text, "set -e\np=");
    remote_quote_program(&text, target(node));
    str_printf(&text,
               "\nmkdir -p \"${p%%/*}\"\nt=$p.new.$$\ntrap 'rm -f \"$t\"' EXIT\ntrap 'exit 1' HUP INT TERM\n"
               "cat >\"$t\"\n[ \"$(sha256sum <\"$t\" | cut -c1-64)\" = %s ] || exit %d\nchmod 755 \"$t\"\n"
               "\"$t\" --version >/dev/null || exit %d\nmv -f \"$t\" \"$p\"\n",
               sum, WRONG_SUM, CANNOT_START);
    return str_take(&text);
}

static bool is_sum(const char *text)
{
    return strspn(text, "0123456789abcdef") == SUM_LENGTH;
}

/* The programs' own sums, by the same tool that nodes use. */
static bramble_status sum_offers(struct installing *in, bramble_error *error)
{
    const struct node here = {.name = "this machine", .host = "localhost", .local = true};
    bramble_status status = BRAMBLE_OK;
    for (size_t i = 0; i < in->n_offers && !status; i++) {
        struct str text = {0};
        struct remote_command command = {.node = &here, .input = -1};
        str_puts(&text, "sha256sum <");
        remote_quote(&text, in->offers[i].path);
        if (text.failed) return error_memory(error, "installing");
        command.command = text.data;
        status = remote_run(in->remote, &command, 1, ASK_SECONDS, in->go_on, in->context, error);
        const char *sum = command.output.data ? command.output.data : "";
        if (!status && !is_sum(sum))
            status = error_set(error, BRAMBLE_ERR_IO, "%s: its checksum cannot be made; is sha256sum there?",
                               in->offers[i].path);
        if (!status) snprintf(in->offers[i].sum, sizeof in->offers[i].sum, "%s", sum);
        str_fini(&text);
        str_fini(&command.output);
        str_fini(&command.errors);
    }
    return status;
}

static void choose(struct installing *in, size_t i)
{
    struct install_result *result = &in->results[i];
    const struct remote_command *command = &in->commands[i];
    char there[128] = "", text[200];
    if (command->outcome != REMOTE_DONE || command->exit_code != 0) {
        remote_explain(command, text, sizeof text);
        say(result, INSTALL_FAILED, text);
        return;
    }
    if (!command->output.data || sscanf(command->output.data, "%15s %127s", result->arch, there) < 1) {
        say(result, INSTALL_FAILED, "does not say what processor it has; try: ssh there, uname -m");
        return;
    }
    for (size_t k = 0; k < in->n_offers && !in->chosen[i]; k++)
        if (strcmp(in->offers[k].arch, result->arch) == 0) in->chosen[i] = &in->offers[k];
    if (!in->chosen[i]) {
        snprintf(text, sizeof text,
                 "no program for %s at hand; build one there, and name it with --program FILE", result->arch);
        say(result, INSTALL_FAILED, text);
    } else if (strcmp(there, in->chosen[i]->sum) == 0) {
        snprintf(text, sizeof text, "%.150s is this one already", target(&in->nodes[i]));
        say(result, INSTALL_THERE, text);
        in->chosen[i] = NULL;
    }
}

static void explain_copy(struct install_result *result, const struct remote_command *command,
                         const char *path)
{
    char text[256];
    if (command->outcome != REMOTE_DONE) {
        remote_explain(command, text, sizeof text);
    } else if (command->exit_code == 0) {
        snprintf(text, sizeof text, "%.150s (%s) in %.1f s", path, result->arch, command->seconds);
        say(result, INSTALL_DONE, text);
        return;
    } else if (command->exit_code == WRONG_SUM) {
        snprintf(text, sizeof text, "what came there is not what was sent; is its disk full? Try again");
    } else if (command->exit_code == CANNOT_START) {
        snprintf(text, sizeof text,
                 "bramble cannot start there; on it, run: sudo apt install " NODE_PACKAGES);
    } else {
        remote_explain(command, text, sizeof text);
    }
    say(result, INSTALL_FAILED, text);
}

static bramble_status ask(struct installing *in, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    for (size_t i = 0; i < in->n && !status; i++) {
        in->commands[i].node = &in->nodes[i];
        if (in->nodes[i].local) {
            say(&in->results[i], INSTALL_THERE, "this machine runs it");
            continue;
        }
        in->commands[i].command = question(&in->nodes[i]);
        if (!in->commands[i].command) status = error_memory(error, "installing");
    }
    if (!status) status = run_all(in, ASK_SECONDS, error);
    for (size_t i = 0; i < in->n && !status; i++)
        if (in->commands[i].command) choose(in, i);
    commands_fini(in);
    return status;
}

static bramble_status copy(struct installing *in, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    for (size_t i = 0; i < in->n && !status; i++) {
        if (!in->chosen[i]) continue;
        in->commands[i].node = &in->nodes[i];
        in->commands[i].command = copy_command(&in->nodes[i], in->chosen[i]->sum);
        in->commands[i].input = open(in->chosen[i]->path, O_RDONLY | O_CLOEXEC);
        if (!in->commands[i].command)
            status = error_memory(error, "installing");
        else if (in->commands[i].input < 0)
            status =
                error_set(error, BRAMBLE_ERR_IO, "%s: cannot open: %s", in->chosen[i]->path, strerror(errno));
    }
    if (!status) status = run_all(in, COPY_SECONDS, error);
    for (size_t i = 0; i < in->n && !status; i++)
        if (in->chosen[i]) explain_copy(&in->results[i], &in->commands[i], target(&in->nodes[i]));
    commands_fini(in);
    return status;
}

static bramble_status take_offers(struct installing *in, const char *const *programs, bramble_error *error)
{
    for (size_t k = 0; k < in->n_offers; k++) {
        in->offers[k] = (struct offer){.path = programs[k], .arch = program_arch(programs[k])};
        if (!in->offers[k].arch)
            return error_set(error, BRAMBLE_ERR_DATA,
                             "%s: no program for a processor known here; name a built bramble", programs[k]);
    }
    return sum_offers(in, error);
}

bramble_status install_on_nodes(struct remote *remote, const struct node *nodes, size_t n,
                                const char *const *programs, size_t n_programs,
                                struct install_result *results, bool (*go_on)(void *context), void *context,
                                bramble_error *error)
{
    struct installing in = {
        .remote = remote, .nodes = nodes, .n = n, .n_offers = n_programs, .results = results};
    in.go_on = go_on;
    in.context = context;
    in.offers = mem_zalloc(n_programs, sizeof *in.offers);
    in.commands = mem_zalloc(n, sizeof *in.commands);
    in.chosen = mem_zalloc(n, sizeof *in.chosen);
    bramble_status status = BRAMBLE_OK;
    if (!in.offers || !in.commands || !in.chosen) status = error_memory(error, "installing");
    for (size_t i = 0; i < n && !status; i++) {
        in.commands[i].input = -1;
        results[i] = (struct install_result){0};
    }
    if (!status) status = take_offers(&in, programs, error);
    if (!status) status = ask(&in, error);
    if (!status) status = copy(&in, error);
    mem_free(in.offers);
    mem_free(in.commands);
    mem_free(in.chosen);
    return status;
}
