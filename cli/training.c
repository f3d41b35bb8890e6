#include "training.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "common.h"
#include "figures.h"
#include "gathering.h"
#include "importance.h"
#include "report/readable.h"

enum { IMPORTANCES_SHOWN = 5 };

static void print_data(const struct training *t)
{
    const bramble_schema *schema = bramble_model_schema(t->model);
    uint32_t n_classes = bramble_schema_n_classes(schema);
    printf("data        ");
    readable_write(stdout, t->values->source.data, false);
    printf(": %s, %s", readable_items(t->data.n_rows, "row", "rows").text,
           readable_items(bramble_schema_n_features(schema), "feature", "features").text);
    if (n_classes) printf(", %s", readable_items(n_classes, "class", "classes").text);
    printf(", read in %s\n", readable_seconds(t->data.load_seconds).text);
}

static void print_forest(const struct training *t, const bramble_model_info *info)
{
    double seconds = t->stats.fit_seconds;
    printf("trained     %s in %s (%s trees/s, %s of it binning), %" PRIu32 " thread%s\n",
           readable_items(info->n_trees, "tree", "trees").text, readable_seconds(seconds).text,
           readable_rate(info->n_trees / (seconds > 0 ? seconds : 1e-9)).text,
           readable_seconds(t->stats.bin_seconds).text, t->stats.threads, t->stats.threads == 1 ? "" : "s");
    printf("forest      %s nodes, %s of them leaves; deepest tree %" PRIu32 "\n",
           readable_count(info->n_nodes).text, readable_count(info->n_leaves).text, info->max_depth);
    if (isnan(info->oob_score)) return;
    if (info->task == BRAMBLE_TASK_CLASSIFICATION)
        printf("out of bag  accuracy %s\n", readable_percent(info->oob_score).text);
    else
        printf("out of bag  R2 %.4f\n", info->oob_score);
}

void training_print_text(const struct training *t)
{
    bramble_model_info info;
    bramble_model_info_get(t->model, &info);
    print_data(t);
    print_forest(t, &info);
    if (t->gathering) gathering_print(t->gathering);
    if (t->tested) {
        printf("test        ");
        figures_print(&t->evaluation);
        printf(" on %s\n", readable_items(t->data.n_test_rows, "row", "rows").text);
    }
    importance_print(t->model, IMPORTANCES_SHOWN, "important features");
    printf("model       ");
    readable_write(stdout, t->values->out, false);
    printf(" (%s), hash %s\n", readable_bytes((double)t->model_bytes).text, info.hash);
    if (t->run) printf("run         %s\n", bramble_run_id(t->run));
}

static void put_data(struct json_out *out, const struct training *t, const bramble_model_info *info)
{
    json_out_text(out, "data", t->values->source.data);
    json_out_text(out, "task", task_name(info->task));
    json_out_count(out, "rows", t->data.n_rows);
    json_out_count(out, "features", info->n_features);
    figures_put_classes(out, bramble_model_schema(t->model));
    json_out_number(out, "load_seconds", t->data.load_seconds);
}

static void put_forest(struct json_out *out, const struct training *t, const bramble_model_info *info)
{
    json_out_number(out, "bin_seconds", t->stats.bin_seconds);
    json_out_number(out, "fit_seconds", t->stats.fit_seconds);
    json_out_count(out, "threads", t->stats.threads);
    json_out_count(out, "seed", t->values->forest.seed);
    json_out_count(out, "trees", info->n_trees);
    json_out_count(out, "nodes", info->n_nodes);
    json_out_count(out, "leaves", info->n_leaves);
    json_out_count(out, "max_depth", info->max_depth);
    if (t->values->forest.oob_score) json_out_number(out, "oob_score", info->oob_score);
}

bramble_status training_to_json(const struct training *t, char **json, bramble_error *error)
{
    bramble_model_info info;
    bramble_model_info_get(t->model, &info);
    struct json_out out;
    json_out_init(&out);
    put_data(&out, t, &info);
    put_forest(&out, t, &info);
    if (t->gathering) gathering_put(t->gathering, &out);
    if (t->tested) {
        json_out_count(&out, "test_rows", t->data.n_test_rows);
        figures_put(&out, &t->evaluation);
    }
    json_out_text(&out, "model", t->values->out);
    json_out_count(&out, "model_bytes", t->model_bytes);
    json_out_text(&out, "model_hash", info.hash);
    json_out_count(&out, "peak_rss_bytes", peak_rss_bytes());
    if (t->run) json_out_text(&out, "run", bramble_run_id(t->run));
    return json_out_take(&out, json, error);
}
