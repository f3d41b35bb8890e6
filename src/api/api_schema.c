/* What bramble/table.h tells about columns. A number out of range gives NULL or 0. */
#include <bramble/table.h>

#include "data/schema.h"

static const struct feature *find_feature(const bramble_schema *schema, uint32_t feature)
{
    return feature < schema->n_features ? &schema->features[feature] : NULL;
}

uint32_t bramble_schema_n_features(const bramble_schema *schema)
{
    return schema->n_features;
}

const char *bramble_schema_feature_name(const bramble_schema *schema, uint32_t feature)
{
    const struct feature *found = find_feature(schema, feature);
    return found ? found->name : NULL;
}

bramble_feature_type bramble_schema_feature_type(const bramble_schema *schema, uint32_t feature)
{
    const struct feature *found = find_feature(schema, feature);
    return found ? found->type : BRAMBLE_FEATURE_BYTE;
}

uint32_t bramble_schema_n_categories(const bramble_schema *schema, uint32_t feature)
{
    const struct feature *found = find_feature(schema, feature);
    return found ? found->n_categories : 0;
}

const char *bramble_schema_category(const bramble_schema *schema, uint32_t feature, uint32_t category)
{
    const struct feature *found = find_feature(schema, feature);
    return found && category < found->n_categories ? found->categories[category] : NULL;
}

bool bramble_schema_image_size(const bramble_schema *schema, uint32_t size[2])
{
    if (!schema->shape[0]) return false;
    size[0] = schema->shape[0];
    size[1] = schema->shape[1];
    return true;
}

const char *bramble_schema_target_name(const bramble_schema *schema)
{
    return schema->target_name;
}

bramble_task bramble_schema_task(const bramble_schema *schema)
{
    return schema->task;
}

uint32_t bramble_schema_n_classes(const bramble_schema *schema)
{
    return schema->n_classes;
}

const char *bramble_schema_class_name(const bramble_schema *schema, uint32_t c)
{
    return c < schema->n_classes ? schema->classes[c] : NULL;
}
