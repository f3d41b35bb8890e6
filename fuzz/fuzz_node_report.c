/* A node's report: whatever the bytes, it is refused, or it is a report that comes back the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/probe.h"

static void require(bool condition)
{
    if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct node_report report, again;
    if (!node_report_from_json(&report, (const char *)data, size)) return 0;
    char *json = node_report_to_json(&report);
    require(json && node_report_from_json(&again, json, strlen(json)));
    char *same = node_report_to_json(&again);
    require(same && strcmp(json, same) == 0);
    mem_free(json);
    mem_free(same);
    node_report_fini(&report);
    node_report_fini(&again);
    return 0;
}
