#include "net/presets.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/suggest.h"

struct preset {
    const char *name, *summary, *text;
    bool images; /* takes nothing else */
};

#define BLOCK(channels)                                                                                      \
    "residual\n"                                                                                             \
    "  conv " channels " 3x3 pad 1 nobias\n"                                                                 \
    "  batchnorm relu\n"                                                                                     \
    "  conv " channels " 3x3 pad 1 nobias\n"                                                                 \
    "  batchnorm\n"                                                                                          \
    "end relu\n"
#define HALVING_BLOCK(channels)                                                                              \
    "residual\n"                                                                                             \
    "  conv " channels " 3x3 stride 2 pad 1 nobias\n"                                                        \
    "  batchnorm relu\n"                                                                                     \
    "  conv " channels " 3x3 pad 1 nobias\n"                                                                 \
    "  batchnorm\n"                                                                                          \
    "shortcut\n"                                                                                             \
    "  conv " channels " 1x1 stride 2 nobias\n"                                                              \
    "  batchnorm\n"                                                                                          \
    "end relu\n"

/* clang-format off */
static const char resnet20[] =
    "conv 16 3x3 pad 1 nobias\n"
    "batchnorm relu\n"
    "repeat 3\n" BLOCK("16") "end\n"
    HALVING_BLOCK("32")
    "repeat 2\n" BLOCK("32") "end\n"
    HALVING_BLOCK("64")
    "repeat 2\n" BLOCK("64") "end\n"
    "globalavgpool\n"
    "dense outputs\n";
/* clang-format on */

static const struct preset presets[] = {
    {"linear", "one dense layer: linear or logistic regression", "flatten\ndense outputs\n", false},
    {"mlp", "dense layers of 512 and 256 units",
     "flatten\n"
     "dense 512 relu\n"
     "dense 256 relu\n"
     "dense outputs\n",
     false},
    {"mlp-small", "two dense layers of 64 units",
     "flatten\n"
     "dense 64 relu\n"
     "dense 64 relu\n"
     "dense outputs\n",
     false},
    {"cnn", "two convolutions with pooling and a dense layer of 128 units, for images",
     "conv 32 3x3 pad 1 relu\n"
     "maxpool 2\n"
     "conv 64 3x3 pad 1 relu\n"
     "maxpool 2\n"
     "flatten\n"
     "dense 128 relu\n"
     "dense outputs\n",
     true},
    {"resnet20", "residual network of 20 layers, for images", resnet20, true},
};
enum { N_PRESETS = sizeof presets / sizeof *presets };

const char *preset_name(uint32_t i)
{
    return i < N_PRESETS ? presets[i].name : NULL;
}

const char *preset_summary(uint32_t i)
{
    return i < N_PRESETS ? presets[i].summary : NULL;
}

static const struct preset *find(const char *name)
{
    for (uint32_t i = 0; i < N_PRESETS; i++)
        if (strcmp(presets[i].name, name) == 0) return &presets[i];
    return NULL;
}

const char *preset_text(const char *name)
{
    const struct preset *preset = find(name);
    return preset ? preset->text : NULL;
}

static bramble_status refuse_name(const char *name, bramble_error *error)
{
    struct suggestion near = suggestion_begin(name);
    char list[128];
    size_t length = 0;
    for (uint32_t i = 0; i < N_PRESETS; i++) {
        suggestion_offer(&near, presets[i].name);
        length +=
            (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", presets[i].name);
    }
    if (near.word)
        return error_set(error, BRAMBLE_ERR_USAGE, "there is no network \"%.80s\"; did you mean %s?", name,
                         near.word);
    return error_set(error, BRAMBLE_ERR_USAGE,
                     "there is no network \"%.80s\"; there are %s, or the name of a file", name, list);
}

bramble_status preset_build(struct net_graph *graph, const char *name,
                            const struct layer_list_options *options, bramble_error *error)
{
    const struct preset *preset = find(name);
    char text[64];
    if (!preset) return refuse_name(name, error);
    if (preset->images && options->input.rank != 3)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s is for images, and this data's rows are %s numbers; take mlp, mlp-small or "
                         "linear",
                         name, options->input.rank <= NET_RANK_MAX ? shape_text(&options->input, text) : "?");
    return layer_list_build(graph, preset->text, strlen(preset->text), name, options, error);
}
