#include <bramble/cluster.h>

#include "base/error.h"
#include "cluster/probe.h"

bramble_status bramble_node_report(char **json, bool measure, bramble_error *error)
{
    struct node_report report;
    (void)measure;
    bramble_status status = node_report_self(&report, error);
    if (status) return status;
    char *text = node_report_to_json(&report);
    node_report_fini(&report);
    if (!text) return error_memory(error, "a node's report");
    *json = text;
    return BRAMBLE_OK;
}
