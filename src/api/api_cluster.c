#include <bramble/cluster.h>
#include <math.h>

#include "base/error.h"
#include "base/threads.h"
#include "cluster/probe.h"
#include "train/node_speed.h"

bramble_status bramble_node_report(char **json, bool measure, bramble_error *error)
{
    struct node_report report;
    struct node_speed speed = {NAN, NAN};
    bramble_status status = BRAMBLE_OK;
    if (measure) status = node_speed_measure(&speed, threads_available(), error);
    if (!status) status = node_report_self(&report, error);
    if (status) return status;
    report.tree_rate = speed.tree_rate;
    report.gemm_gflops = speed.gemm_gflops;
    char *text = node_report_to_json(&report);
    node_report_fini(&report);
    if (!text) return error_memory(error, "a node's report");
    *json = text;
    return BRAMBLE_OK;
}
