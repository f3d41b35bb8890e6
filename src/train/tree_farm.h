/*
 * A forest grown on many machines: each task is one tree, from data that every node holds whole. Any node may
 * grow any tree, twice if need be: the bytes are the same.
 */
#ifndef TRAIN_TREE_FARM_H
#define TRAIN_TREE_FARM_H

#include "cluster/program.h"
#include "forest/forest.h"

/* Task t grows tree t from a binned file; its result is what tree_encode makes. */
extern const struct program tree_farm;

/* The job's text for the nodes (JSON); *text is the caller's to mem_free. The options must be ones that
 * tree_farm_harvest_new takes: nodes do not see threads, cpu, oob_score and progress. */
bramble_status tree_farm_job(const bramble_forest_options *options, char **text, bramble_error *error);

/* Trees that come back, in any order, until the forest is whole. */
struct tree_farm_harvest;

/* Checks the options against the table (which must have its columns for oob_score) and borrows the table. */
bramble_status tree_farm_harvest_new(struct tree_farm_harvest **out, const struct bramble_table *table,
                                     const bramble_forest_options *options, bramble_error *error);
void tree_farm_harvest_free(struct tree_farm_harvest *harvest); /* NULL is fine */

/* A result of task `task`; `harvest` is a struct tree_farm_harvest (a visitor for journal_read). A tree that
 * is there already is left as it is. */
bramble_status tree_farm_harvest_add(void *harvest, uint32_t task, const void *bytes, uint32_t length,
                                     bramble_error *error);

/* The forest that forest_fit would have made; *out is the caller's to free, the harvest can then only be
 * freed. Trees that are missing are an error. go_on as in forest_grower_finish. */
bramble_status tree_farm_harvest_finish(struct tree_farm_harvest *harvest, bool (*go_on)(void *context),
                                        void *context, struct forest **out, bramble_error *error);

#endif
