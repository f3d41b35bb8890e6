#include "train/net_strategy.h"

#include "base/error.h"

const struct net_strategy *net_strategy_of(const bramble_net_options *options)
{
    switch (options->parallel) {
    case BRAMBLE_PARALLEL_AUTO:
    case BRAMBLE_PARALLEL_RING: return &net_ring;
    case BRAMBLE_PARALLEL_CENTRAL:
        return options->compress ? NULL : options->staleness ? &net_stale : &net_central;
    case BRAMBLE_PARALLEL_LOCAL: return &net_local;
    default: return NULL;
    }
}

bramble_status net_strategy_check(const bramble_net_options *options, bramble_error *error)
{
    bool pipeline = options->parallel == BRAMBLE_PARALLEL_PIPELINE && !options->compress; /* net_pipeline.h */
    if (pipeline || net_strategy_of(options)) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_UNSUPPORTED,
                     "nodes cannot train a network in this way; use ring or local to send 8 bits a number");
}
