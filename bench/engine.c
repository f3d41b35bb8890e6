/*
 * A training on a cluster, told as it happens: engine CLUSTER DATA TREES [FOLDER [PROGRAM]]
 *
 * One JSON object a line: {"seconds": since the launch began, "event": ...} with "node" and "text" for what
 * the engine tells, or with "done" and "members" for how far it is; the last one has "seconds" and "done"
 * under "event": "finished". FOLDER is the engine's (hosts written to FOLDER/joins join), "" for none;
 * PROGRAM the bramble that ranks are here. SIGTERM ends it in good order. Names and texts are the lab's own,
 * so nothing needs to be escaped.
 */
#include <bramble/bramble.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile sig_atomic_t stopped;

static void stop(int number)
{
    stopped = number;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tell(void *context, const char *event, const char *node, const char *text)
{
    const double *start = context;
    printf("{\"seconds\": %.3f, \"event\": \"%s\", \"node\": \"%s\", \"text\": \"", now() - *start, event,
           node ? node : "");
    for (; *text; text++) putchar(*text == '"' || *text == '\\' || (unsigned char)*text < ' ' ? ' ' : *text);
    printf("\"}\n");
    fflush(stdout);
}

static bool show(const bramble_progress *progress, void *context)
{
    const double *start = context;
    printf("{\"seconds\": %.3f, \"event\": \"progress\", \"done\": %" PRIu32 ", \"members\": {",
           now() - *start, progress->trees_done);
    for (size_t i = 0; i < progress->n_members; i++) {
        const bramble_member *member = &progress->members[i];
        printf("%s\"%s\": [\"%s\", %" PRIu32 ", %.4f]", i ? ", " : "", member->name, member->state,
               member->tasks_done, member->rate);
    }
    printf("}}\n");
    fflush(stdout);
    return !stopped;
}

static bramble_status train(char **words, const bramble_cluster *cluster, const bramble_table *table,
                            bramble_error *error)
{
    double start = now();
    bramble_engine *engine;
    bramble_model *model = NULL;
    const char *folder = words[4] && *words[4] ? words[4] : NULL, *program = words[4] ? words[5] : NULL;
    bramble_engine_options engine_options = {
        .folder = folder, .program = program, .event = tell, .event_context = &start};
    bramble_forest_options options = BRAMBLE_FOREST_OPTIONS_INIT;
    bramble_status status = bramble_engine_start(&engine, cluster, &engine_options, error);
    if (status) return status;
    options.trees = (uint32_t)strtoul(words[3], NULL, 10);
    options.engine = engine;
    options.progress = show;
    options.progress_context = &start;
    bramble_forest_stats stats;
    status = bramble_forest_train(&model, table, &options, &stats, error);
    double seconds = now() - start;
    bramble_engine_stop(engine);
    if (!status) {
        bramble_model_info info;
        bramble_model_info_get(model, &info);
        printf("{\"seconds\": %.3f, \"event\": \"finished\", \"done\": %" PRIu32
               ", \"bin_seconds\": %.3f, \"home_seconds\": %.3f, \"hash\": \"%s\"}\n",
               seconds, options.trees, stats.bin_seconds, now() - start - seconds, info.hash);
    }
    bramble_model_free(model);
    return status;
}

int main(int argc, char **argv)
{
    bramble_error error = {0};
    bramble_cluster *cluster;
    bramble_table *table;
    if (argc < 4) {
        fprintf(stderr, "usage: engine CLUSTER DATA TREES [FOLDER [PROGRAM]]\n");
        return 2;
    }
    signal(SIGTERM, stop);
    bramble_status status = bramble_cluster_read(&cluster, argv[1], &error);
    if (!status) {
        status = bramble_table_read(&table, argv[2], NULL, &error);
        if (!status) {
            status = train(argv, cluster, table, &error);
            bramble_table_free(table);
        }
        bramble_cluster_free(cluster);
    }
    if (status && !stopped) fprintf(stderr, "engine: %s\n", error.message);
    return status && !stopped ? 1 : 0;
}
