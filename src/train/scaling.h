/*
 * The arithmetic of a scaling table: how fast machines are alone, and what that makes of them together.
 * Nothing is measured here.
 *
 * Cabral and Sok, "Deep Neural Network with Raspberry Pi", Table I, divides the speed-up by the ratio of core
 * counts and calls that scalability; the efficiency is against the sum of what the parts do alone.
 */
#ifndef TRAIN_SCALING_H
#define TRAIN_SCALING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bramble/scaling.h>

/* A training as it went, a point each time it told how far it was. */
struct scaling_course {
    double *seconds, *trees; /* n of capacity each */
    size_t n, capacity;
};

/* A point; those that add no tree to the last one tell nothing and are left out. False: out of memory. */
bool scaling_course_add(struct scaling_course *course, double seconds, uint32_t trees);
void scaling_course_fini(struct scaling_course *course);

/* Trees a second, by the straight line through a course (least squares). False when there are fewer than
 * three points. */
bool scaling_rate(const struct scaling_course *course, double *rate);

/* Nodes of one kind have names that differ in a number at the end ("pi4-1", "pi4-2"; "pi1", "pi2"): the
 * length of the kind's name within names[i]. O(n). */
size_t scaling_kind_length(const char *const *names, size_t n, size_t i);

/* "2 pi4 + 1 desktop": what the first n of n_all names are, kinds in the order they first come in.
 * *text is the caller's to mem_free; NULL: out of memory. O(n^2). */
char *scaling_cluster_text(const char *const *names, size_t n, size_t n_all);

/* That n nodes would take for so many trees if each went on doing what it does alone. */
double scaling_parts_seconds(const bramble_scaling_node *nodes, size_t n, uint32_t trees);

/* Fills in the columns that follow from others: a row needs its seconds, parts_seconds and cores, a node its
 * trees_per_second. Row k is of nodes 0..k. */
void scaling_work_out(bramble_scaling *scaling);

/* Each figure's median over rounds (at most BRAMBLE_SCALING_ROUNDS_MAX), which are of the same nodes and
 * trees, into the first. A row is idle when one of a round is. */
void scaling_take_medians(bramble_scaling *rounds, size_t n_rounds);

#endif
