/* Forest options as the text of a job, and back. */
#ifndef TRAIN_FOREST_JOB_H
#define TRAIN_FOREST_JOB_H

#include <bramble/forest.h>

/* What decides the trees, as JSON; *text is the caller's to mem_free. */
bramble_status forest_job_write(const bramble_forest_options *options, char **text, bramble_error *error);

/* Options whose texts are kept here. */
struct forest_job {
    bramble_forest_options options;
    char *max_features, *class_weight;
};

/* Any text may come in: exactly what forest_job_write writes is read. forest_job_fini it. */
bramble_status forest_job_read(struct forest_job *job, const char *text, bramble_error *error);
void forest_job_fini(struct forest_job *job);

#endif
