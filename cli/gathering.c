#include "gathering.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "report/readable.h"

#define PROGRESS_LOGGED_SECONDS 5.0

enum { SHOWN_MOST = 32 };

/* A node of the engine, in memory of ours. */
struct taking_part {
    char name[64], state[16];
    uint32_t threads, done;
    double rate;
};

struct gathering {
    bramble_cluster *cluster;
    bramble_engine *engine;
    bramble_run *run; /* or NULL */
    const char *const *unit;
    double logged; /* when progress was, in seconds of the training */
    pthread_mutex_t lock;
    struct str news;             /* lines not shown yet, each with its newline; under the lock */
    struct taking_part *members; /* as they were shown last */
    size_t n_members;
    bool begun; /* shown once */
};

/* The events a person wants to hear of, and how they are said. */
static const struct saying {
    const char *event, *words;
} sayings[] = {
    {"away", "cannot be used"},      {"lost", "is lost"},
    {"crashed", "lost its process"}, {"out", "is left out"},
    {"added", "is asked to join"},   {"note", "says"},
    {"launch_failed", ""},           {"divided", ""},
};

/* Adds to the run's log; takes `fields` over. A log that cannot be written is no reason to stop. */
static void record(const struct gathering *gathering, const char *event, json_t *fields)
{
    char *text = fields && gathering->run ? json_dumps(fields, JSON_COMPACT) : NULL;
    if (text) bramble_run_event(gathering->run, event, text, NULL);
    free(text);
    json_decref(fields);
}

static void hear(void *context, const char *event, const char *node, const char *text)
{
    struct gathering *gathering = context;
    json_t *fields = json_object();
    if (node) json_object_set_new(fields, "node", json_from_text(node));
    if (*text) json_object_set_new(fields, "text", json_from_text(text));
    record(gathering, event, fields);
    for (size_t i = 0; i < sizeof sayings / sizeof *sayings; i++) {
        if (strcmp(event, sayings[i].event) != 0) continue;
        pthread_mutex_lock(&gathering->lock);
        if (node) str_printf(&gathering->news, "%s %s", node, sayings[i].words);
        str_printf(&gathering->news, "%s%s\n", node && *text ? ": " : "", text);
        pthread_mutex_unlock(&gathering->lock);
    }
}

bramble_status gathering_begin(struct gathering **out, const char *path, const char *const unit[2],
                               bramble_run *run, bramble_error *error)
{
    struct gathering *gathering = mem_zalloc(1, sizeof *gathering);
    if (!gathering) return error_memory(error, "the cluster");
    pthread_mutex_init(&gathering->lock, NULL);
    gathering->run = run;
    gathering->unit = unit;
    bramble_engine_options options = {
        .folder = run ? bramble_run_folder(run) : NULL, .event = hear, .event_context = gathering};
    bramble_status status = bramble_cluster_read(&gathering->cluster, path, error);
    if (!status) status = bramble_engine_start(&gathering->engine, gathering->cluster, &options, error);
    if (status)
        gathering_end(gathering);
    else
        *out = gathering;
    return status;
}

bramble_engine *gathering_engine(const struct gathering *gathering)
{
    return gathering->engine;
}

void gathering_note(struct gathering *gathering, const char *text)
{
    hear(gathering, "note", NULL, text);
}

static void say_news(struct gathering *gathering, struct progress *progress)
{
    pthread_mutex_lock(&gathering->lock);
    struct str news = gathering->news;
    gathering->news = (struct str){0};
    pthread_mutex_unlock(&gathering->lock);
    char *line = news.data, *end;
    for (; line && (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        progress_say(progress, line);
    }
    str_fini(&news);
}

static void remember(struct gathering *gathering, const struct gathered *done)
{
    if (!done->n_members) return;
    struct taking_part *members = mem_resize(gathering->members, done->n_members, sizeof *members);
    if (!members) return;
    gathering->members = members;
    gathering->n_members = done->n_members;
    for (size_t i = 0; i < done->n_members; i++) {
        const bramble_member *from = &done->members[i];
        members[i] =
            (struct taking_part){.threads = from->threads, .done = from->tasks_done, .rate = from->rate};
        snprintf(members[i].name, sizeof members[i].name, "%s", from->name);
        snprintf(members[i].state, sizeof members[i].state, "%s", from->state);
    }
}

static json_t *members_json(const struct gathering *gathering)
{
    char rate_key[40];
    json_t *list = json_array();
    snprintf(rate_key, sizeof rate_key, "%s_per_second", gathering->unit[1]);
    for (size_t i = 0; i < gathering->n_members; i++) {
        const struct taking_part *member = &gathering->members[i];
        json_array_append_new(
            list, json_pack("{s:o, s:s, s:i, s:I, s:o}", "name", json_from_text(member->name), "state",
                            member->state, "threads", (int)member->threads, gathering->unit[1],
                            (json_int_t)member->done, rate_key, json_from_number(member->rate)));
    }
    return list;
}

void gathering_put(const struct gathering *gathering, struct json_out *out)
{
    json_out_put(out, "members", members_json(gathering));
}

/* Now and then, how far everybody is. */
static void record_progress(struct gathering *gathering, const struct gathered *done)
{
    bool whole = done->done == done->total;
    if (!whole && done->seconds - gathering->logged < PROGRESS_LOGGED_SECONDS) return;
    gathering->logged = done->seconds;
    record(gathering, "progress",
           json_pack("{s:I, s:I, s:o}", "done", (json_int_t)done->done, "total", (json_int_t)done->total,
                     "members", members_json(gathering)));
}

void gathering_print(const struct gathering *gathering)
{
    const char *before = "nodes       ";
    for (size_t i = 0; i < gathering->n_members; i++) {
        if (!gathering->members[i].done) continue;
        printf("%s%s %s", before, gathering->members[i].name,
               readable_items(gathering->members[i].done, gathering->unit[0], gathering->unit[1]).text);
        before = ", ";
    }
    if (*before == ',') printf("\n");
}

void gathering_show(struct gathering *gathering, struct progress *progress, const struct gathered *done)
{
    struct progress_part parts[SHOWN_MOST];
    size_t n = done->n_members < SHOWN_MOST ? done->n_members : SHOWN_MOST;
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct progress_part){done->members[i].name, done->members[i].state,
                                          done->members[i].tasks_done, done->members[i].rate};
    remember(gathering, done);
    record_progress(gathering, done);
    say_news(gathering, progress);
    if (!gathering->begun) progress->before = done->done; /* by an earlier part of the run */
    gathering->begun = true;
    progress_step(progress, done->done, done->total, done->seconds);
    progress_parts(progress, parts, n);
}

void gathering_end(struct gathering *gathering)
{
    if (!gathering) return;
    bramble_engine_stop(gathering->engine);
    bramble_cluster_free(gathering->cluster);
    pthread_mutex_destroy(&gathering->lock);
    str_fini(&gathering->news);
    mem_free(gathering->members);
    mem_free(gathering);
}
