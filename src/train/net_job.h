/* What the members of a cluster are told about training a network, as the text of a job, and back. */
#ifndef TRAIN_NET_JOB_H
#define TRAIN_NET_JOB_H

#include <bramble/net.h>

/*
 * The options that decide the course of a training, and its task, as JSON; *text is the caller's to mem_free.
 * Left out are net and from_scratch (the network travels by itself), threads, checkpoint and progress (each
 * member's own). BRAMBLE_ERR_USAGE for what net_job_read would refuse.
 */
bramble_status net_job_write(char **text, const bramble_net_options *options, bramble_task task,
                             bramble_error *error);

/* Options whose texts are kept here. What the job does not say is as in BRAMBLE_NET_OPTIONS_INIT. */
struct net_job {
    bramble_net_options options;
    bramble_task task; /* classification or regression */
    char *augment;
};

/* Any text may come in: exactly what net_job_write writes is read, its options are in their ranges
 * (net_options_check) and its loss is one for its task; BRAMBLE_ERR_DATA else. net_job_fini it. */
bramble_status net_job_read(struct net_job *job, const char *text, bramble_error *error);
void net_job_fini(struct net_job *job);

#endif
