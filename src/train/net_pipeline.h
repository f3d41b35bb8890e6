/*
 * A network trained by machines that have some of its layers each (pipeline.h): for what one of them has not
 * the memory for. Nobody but the first member, now and then, has all of the training's state.
 */
#ifndef TRAIN_NET_PIPELINE_H
#define TRAIN_NET_PIPELINE_H

#include "cluster/program.h"

/* Job text, data, results and tasks are net_together.h's. */
extern const struct program net_pipeline;

#endif
