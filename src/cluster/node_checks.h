/* What is looked at in a node's report, one thing at a time: for the probe's verdict and the doctor alike. */
#ifndef CLUSTER_NODE_CHECKS_H
#define CLUSTER_NODE_CHECKS_H

#include "cluster/probe.h"

enum check_result { CHECK_OK, CHECK_WARNING, CHECK_FAILED, CHECK_SKIPPED };

/* The text says what was found, or what is wrong and what to type: one line, to follow the node's name. */
struct node_check {
    const char *name; /* NULL ends the table */
    enum check_result (*look)(const struct node_report *report, const struct node_report *ours,
                              const struct node *node, char *text, size_t size);
};

extern const struct node_check node_checks[];

#endif
