/*
 * Machines on paper: what a planner needs to know of the nodes of a cluster. Nodes that are alike are one
 * group, so that ten thousand of them cost no more than one.
 */
#ifndef PLAN_PLATFORM_H
#define PLAN_PLATFORM_H

#include <stdint.h>

enum { PLAN_NAME = 64 };

struct plan_link {
    double up, down; /* bytes a second */
    double latency;  /* seconds, one way */
};

struct plan_group {
    char name[PLAN_NAME];
    uint32_t n;
    double sample_seconds;  /* to learn from a sample, on all its processors */
    double tree_seconds;    /* to grow a tree, likewise */
    double processors;      /* that its program may use, fractions too */
    double byte_seconds;    /* of one of them, for a byte that is sent or received */
    double message_seconds; /* for a message, whatever is in it */
    double memory;          /* bytes that its program may take */
    struct plan_link link;  /* between it and a switch that never is in the way */
    double spread;          /* share by which its speed may be wrong, both ways */
};

struct plan_platform {
    const struct plan_group *groups;
    uint32_t n_groups;
    uint32_t first; /* the group one of whose nodes others meet at */
};

/* Nodes of all groups. */
uint64_t plan_nodes(const struct plan_platform *platform);

#endif
