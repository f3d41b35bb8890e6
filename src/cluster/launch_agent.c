#include "cluster/launch_agent.h"

#include <stdio.h>

#include "cluster/remote.h"

bool launch_agent_needed(const struct launch_plan *plan)
{
    for (size_t i = 0; i < plan->n_members; i++)
        if (plan->members[i].node->user && !plan->members[i].node->local) return true;
    return false;
}

bool launch_agent_write(const struct launch_plan *plan, const char *path)
{
    struct str script = {0};
    str_puts(&script, "for word; do case $word in\n");
    for (size_t i = 0; i < plan->n_members; i++) {
        const struct node *node = plan->members[i].node;
        if (!node->user || node->local) continue;
        remote_quote(&script, node->host);
        str_printf(&script, ") exec %s -l ", plan->agent);
        remote_quote(&script, node->user);
        str_puts(&script, " \"$@\" ;;\n");
    }
    str_printf(&script, "esac; done\nexec %s \"$@\"\n", plan->agent);
    FILE *file = script.failed ? NULL : fopen(path, "we");
    bool good = file && fwrite(script.data, 1, script.length, file) == script.length;
    if (file && fclose(file) != 0) good = false;
    str_fini(&script);
    return good;
}
