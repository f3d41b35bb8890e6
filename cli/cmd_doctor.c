/* bramble doctor: each step between blank machines and a cluster that works. */
#include <stdio.h>

#include "base/error.h"
#include "cluster_table.h"
#include "common.h"
#include "interrupt.h"
#include "json_out.h"
#include "report/readable.h"

struct doctor_values {
    const char *cluster;
    bool json;
};

struct told {
    json_t *checks; /* NULL: to people */
    unsigned failed, warnings;
    bool out_of_memory;
};

static const char *const result_words[] = {"ok", "warning", "failed", "skipped"};

static bool go_on(void *context)
{
    (void)context;
    return !interrupt_seen();
}

static void keep(struct told *told, const bramble_check *check)
{
    struct json_out object;
    json_out_init(&object);
    json_out_put(&object, "node", check->node ? json_from_text(check->node) : json_null());
    json_out_text(&object, "check", check->name);
    json_out_text(&object, "result", result_words[check->result]);
    json_out_text(&object, "text", check->text);
    if (json_array_append_new(told->checks, object.root) != 0 || object.failed) told->out_of_memory = true;
}

static void tell(const bramble_check *check, void *context)
{
    struct told *told = context;
    told->failed += check->result == BRAMBLE_CHECK_FAILED;
    told->warnings += check->result == BRAMBLE_CHECK_WARNING;
    if (told->checks) {
        keep(told, check);
        return;
    }
    printf("%-7s  %-12s  %-9s  ", result_words[check->result],
           check->node ? readable_name(check->node, 40).text : "-", check->name);
    readable_write(stdout, check->text, false);
    printf("\n");
    fflush(stdout);
}

static bramble_status examine(const struct doctor_values *v, struct told *told, bramble_error *error)
{
    bramble_cluster *cluster;
    bramble_doctor_options options = {.tell = tell, .go_on = go_on, .context = told};
    bramble_status status = bramble_cluster_read(&cluster, v->cluster, error);
    if (status) return status;
    interrupt_watch();
    status = bramble_cluster_doctor(cluster, &options, error);
    bramble_cluster_free(cluster);
    if (!status && told->failed)
        return error_set(error, BRAMBLE_ERR_IO, "%s; do what the lines above say, from the top",
                         readable_items(told->failed, "check failed", "checks failed").text);
    return status;
}

static bramble_status run(const void *values, bramble_error *error)
{
    const struct doctor_values *v = values;
    struct told told = {.checks = v->json ? json_array() : NULL};
    bramble_status status = examine(v, &told, error);
    if (!v->json && !status)
        printf("%s\n", told.warnings ? "the cluster works; see to the warnings" : "the cluster works");
    if (!v->json || (status && !told.failed)) {
        json_decref(told.checks);
        return status;
    }
    struct json_out out;
    json_out_init(&out);
    out.failed |= told.out_of_memory;
    json_out_count(&out, "failed", told.failed);
    json_out_count(&out, "warnings", told.warnings);
    json_out_put(&out, "checks", told.checks);
    bramble_status printed = json_out_end(&out, status ? NULL : error);
    return status ? status : printed;
}

static const char *const paragraphs[] = {
    "Tries each step between blank machines and a cluster that works, and says of each that failed what to "
    "type: names "
    "(which address ssh goes to, and what the node takes this machine for), ssh and host keys, bramble's and "
    "Open MPI's "
    "versions, memory, power and heat (a Raspberry Pi's own word on under-voltage and throttling), clock, "
    "disk, and at last "
    "a small MPI job in which every node exchanges data with every other.",
    "Begin at the top: later steps need earlier ones. A warning keeps no run from starting. The exit status "
    "is 1 when a "
    "check failed.",
    NULL,
};

static const struct option options[] = {
    OPTION_CLUSTER_OF(doctor_values),
    OPTION_JSON_OF(doctor_values),
    {.name = NULL},
};

static const struct json_field fields[] = {
    {"failed", "how many checks failed"},
    {"warnings", "how many have a warning"},
    {"checks", "for each check its node (null: the cluster as a whole), its name as check, its result (ok, "
               "warning, failed or "
               "skipped), and a text on it"},
    {NULL, NULL},
};

static const struct example examples[] = {
    {"bramble doctor", "examines the cluster of ./cluster.ini"},
    {"bramble doctor --cluster pis.ini --json", "the same of another, for programs"},
    {NULL, NULL},
};

const struct command command_doctor = {
    .name = "doctor",
    .summary = "find what keeps a cluster from working, and what to type",
    .paragraphs = paragraphs,
    .options = options,
    .fields = fields,
    .examples = examples,
    .defaults = &(const struct doctor_values){.cluster = "cluster.ini"},
    .values_size = sizeof(struct doctor_values),
    .run = run,
};
