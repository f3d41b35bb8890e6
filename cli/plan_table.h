/* A plan, for people and as JSON. */
#ifndef CLI_PLAN_TABLE_H
#define CLI_PLAN_TABLE_H

#include <bramble/bramble.h>

/* Nodes, ways of training, who is left out and why, and the best way's options. */
void plan_table_print(const bramble_plan *plan);

/* The object of --json. */
bramble_status plan_table_print_json(const bramble_plan *plan, bramble_error *error);

#endif
