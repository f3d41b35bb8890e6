/* A node's report as a part of larger JSON. */
#ifndef CLUSTER_NODE_REPORT_JSON_H
#define CLUSTER_NODE_REPORT_JSON_H

#include <jansson.h>

#include "base/str.h"
#include "cluster/probe.h"

json_t *node_report_pack(const struct node_report *report);                /* NULL: out of memory */
bool node_report_unpack(struct node_report *report, const json_t *object); /* as node_report_from_json */

/* Any text as a JSON string; bytes that are no UTF-8 become '?'. NULL: out of memory. */
json_t *json_from_any_text(const char *text);

/* `object` (given up) on one line; NULL: out of memory, also when `object` is. */
char *json_to_line(json_t *object);

#endif
