#include "data/schema.h"

#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/number.h"

static void texts_free(char **texts, uint32_t n)
{
    for (uint32_t i = 0; texts && i < n; i++) mem_free(texts[i]);
    mem_free(texts);
}

static char **texts_copy(char **texts, uint32_t n)
{
    char **copy = mem_zalloc(n, sizeof *copy);
    for (uint32_t i = 0; copy && i < n; i++) {
        copy[i] = mem_strdup(texts[i]);
        if (copy[i]) continue;
        texts_free(copy, n);
        return NULL;
    }
    return copy;
}

static bool feature_copy(struct feature *out, const struct feature *feature)
{
    *out = *feature;
    out->categories = NULL;
    out->name = mem_strdup(feature->name);
    if (feature->n_categories) out->categories = texts_copy(feature->categories, feature->n_categories);
    return out->name && (out->categories || !feature->n_categories);
}

static bool parts_copy(struct bramble_schema *out, const struct bramble_schema *schema)
{
    out->features = mem_zalloc(schema->n_features, sizeof *out->features);
    if (!out->features) return false;
    for (uint32_t f = 0; f < schema->n_features; f++)
        if (!feature_copy(&out->features[f], &schema->features[f])) return false;
    if (schema->target_name && !(out->target_name = mem_strdup(schema->target_name))) return false;
    if (schema->n_classes && !(out->classes = texts_copy(schema->classes, schema->n_classes))) return false;
    return true;
}

bramble_status schema_copy(struct bramble_schema *out, const struct bramble_schema *schema,
                           bramble_error *error)
{
    *out = *schema;
    out->features = NULL;
    out->target_name = NULL;
    out->classes = NULL;
    if (parts_copy(out, schema)) return BRAMBLE_OK;
    schema_fini(out);
    return error_memory(error, "the names of the columns");
}

void schema_fini(struct bramble_schema *schema)
{
    for (uint32_t f = 0; schema->features && f < schema->n_features; f++) {
        mem_free(schema->features[f].name);
        texts_free(schema->features[f].categories, schema->features[f].n_categories);
    }
    mem_free(schema->features);
    mem_free(schema->target_name);
    texts_free(schema->classes, schema->n_classes);
    *schema = (struct bramble_schema){0};
}

/* Like strcmp of a terminated text with one of a given length. */
static int compare(const char *text, const char *other, size_t length)
{
    int order = strncmp(text, other, length);
    if (order) return order;
    return text[length] ? 1 : 0;
}

uint8_t schema_category_code(const struct feature *feature, const char *text, size_t length)
{
    uint32_t sorted = feature->n_categories - (feature->has_other && feature->n_categories);
    uint32_t low = 0, high = sorted;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = compare(feature->categories[middle], text, length);
        if (order == 0) return (uint8_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return (uint8_t)(feature->has_other ? sorted : CATEGORY_MISSING);
}

bool schema_classes_numeric(const struct bramble_schema *schema)
{
    double value;
    for (uint32_t c = 0; c < schema->n_classes; c++)
        if (!number_parse(schema->classes[c], strlen(schema->classes[c]), &value)) return false;
    return schema->n_classes > 0;
}

bool schema_class_code(const struct bramble_schema *schema, const char *text, size_t length, uint32_t *code)
{
    double wanted = 0, value;
    bool numeric = number_parse(text, length, &wanted) && schema_classes_numeric(schema);
    for (uint32_t c = 0; c < schema->n_classes; c++) {
        const char *name = schema->classes[c];
        bool same = numeric ? number_parse(name, strlen(name), &value) && value == wanted
                            : strlen(name) == length && memcmp(name, text, length) == 0;
        if (!same) continue;
        *code = c;
        return true;
    }
    return false;
}
