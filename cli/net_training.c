#include "net_training.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "common.h"
#include "figures.h"
#include "report/readable.h"

static void print_data(const struct net_training *t)
{
    const bramble_schema *schema = bramble_model_schema(t->model);
    uint32_t n_classes = bramble_schema_n_classes(schema);
    printf("data        ");
    readable_write(stdout, t->values->source.data, false);
    printf(": %s", readable_items(t->stats.rows, "row", "rows").text);
    if (t->stats.validation_rows)
        printf(" and %s for validation", readable_count(t->stats.validation_rows).text);
    printf(", %s", readable_items(bramble_schema_n_features(schema), "feature", "features").text);
    if (n_classes) printf(", %s", readable_items(n_classes, "class", "classes").text);
    printf(", read in %s\n", readable_seconds(t->data.load_seconds).text);
}

/* "loss 0.3012, accuracy 89.10 %" */
static void print_score(double loss, double accuracy)
{
    printf("loss %s", readable_number(loss).text);
    if (!isnan(accuracy)) printf(", accuracy %s", readable_percent(accuracy).text);
}

static void print_net(const struct net_training *t, const bramble_model_info *info)
{
    const bramble_net_stats *s = &t->stats;
    printf("network     ");
    readable_write(stdout, t->values->net.net, false);
    printf(": %s, %s, %s multiply-adds a row\n", readable_items(info->n_layers, "layer", "layers").text,
           readable_items(info->n_parameters, "parameter", "parameters").text,
           readable_count(info->n_macs).text);
    printf("trained     %s in %s (%s samples/s), %" PRIu32 " thread%s, %s of working memory%s\n",
           readable_items(s->epochs, "epoch", "epochs").text, readable_seconds(s->fit_seconds).text,
           readable_rate(s->samples_per_second).text, s->threads, s->threads == 1 ? "" : "s",
           readable_bytes((double)s->trainer_bytes).text, s->resumed ? ", gone on with" : "");
    if (t->gathering) gathering_print(t->gathering);
    printf("last epoch  ");
    print_score(s->loss, s->accuracy);
    printf("\n");
    if (!s->validation_rows) return;
    printf("validation  ");
    print_score(s->validation_loss, s->validation_accuracy);
    printf(" at epoch %" PRIu32 ", the best\n", s->best_epoch);
}

void net_training_print_text(const struct net_training *t)
{
    bramble_model_info info;
    bramble_model_info_get(t->model, &info);
    print_data(t);
    print_net(t, &info);
    uint64_t file_bytes = t->data.file_bytes + t->stats.file_bytes;
    if (file_bytes)
        printf("disk        %s of the data were in files, as memory cannot hold them\n",
               readable_bytes((double)file_bytes).text);
    if (t->tested) {
        printf("test        ");
        figures_print(&t->evaluation);
        printf(" on %s\n", readable_items(t->data.n_test_rows, "row", "rows").text);
    }
    printf("model       ");
    readable_write(stdout, t->values->out, false);
    printf(" (%s), hash %s\n", readable_bytes((double)t->model_bytes).text, info.hash);
    if (t->run) printf("run         %s\n", bramble_run_id(t->run));
}

static void put_data(struct json_out *out, const struct net_training *t, const bramble_model_info *info)
{
    json_out_text(out, "data", t->values->source.data);
    json_out_text(out, "task", task_name(info->task));
    json_out_count(out, "rows", t->stats.rows);
    json_out_count(out, "validation_rows", t->stats.validation_rows);
    json_out_count(out, "features", info->n_features);
    figures_put_classes(out, bramble_model_schema(t->model));
    json_out_number(out, "load_seconds", t->data.load_seconds);
}

static void put_net(struct json_out *out, const struct net_training *t, const bramble_model_info *info)
{
    const bramble_net_stats *s = &t->stats;
    json_out_text(out, "net", t->values->net.net);
    json_out_count(out, "layers", info->n_layers);
    json_out_count(out, "parameters", info->n_parameters);
    json_out_count(out, "macs", info->n_macs);
    json_out_number(out, "fit_seconds", s->fit_seconds);
    json_out_number(out, "samples_per_second", s->samples_per_second);
    json_out_count(out, "threads", s->threads);
    json_out_count(out, "seed", t->values->net.seed);
    json_out_count(out, "epochs", s->epochs);
    json_out_count(out, "best_epoch", s->best_epoch);
    json_out_count(out, "steps", s->steps);
    json_out_number(out, "loss", s->loss);
    json_out_number(out, "training_accuracy", s->accuracy);
    json_out_number(out, "validation_loss", s->validation_loss);
    json_out_number(out, "validation_accuracy", s->validation_accuracy);
    json_out_count(out, "trainer_bytes", s->trainer_bytes);
    json_out_count(out, "file_bytes", t->data.file_bytes + s->file_bytes);
    json_out_put(out, "resumed", json_boolean(s->resumed));
}

bramble_status net_training_to_json(const struct net_training *t, char **json, bramble_error *error)
{
    bramble_model_info info;
    bramble_model_info_get(t->model, &info);
    struct json_out out;
    json_out_init(&out);
    put_data(&out, t, &info);
    put_net(&out, t, &info);
    if (t->tested) {
        json_out_count(&out, "test_rows", t->data.n_test_rows);
        figures_put(&out, &t->evaluation);
    }
    json_out_text(&out, "model", t->values->out);
    json_out_count(&out, "model_bytes", t->model_bytes);
    json_out_text(&out, "model_hash", info.hash);
    json_out_count(&out, "peak_rss_bytes", peak_rss_bytes());
    if (t->gathering) gathering_put(t->gathering, &out);
    if (t->run) json_out_text(&out, "run", bramble_run_id(t->run));
    return json_out_take(&out, json, error);
}
