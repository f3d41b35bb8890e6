#include <bramble/bramble.h>

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "api/cluster_handle.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/threads.h"
#include "train/scaling.h"

enum {
    TREES_MOST = 200000, /* a node alone is stopped long before it has grown as many */
    TREES_TO_TELL = 8    /* fewer say nothing about a node's rate */
};

#define ALONE_SHARE (1 / 6.0) /* of the seconds a cluster trains: before it, and again after it */

/* A measurement on its way. */
struct measuring {
    bramble_cluster *cluster;
    const bramble_table *table;
    const bramble_scaling_options *options;
    const size_t *nodes; /* n of the cluster's, in the order they are added */
    size_t n;
    const char **names;   /* of those */
    bramble_scaling *out; /* the round's */
    bramble_error *error;
    uint32_t step;
    atomic_bool stopped; /* the caller asked to */
};

/* One training of it. */
struct step {
    struct measuring *measuring;
    const char *text;
    bool silent; /* another that runs at the same time tells how far things are */
    bool alone, out_of_memory, watched;
    double began;
    struct scaling_course course; /* of a node alone */
    char idle[96];                /* a node that has grown no tree; else empty */
};

/* A node that trains alone while others do. */
struct part {
    struct measuring *measuring;
    const char *text; /* the cluster they are parts of */
    size_t node;      /* of measuring.nodes */
    bramble_scaling_node *figures;
    bramble_status status;
    bramble_error error;
};

void bramble_scaling_fini(bramble_scaling *scaling)
{
    for (size_t k = 0; k < scaling->n_nodes; k++) {
        if (scaling->nodes) mem_free(scaling->nodes[k].name);
        if (!scaling->rows) continue;
        mem_free(scaling->rows[k].cluster);
        mem_free(scaling->rows[k].idle);
    }
    mem_free(scaling->nodes);
    mem_free(scaling->rows);
    *scaling = (bramble_scaling){0};
}

static void note_idle(struct step *step, const bramble_progress *training)
{
    *step->idle = 0;
    for (size_t i = 0; i < training->n_members && !*step->idle; i++)
        if (!training->members[i].tasks_done)
            snprintf(step->idle, sizeof step->idle, "%s", training->members[i].name);
}

static uint32_t count_steps(const struct measuring *m)
{
    return m->options->rounds * (m->n > 1 ? 3 * (uint32_t)(m->n - 1) : 1);
}

static void tell(const struct step *step, const bramble_progress *training)
{
    struct measuring *m = step->measuring;
    bramble_scaling_progress progress = {step->text, step->alone, m->step, count_steps(m), training};
    if (m->options->progress && !m->options->progress(&progress, m->options->context)) m->stopped = true;
}

static bool watch(const bramble_progress *training, void *context)
{
    struct step *step = context;
    const struct measuring *m = step->measuring;
    double seconds = clock_seconds() - step->began;
    note_idle(step, training);
    if (step->alone) {
        const struct scaling_course *course = &step->course;
        step->out_of_memory |= !scaling_course_add(&step->course, seconds, training->trees_done);
        step->watched = course->n > 2 && training->trees_done >= TREES_TO_TELL &&
                        seconds - course->seconds[0] >= m->options->seconds * ALONE_SHARE;
    }
    if (!step->silent) tell(step, training);
    return !m->stopped && !step->watched && !step->out_of_memory;
}

/* Trains on `cluster`; *seconds from the start of the launch to the finished forest. */
static bramble_status train(struct step *step, bramble_cluster *cluster, uint32_t trees, double *seconds,
                            bramble_error *error)
{
    const struct measuring *m = step->measuring;
    bramble_engine *engine;
    bramble_model *model = NULL;
    bramble_forest_options options = BRAMBLE_FOREST_OPTIONS_INIT;
    if (m->options->forest) options = *m->options->forest;
    step->began = clock_seconds();
    bramble_status status = bramble_engine_start(&engine, cluster, NULL, error);
    if (status) return status;
    options.trees = trees;
    options.engine = engine;
    options.progress = watch;
    options.progress_context = step;
    status = bramble_forest_train(&model, m->table, &options, NULL, error);
    *seconds = clock_seconds() - step->began;
    bramble_engine_stop(engine);
    bramble_model_free(model);
    if (step->out_of_memory) return error_memory(error, "watching a training");
    return status == BRAMBLE_ERR_CANCELLED && step->watched && !m->stopped ? BRAMBLE_OK : status;
}

static bramble_status measure_alone(const struct part *part, bramble_error *error)
{
    struct measuring *m = part->measuring;
    bramble_cluster *cluster;
    bramble_scaling_node *figures = part->figures;
    struct step step = {.measuring = m, .text = part->text, .alone = true, .silent = part->node > 0};
    double seconds;
    bramble_status status = bramble_cluster_select(&cluster, m->cluster, &m->nodes[part->node], 1, error);
    if (status) return status;
    status = train(&step, cluster, TREES_MOST, &seconds, error);
    if (!status && !scaling_rate(&step.course, &figures->trees_per_second))
        status = error_set(error, BRAMBLE_ERR_DATA,
                           "%s grew all its trees at once; measure with more data or larger trees",
                           m->names[part->node]);
    scaling_course_fini(&step.course);
    bramble_cluster_free(cluster);
    return status;
}

static void measure_part(void *context, uint32_t thread, uint64_t i)
{
    struct part *part = (struct part *)context + i;
    (void)thread;
    part->status = measure_alone(part, &part->error);
    if (part->status) part->measuring->stopped = true;
}

/* The first n nodes, each in a training of its own, all at the same time: what else happens on the machines,
 * or on the one that plays them all, then weighs on the parts as it does on the whole. */
static bramble_status measure_parts(struct measuring *m, size_t n, bramble_scaling_node *figures)
{
    struct part *parts = mem_zalloc(n, sizeof *parts);
    if (!parts) return error_memory(m->error, "nodes that train alone");
    for (size_t k = 0; k < n; k++)
        parts[k] = (struct part){
            .measuring = m, .text = m->out->rows[n - 1].cluster, .node = k, .figures = &figures[k]};
    threads_run((uint32_t)n, n, measure_part, parts);
    const struct part *failed = NULL;
    for (size_t k = 0; k < n; k++) {
        bool worse = parts[k].status && (!failed || failed->status == BRAMBLE_ERR_CANCELLED);
        if (worse) failed = &parts[k];
    }
    bramble_status status = failed ? failed->status : BRAMBLE_OK;
    if (status && m->error) *m->error = failed->error;
    mem_free(parts);
    m->step++;
    return status;
}

/* An idle node is part of what was measured, and hours may have gone into the other rows: it is told, no
 * more. */
static bramble_status keep_idle(bramble_scaling_row *row, const struct step *step, bramble_error *error)
{
    if (!*step->idle) return BRAMBLE_OK;
    row->idle = mem_strdup(step->idle);
    return row->idle ? BRAMBLE_OK : error_memory(error, "a scaling table");
}

static bramble_status measure_row(struct measuring *m, size_t k)
{
    bramble_cluster *cluster;
    bramble_scaling_row *row = &m->out->rows[k];
    struct step step = {.measuring = m, .text = row->cluster};
    bramble_status status = bramble_cluster_select(&cluster, m->cluster, m->nodes, k + 1, m->error);
    if (status) return status;
    if (m->options->cold) status = bramble_cluster_empty_caches(cluster, m->error);
    if (!status) status = train(&step, cluster, m->out->trees, &row->seconds, m->error);
    m->step++;
    if (!status) status = keep_idle(row, &step, m->error);
    bramble_cluster_free(cluster);
    return status;
}

/* As many trees as all nodes together grow in the time that was asked for. */
static void choose_trees(struct measuring *m)
{
    double rate = 0;
    for (size_t k = 0; k < m->n; k++) rate += m->out->nodes[k].trees_per_second;
    double trees = rate * m->options->seconds;
    m->out->trees = trees < 10 ? 10 : trees > TREES_MOST ? TREES_MOST : (uint32_t)trees;
    if (m->options->trees) m->out->trees = m->options->trees;
}

/* The first k + 1 nodes as a cluster, between two measurements of its parts: a machine that gets faster or
 * slower meanwhile then weighs on both sides. Room for `again` is as for `figures`. */
static bramble_status measure_between_parts(struct measuring *m, size_t k, bramble_scaling_node *figures,
                                            bramble_scaling_node *again)
{
    bramble_status status = measure_parts(m, k + 1, figures);
    if (status) return status;
    if (!m->out->trees) choose_trees(m);
    status = measure_row(m, k);
    if (!status) status = measure_parts(m, k + 1, again);
    for (size_t i = 0; i <= k; i++)
        figures[i].trees_per_second = (figures[i].trees_per_second + again[i].trees_per_second) / 2;
    m->out->rows[k].parts_seconds = scaling_parts_seconds(figures, k + 1, m->out->trees);
    return status;
}

/* A node on its own is a cluster already measured. */
static bramble_status measure_single(struct measuring *m)
{
    bramble_status status = measure_parts(m, 1, m->out->nodes);
    if (!status && !m->out->trees) choose_trees(m);
    return status;
}

/* A round: the clusters from the largest down. The first row is the first node, and is not run again. */
static bramble_status measure_round(struct measuring *m, uint32_t trees)
{
    bramble_scaling_row *first = &m->out->rows[0];
    bramble_scaling_node *figures = mem_zalloc(m->n, 2 * sizeof *figures);
    if (!figures) return error_memory(m->error, "a scaling table");
    m->out->trees = trees;
    size_t last = m->n - 1;
    bramble_status status = last ? measure_between_parts(m, last, m->out->nodes, figures) : measure_single(m);
    for (size_t k = last; k-- > 1 && !status;) status = measure_between_parts(m, k, figures, figures + m->n);
    if (!status) {
        first->scaled = true;
        first->seconds = first->parts_seconds = scaling_parts_seconds(m->out->nodes, 1, m->out->trees);
        scaling_work_out(m->out);
    }
    mem_free(figures);
    return status;
}

static void look_up(const struct measuring *m, const bramble_node *node, uint32_t cores_allowed,
                    bramble_scaling_row *row)
{
    uint32_t cores = cores_allowed ? cores_allowed : node->cores;
    uint64_t memory = node->memory_bytes;
    for (size_t i = 0; i < m->options->n_machines; i++) {
        if (strcmp(m->options->machines[i].node, node->name) != 0) continue;
        cores = m->options->machines[i].cores;
        memory = m->options->machines[i].memory_bytes;
    }
    row->cores += cores;
    row->memory_bytes += memory;
}

/* The table of a round with what is known before anything is measured. */
static bramble_status lay_out(struct measuring *m, bramble_scaling *round)
{
    round->n_nodes = m->n;
    round->nodes = mem_zalloc(m->n, sizeof *round->nodes);
    round->rows = mem_zalloc(m->n, sizeof *round->rows);
    if (!round->nodes || !round->rows) return error_memory(m->error, "a scaling table");
    for (size_t k = 0; k < m->n; k++) {
        bramble_node node;
        bramble_scaling_row *row = &round->rows[k];
        bramble_cluster_node(m->cluster, m->nodes[k], &node);
        if (k) *row = (bramble_scaling_row){.cores = row[-1].cores, .memory_bytes = row[-1].memory_bytes};
        row->nodes = (uint32_t)k + 1;
        look_up(m, &node, m->cluster->cluster->nodes[m->nodes[k]].cores, row);
        round->nodes[k].name = mem_strdup(node.name);
        row->cluster = scaling_cluster_text(m->names, k + 1, m->n);
        if (!round->nodes[k].name || !row->cluster) return error_memory(m->error, "a scaling table");
    }
    return BRAMBLE_OK;
}

static bool probing_goes_on(void *context)
{
    const struct measuring *m = context;
    bramble_scaling_progress progress = {"", false, 0, count_steps(m), &(bramble_progress){0}};
    return !m->options->progress || m->options->progress(&progress, m->options->context);
}

static bramble_status check_nodes(struct measuring *m)
{
    bramble_probe_options options = BRAMBLE_PROBE_OPTIONS_INIT;
    options.go_on = probing_goes_on;
    options.context = m;
    bramble_status status = bramble_cluster_probe(m->cluster, &options, m->error);
    for (size_t k = 0; k < m->n && !status; k++) {
        bramble_node node;
        bramble_cluster_node(m->cluster, m->nodes[k], &node);
        m->names[k] = node.name;
        if (!node.usable)
            status =
                error_set(m->error, BRAMBLE_ERR_IO, "%s cannot be measured: %s", node.name, node.problem);
    }
    return status;
}

static bramble_status measure_rounds(struct measuring *m, bramble_scaling *rounds)
{
    bramble_status status = check_nodes(m);
    for (uint32_t r = 0; r < m->options->rounds && !status; r++) {
        m->out = &rounds[r];
        status = lay_out(m, m->out);
        if (!status) status = measure_round(m, r ? rounds[0].trees : 0);
    }
    if (!status) scaling_take_medians(rounds, m->options->rounds);
    return status;
}

static bramble_status check(const bramble_cluster *cluster, const bramble_scaling_options *options,
                            bramble_error *error)
{
    size_t n_all = bramble_cluster_n_nodes(cluster);
    if (options->rounds < 1 || options->rounds > BRAMBLE_SCALING_ROUNDS_MAX || !(options->seconds > 0))
        return error_set(error, BRAMBLE_ERR_USAGE, "rounds must be 1 to %d and seconds more than 0",
                         BRAMBLE_SCALING_ROUNDS_MAX);
    for (size_t k = 0; options->nodes && k < options->n_nodes; k++)
        if (options->nodes[k] >= n_all)
            return error_set(error, BRAMBLE_ERR_USAGE, "there is no node number %zu", options->nodes[k]);
    if (n_all == 0 || (options->nodes && options->n_nodes == 0))
        return error_set(error, BRAMBLE_ERR_USAGE, "there is no node to measure");
    return BRAMBLE_OK;
}

bramble_status bramble_scaling_measure(bramble_scaling *out, bramble_cluster *cluster,
                                       const bramble_table *table, const bramble_scaling_options *options,
                                       bramble_error *error)
{
    bramble_scaling_options defaults = BRAMBLE_SCALING_OPTIONS_INIT;
    if (!options) options = &defaults;
    bramble_status status = check(cluster, options, error);
    if (status) return status;
    size_t n_all = bramble_cluster_n_nodes(cluster), n = options->nodes ? options->n_nodes : n_all;
    size_t *every = mem_alloc(n_all, sizeof *every);
    const char **names = mem_zalloc(n, sizeof *names);
    bramble_scaling *rounds = mem_zalloc(options->rounds, sizeof *rounds);
    for (size_t i = 0; every && i < n_all; i++) every[i] = i;
    struct measuring m = {.cluster = cluster,
                          .table = table,
                          .options = options,
                          .nodes = options->nodes ? options->nodes : every,
                          .n = n,
                          .names = names,
                          .error = error};
    if (every && names && rounds)
        status = measure_rounds(&m, rounds);
    else
        status = error_memory(error, "a scaling table");
    if (!status) {
        *out = rounds[0];
        rounds[0] = (bramble_scaling){0};
    }
    for (uint32_t r = 0; rounds && r < options->rounds; r++) bramble_scaling_fini(&rounds[r]);
    mem_free(rounds);
    mem_free(names);
    mem_free(every);
    return status;
}
