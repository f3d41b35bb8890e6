#include "cluster/cache_emptying.h"

#include "base/error.h"
#include "base/mem.h"

#define DEADLINE_SECONDS 20

/* The folder as base/cache_folder.h finds it. Only what blobs are called goes. */
static const char command_line[] = "cd -- \"${BRAMBLE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/bramble}\" "
                                   "2>/dev/null || exit 0; rm -f -- *.data *.made";

bramble_status caches_empty(struct remote *remote, const struct node *nodes, size_t n, bramble_error *error)
{
    struct remote_command *commands = mem_zalloc(n, sizeof *commands);
    if (!commands) return error_memory(error, "emptying caches");
    for (size_t i = 0; i < n; i++)
        commands[i] = (struct remote_command){.node = &nodes[i], .command = command_line, .input = -1};
    bramble_status status = remote_run(remote, commands, n, DEADLINE_SECONDS, NULL, NULL, error);
    for (size_t i = 0; i < n; i++) {
        char why[256];
        if (!status && (commands[i].outcome != REMOTE_DONE || commands[i].exit_code != 0)) {
            remote_explain(&commands[i], why, sizeof why);
            status =
                error_set(error, BRAMBLE_ERR_IO, "the cache of %s cannot be emptied: %s", nodes[i].name, why);
        }
        str_fini(&commands[i].output);
        str_fini(&commands[i].errors);
    }
    mem_free(commands);
    return status;
}
