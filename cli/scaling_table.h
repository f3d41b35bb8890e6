/* What bramble bench scaling found: as a table, as JSON, as a plot. */
#ifndef CLI_SCALING_TABLE_H
#define CLI_SCALING_TABLE_H

#include <bramble/bramble.h>

struct scaling_circumstances {
    const char *data;
    bool emulated, cold;
    double seconds; /* asked for */
    uint32_t rounds;
};

void scaling_table_print(const bramble_scaling *scaling, const struct scaling_circumstances *of);
bramble_status scaling_table_json(const bramble_scaling *scaling, const struct scaling_circumstances *of,
                                  bramble_error *error);
bramble_status scaling_table_plot(const bramble_scaling *scaling, const struct scaling_circumstances *of,
                                  const char *path, bramble_error *error);

#endif
