#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/cluster_handle.h"
#include "api/engine_handle.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/str.h"
#include "cluster/rank.h"
#include "train/net_pipeline.h"
#include "train/net_together.h"
#include "train/sharded_farm.h"
#include "train/tree_farm.h"

static void pass_on(void *context, const char *event, const char *node, const char *text)
{
    const struct bramble_engine *engine = context;
    if (engine->options.event) engine->options.event(engine->options.event_context, event, node, text);
}

static char *temporary_folder(void)
{
    char folder[] = "/tmp/bramble-run-XXXXXX";
    return mkdtemp(folder) ? mem_strdup(folder) : NULL;
}

static void release(bramble_engine *engine)
{
    if (engine->own_folder && engine->folder) folder_remove(engine->folder);
    mem_free(engine->folder);
    mem_free(engine->joins);
    mem_free(engine->program);
    mem_free(engine);
}

static bramble_status fill_in(bramble_engine *engine, const bramble_engine_options *options,
                              bramble_error *error)
{
    struct str joins = {0};
    engine->options = *options;
    engine->own_folder = !options->folder;
    engine->folder = options->folder ? mem_strdup(options->folder) : temporary_folder();
    engine->program = options->program ? mem_strdup(options->program) : program_path();
    str_printf(&joins, "%s/joins", engine->folder ? engine->folder : "");
    engine->joins = str_take(&joins);
    if (engine->folder && engine->program && engine->joins) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_IO, "no folder can be made in /tmp; free some space there");
}

bramble_status bramble_engine_start(bramble_engine **out, const bramble_cluster *cluster,
                                    const bramble_engine_options *options, bramble_error *error)
{
    bramble_engine *engine = mem_zalloc(1, sizeof *engine);
    if (!engine) return error_memory(error, "the engine");
    bramble_status status = fill_in(engine, options ? options : &(bramble_engine_options){0}, error);
    struct engine_options inner = {engine->program, engine->joins, pass_on, engine};
    if (!status) status = engine_start(&engine->engine, cluster->cluster, &inner, error);
    if (status)
        release(engine);
    else
        *out = engine;
    return status;
}

void bramble_engine_stop(bramble_engine *engine)
{
    if (!engine) return;
    engine_stop(engine->engine);
    release(engine);
}

/* One line, in one write: two that ask at once do not mix. */
bramble_status bramble_engine_join(const char *folder, const char *host, bramble_error *error)
{
    struct str path = {0}, line = {0};
    if (!*host || *host == '-' || strpbrk(host, " \t\r\n"))
        return error_set(error, BRAMBLE_ERR_USAGE, "'%s' is no name of a machine", host);
    str_printf(&path, "%s/joins", folder);
    str_printf(&line, "%s\n", host);
    bramble_status status = BRAMBLE_OK;
    int fd =
        path.failed || line.failed ? -1 : open(path.data, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (path.failed || line.failed)
        status = error_memory(error, "a file's name");
    else if (fd < 0 || write(fd, line.data, line.length) != (ssize_t)line.length)
        status = error_set(error, BRAMBLE_ERR_IO, "%s: cannot be written: %s", path.data, strerror(errno));
    if (fd >= 0) close(fd);
    str_fini(&path);
    str_fini(&line);
    return status;
}

bramble_member *engine_members(const struct engine_status *status)
{
    bramble_member *members = mem_zalloc(status->n_members, sizeof *members);
    for (size_t i = 0; members && i < status->n_members; i++) {
        const struct member_status *member = &status->members[i];
        members[i] = (bramble_member){member->name,    member_state_name(member->state),
                                      member->problem, member->threads,
                                      member->tasks,   member->rate};
    }
    return members;
}

bool engine_watch_status(void *context, const struct engine_status *status)
{
    const struct engine_watch *watch = context;
    if (!watch->options->progress) return true;
    bramble_member *members = engine_members(status);
    bramble_progress progress = {.trees_done = status->tasks_done,
                                 .trees_total = status->n_tasks,
                                 .seconds = clock_seconds() - watch->start,
                                 .members = members,
                                 .n_members = members ? status->n_members : 0};
    bool go_on = watch->options->progress(&progress, watch->options->progress_context);
    mem_free(members);
    return go_on;
}

bramble_status bramble_rank_run(uint32_t threads, uint64_t memory, const char *orders, const char *reports,
                                bramble_error *error)
{
    static const struct program *const programs[] = {&tree_farm, &sharded_farm, &net_together, &net_pipeline,
                                                     NULL};
    struct rank_options options = {threads, memory, orders, reports};
    return rank_run(&options, programs, error);
}
