/* A node's attributes as JSON. */
#ifndef MODEL_NET_JSON_ATTRIBUTES_H
#define MODEL_NET_JSON_ATTRIBUTES_H

#include <jansson.h>

#include "net/graph.h"

json_t *attributes_to_json(const struct net_attributes *attributes); /* NULL: out of memory */
/* False: something is none of the attributes that there are, or not of its kind. */
bool attributes_from_json(struct net_attributes *attributes, const json_t *object);

json_t *shape_to_json(const struct net_shape *shape);
bool shape_from_array(struct net_shape *shape, const json_t *array);

#endif
