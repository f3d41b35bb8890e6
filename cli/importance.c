#include "importance.h"

#include <stdio.h>

#include "report/readable.h"

enum { NAME_COLUMNS = 32, BAR_COLUMNS = 30 };

/* The order of the list: by importance, the first feature first where equal. */
static bool comes_before(const double *importances, uint32_t a, uint32_t b)
{
    return importances[a] != importances[b] ? importances[a] > importances[b] : a < b;
}

/* The one that follows `last` in the list, or the first of all when last is n. */
static uint32_t next_feature(const double *importances, uint32_t n, uint32_t last)
{
    uint32_t best = n;
    for (uint32_t f = 0; f < n; f++) {
        if (last < n && !comes_before(importances, last, f)) continue;
        if (best == n || comes_before(importances, f, best)) best = f;
    }
    return best;
}

static void print_line(const char *feature, double importance, double most)
{
    char bar[BAR_COLUMNS + 1];
    unsigned length = most > 0 ? (unsigned)(importance / most * BAR_COLUMNS + 0.5) : 0;
    for (unsigned i = 0; i < length; i++) bar[i] = '#';
    bar[length] = 0;
    struct readable name = readable_name(feature, NAME_COLUMNS);
    printf("  %s%*s %8s  %s\n", name.text, (int)(NAME_COLUMNS - readable_columns(name.text)), "",
           readable_percent(importance).text, bar);
}

void importance_print(const bramble_model *model, uint32_t most, const char *heading)
{
    const bramble_schema *schema = bramble_model_schema(model);
    const double *importances = bramble_model_importances(model);
    uint32_t n = bramble_schema_n_features(schema), feature = n;
    double first = 0, rest = 0;
    for (uint32_t f = 0; f < n; f++) rest += importances[f];
    printf("%s\n", heading);
    for (uint32_t i = 0; i < n && i < most; i++) {
        feature = next_feature(importances, n, feature);
        if (i == 0) first = importances[feature];
        rest -= importances[feature];
        print_line(bramble_schema_feature_name(schema, feature), importances[feature], first);
    }
    if (n > most)
        printf("  and %s more: %s\n", readable_count(n - most).text,
               readable_percent(rest > 0 ? rest : 0).text);
}
