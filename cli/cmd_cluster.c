/* bramble cluster: the word that its commands begin with. */
#include "command.h"

const struct command command_cluster = {
    .name = "cluster",
    .summary = "make a cluster of machines ready",
};
