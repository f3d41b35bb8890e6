#include "net/operands.h"

#include "base/error.h"

size_t shape_product(const struct net_shape *shape, uint32_t first, uint32_t end)
{
    size_t product = 1;
    for (uint32_t d = first; d < end; d++) product *= shape->dim[d];
    return product;
}

bramble_status operand_check_activation(const struct net_graph *graph, const struct net_node *node,
                                        uint32_t i, bramble_error *error)
{
    if (operand_per_sample(graph, node, i)) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA,
                     "input %u (%.80s) is a weight; it has to come from the data or another layer", i,
                     operand(graph, node, i)->name);
}

bramble_status operand_check_weight(const struct net_graph *graph, const struct net_node *node, uint32_t i,
                                    size_t size, const char *word, bramble_error *error)
{
    char text[64];
    if (operand_per_sample(graph, node, i))
        return error_set(error, BRAMBLE_ERR_DATA, "input %u, the %s, has to be a weight", i, word);
    if (operand_size(graph, node, i) == size) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_DATA, "input %u, the %s, is %s and has to have %zu numbers", i, word,
                     shape_text(operand_shape(graph, node, i), text), size);
}
