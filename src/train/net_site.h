/* A node that is about to train a network with others, whatever the way: a program's open and close. */
#ifndef TRAIN_NET_SITE_H
#define TRAIN_NET_SITE_H

#include "data/rows_file.h"
#include "train/net_job.h"

struct net_site {
    struct net_job job;
    struct rows_file *file;
};

/* *context is a struct net_site. Job text: net_job.h's. Data: rows_file.h's. */
bramble_status net_site_open(void **context, const char *text, const char *data_path, uint32_t threads,
                             bramble_error *error);
void net_site_close(void *context);

#endif
