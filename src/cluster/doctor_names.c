/* Names both ways: where ssh goes for a node, and what that node takes this machine for. */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "cluster/doctor_steps.h"

enum { ADDRESS = 64, NAME = 256 };

static const double SSH_SECONDS = 15;

/* The value of a line "key value" of a command's output into buffer; false when there is none. */
static bool find_value(const struct str *output, const char *key, char *buffer, size_t size)
{
    size_t length = strlen(key);
    for (const char *line = output->data; line && *line; line = strchr(line, '\n'), line += line != NULL) {
        if (strncmp(line, key, length) != 0 || line[length] != ' ') continue;
        snprintf(buffer, size, "%.*s", (int)strcspn(line + length + 1, "\r\n"), line + length + 1);
        return true;
    }
    return false;
}

/* True when a line "key value" is there. */
static bool has_value(const struct str *output, const char *key, const char *value)
{
    struct str line = {0};
    str_printf(&line, "%s %s\n", key, value);
    bool found = line.data && output->data && strstr(output->data, line.data);
    str_fini(&line);
    return found;
}

/* The host that ssh's configuration makes of a node's. False when ssh cannot say. */
static bool ssh_host(struct doctor *doctor, const struct node *node, char host[NAME], bool *jumps)
{
    if (node->slurm) {
        snprintf(host, NAME, "%s", node->host);
        *jumps = false;
        return true;
    }
    const struct node here = {.name = "this machine", .host = "localhost", .local = true};
    struct str text = {0};
    str_printf(&text, "%s -G -- ", remote_agent(doctor->remote));
    remote_quote(&text, node->host);
    struct remote_command command = {.node = &here, .command = text.data, .input = -1};
    bool fine = !text.failed && remote_run(doctor->remote, &command, 1, SSH_SECONDS, doctor->go_on,
                                           doctor->context, NULL) == BRAMBLE_OK;
    char jump[NAME];
    fine = fine && find_value(&command.output, "hostname", host, NAME);
    *jumps = fine && (find_value(&command.output, "proxyjump", jump, sizeof jump) ||
                      find_value(&command.output, "proxycommand", jump, sizeof jump));
    str_fini(&text);
    str_fini(&command.output);
    str_fini(&command.errors);
    return fine;
}

static bool resolve(const char *host, char address[ADDRESS])
{
    struct addrinfo *found, hints = {.ai_socktype = SOCK_STREAM};
    if (getaddrinfo(host, NULL, &hints, &found) != 0) return false;
    bool fine =
        getnameinfo(found->ai_addr, found->ai_addrlen, address, ADDRESS, NULL, 0, NI_NUMERICHOST) == 0;
    freeaddrinfo(found);
    return fine;
}

static void check_name(struct doctor *doctor, const struct node *node)
{
    char host[NAME], address[ADDRESS];
    bool jumps;
    if (!ssh_host(doctor, node, host, &jumps))
        doctor_say(doctor, node, "name", CHECK_FAILED, "ssh does not take %.100s for a host; try: ssh %.100s",
                   node->host, node->host);
    else if (resolve(host, address))
        doctor_say(doctor, node, "name", CHECK_OK, "%.100s is %s", node->host, address);
    else if (jumps)
        doctor_say(doctor, node, "name", CHECK_WARNING,
                   "is reached through another machine; MPI needs a direct way");
    else
        doctor_say(
            doctor, node, "name", CHECK_FAILED,
            "no machine named %.100s is known here; write its address as host, or add it to /etc/hosts",
            host);
}

/* What the node's side of the connection says of us. */
static void check_back(struct doctor *doctor, const struct node *node, const char *own,
                       const struct str *output)
{
    char from[ADDRESS], known[ADDRESS];
    if (!find_value(output, "from", from, sizeof from) || !from[0])
        doctor_say(doctor, node, "name back", CHECK_SKIPPED, "it does not say where ssh came from");
    else if (has_value(output, "getent", "missing"))
        doctor_say(doctor, node, "name back", CHECK_SKIPPED, "it has no getent to ask");
    else if (has_value(output, "name", from))
        doctor_say(doctor, node, "name back", CHECK_OK, "knows %.60s as %s", own, from);
    else if (find_value(output, "name", known, sizeof known))
        doctor_say(doctor, node, "name back", CHECK_WARNING,
                   "takes %.60s for %s, but it is %s; correct /etc/hosts there", own, known, from);
    else
        doctor_say(doctor, node, "name back", CHECK_WARNING,
                   "does not know %.60s; should MPI fail, add to /etc/hosts there: %s %.60s", own, from, own);
}

static void check_ssh(struct doctor *doctor, size_t i, const struct remote_command *command, const char *own)
{
    const struct node *node = command->node;
    const char *way = node->slurm ? "srun" : "ssh";
    char text[256];
    doctor->reached[i] = command->outcome == REMOTE_DONE;
    remote_explain(command, text, sizeof text);
    if (doctor->reached[i])
        doctor_say(doctor, node, way, CHECK_OK, "answers in %.1f s", command->seconds);
    else
        doctor_say(doctor, node, way, CHECK_FAILED, "%s", text);
    if (doctor->reached[i] && !node->slurm) check_back(doctor, node, own, &command->output);
}

/* Our name, as others on the network may know it. */
static void read_own_name(char own[NAME])
{
    if (gethostname(own, NAME - 1) != 0) own[0] = 0;
    own[NAME - 1] = 0;
}

static char *back_command(const char *own)
{
    struct str text = {0};
    str_puts(&text, "echo \"from ${SSH_CONNECTION%% *}\"\n"
                    "command -v getent >/dev/null || echo 'getent missing'\ngetent ahosts ");
    remote_quote(&text, own);
    str_puts(&text, " | sed 's/^\\([^ ]*\\).*/name \\1/'");
    return str_take(&text);
}

bramble_status doctor_names(struct doctor *doctor, bramble_error *error)
{
    const struct cluster *cluster = doctor->cluster;
    size_t first = cluster->n_nodes && cluster->nodes[0].local, n = cluster->n_nodes - first;
    char own[NAME];
    read_own_name(own);
    char *text = back_command(own);
    struct remote_command *commands = mem_zalloc(n, sizeof *commands);
    bramble_status status = text && commands ? BRAMBLE_OK : error_memory(error, "the doctor");
    if (first) doctor->reached[0] = true;
    for (size_t i = 0; i < n && !status; i++) {
        commands[i] =
            (struct remote_command){.node = &cluster->nodes[first + i], .command = text, .input = -1};
        check_name(doctor, commands[i].node);
    }
    if (!status && n)
        status = remote_run(doctor->remote, commands, n, SSH_SECONDS, doctor->go_on, doctor->context, error);
    for (size_t i = 0; commands && i < n; i++) {
        if (!status && commands[i].outcome == REMOTE_CANCELLED)
            status = error_set(error, BRAMBLE_ERR_CANCELLED, "stopped while the nodes were looked at");
        if (!status) check_ssh(doctor, first + i, &commands[i], own);
        str_fini(&commands[i].output);
        str_fini(&commands[i].errors);
    }
    mem_free(commands);
    mem_free(text);
    return status;
}
