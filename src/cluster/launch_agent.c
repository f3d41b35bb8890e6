#include "cluster/launch_agent.h"

#include <stdio.h>

#include "cluster/confine.h"
#include "cluster/remote.h"

bool launch_agent_needed(const struct launch_plan *plan)
{
    for (size_t i = 0; i < plan->n_members; i++)
        if (!plan->members[i].node->local && !plan->members[i].node->slurm) return true;
    return false;
}

/* The node's bramble, as one word of the script that is several to the node's shell. */
static void quote_daemon(struct str *script, const char *program, const char *network)
{
    struct str remote = {0};
    remote_quote(&remote, program);
    str_printf(&remote, CONFINED_DAEMON, network);
    if (remote.data) remote_quote(script, remote.data);
    script->failed |= remote.failed;
    str_fini(&remote);
}

bool launch_agent_write(const struct launch_plan *plan, const char *network, const char *path)
{
    struct str script = {0};
    str_puts(&script, "user= daemon=\nfor word; do\nshift\ncase $daemon:${word# } in\n");
    for (size_t i = 0; i < plan->n_members; i++) {
        const struct node *node = plan->members[i].node;
        if (node->local) continue;
        str_puts(&script, ":");
        remote_quote(&script, node->host);
        str_puts(&script, ") user=");
        if (node->user) remote_quote(&script, node->user);
        str_puts(&script, " daemon=");
        quote_daemon(&script, plan->members[i].program, network);
        str_puts(&script, " ;;\n");
    }
    str_printf(&script,
               "?*:orted) word=$daemon ;;\nesac\nset -- \"$@\" \"$word\"\ndone\nexec %s ${user:+-l "
               "\"$user\"} \"$@\"\n",
               plan->agent);
    FILE *file = script.failed ? NULL : fopen(path, "we");
    bool good = file && fwrite(script.data, 1, script.length, file) == script.length;
    if (file && fclose(file) != 0) good = false;
    str_fini(&script);
    return good;
}
