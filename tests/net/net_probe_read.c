#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/onnx_net_read.h"
#include "net_probe.h"

enum { WORDS_MAX = 64, LINE_BYTES = 4096 };

/* A line's words, taken one after the other. */
struct words {
    char *word[WORDS_MAX];
    uint32_t n, at;
};

void probe_die(const char *what, const char *which)
{
    fprintf(stderr, "net_probe: %s: %s\n", which, what);
    exit(2);
}

void probe_numbers(struct probe *probe, void *out, size_t n)
{
    if (fread(out, 4, n, probe->numbers) != n) probe_die("CASE.in has too few numbers", "numbers");
}

static struct words split_line(char *line)
{
    struct words words = {0};
    char *rest = NULL;
    for (char *word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
        if (words.n == WORDS_MAX) probe_die("too many words in a line", word);
        words.word[words.n++] = word;
    }
    return words;
}

static char *next(struct words *words)
{
    if (words->at == words->n) probe_die("too few words", words->word[0]);
    return words->word[words->at++];
}

static double next_number(struct words *words)
{
    return strtod(next(words), NULL);
}

static uint32_t find(const char *word, const char *const *names, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (strcmp(word, names[i]) == 0) return i;
    probe_die("not a word that is known here", word);
}

static void name_value(struct probe *probe, const char *name, uint32_t value)
{
    struct probe_name *names = realloc(probe->names, (probe->n_names + 1) * sizeof *names);
    if (!names) probe_die("out of memory", name);
    probe->names = names;
    names[probe->n_names] = (struct probe_name){.name = strdup(name), .value = value};
    if (!names[probe->n_names++].name) probe_die("out of memory", name);
}

static uint32_t value_named(const struct probe *probe, const char *name)
{
    for (uint32_t i = 0; i < probe->n_names; i++)
        if (strcmp(probe->names[i].name, name) == 0) return probe->names[i].value;
    probe_die("there is no such value", name);
}

static bramble_status read_value(struct probe *probe, struct words *words, bramble_error *error)
{
    static const char *const kinds[] = {"input", "parameter", "state", "constant"};
    static const enum net_kind kind_of[] = {NET_INPUT, NET_PARAMETER, NET_STATE, NET_CONSTANT};
    struct net_value_new value = {.kind = kind_of[find(next(words), kinds, 4)]};
    value.name = next(words);
    value.decays = next_number(words) != 0;
    while (words->at < words->n && value.shape.rank < NET_RANK_MAX)
        value.shape.dim[value.shape.rank++] = (uint32_t)next_number(words);
    size_t size = shape_size(&value.shape);
    float *numbers = calloc(size, sizeof *numbers);
    if (!numbers) probe_die("out of memory", value.name);
    if (value.kind != NET_INPUT) probe_numbers(probe, numbers, size);
    value.numbers = value.kind == NET_INPUT ? NULL : numbers;
    uint32_t number;
    bramble_status status = graph_add_value(&probe->graph, &value, &number, error);
    free(numbers);
    if (!status) name_value(probe, value.name, number);
    return status;
}

/* Attributes by their names in struct net_attributes. */
static const struct attribute {
    const char *name;
    enum { WHOLE, REAL, YES } kind;
    size_t offset;
    uint32_t most;
} attributes[] = {
#define ATTRIBUTE(name, kind, most)                                                                          \
    {                                                                                                        \
#name, kind, offsetof(struct net_attributes, name), most                                             \
    }
    ATTRIBUTE(kernel, WHOLE, 2),
    ATTRIBUTE(stride, WHOLE, 2),
    ATTRIBUTE(dilation, WHOLE, 2),
    ATTRIBUTE(pad, WHOLE, 4),
    ATTRIBUTE(group, WHOLE, 1),
    ATTRIBUTE(count_include_pad, YES, 1),
    ATTRIBUTE(ceil_mode, YES, 1),
    ATTRIBUTE(alpha, REAL, 1),
    ATTRIBUTE(beta, REAL, 1),
    ATTRIBUTE(n_axes, WHOLE, 1),
    ATTRIBUTE(epsilon, REAL, 1),
    ATTRIBUTE(momentum, REAL, 1),
    ATTRIBUTE(rate, REAL, 1),
    ATTRIBUTE(axis, WHOLE, 1),
    ATTRIBUTE(perm, WHOLE, NET_RANK_MAX),
    ATTRIBUTE(split, WHOLE, NET_OUTPUTS_MAX),
    ATTRIBUTE(transpose_b, YES, 1),
    ATTRIBUTE(approximate, YES, 1),
    ATTRIBUTE(hidden, WHOLE, 1),
    ATTRIBUTE(reverse, YES, 1),
    ATTRIBUTE(bidirectional, YES, 1),
    ATTRIBUTE(linear_before_reset, YES, 1),
    ATTRIBUTE(relu, YES, 1),
    {"shape", WHOLE, offsetof(struct net_attributes, shape.dim), NET_RANK_MAX},
};

static void put_number(const struct attribute *attribute, void *at, uint32_t i, double number)
{
    switch (attribute->kind) {
    case WHOLE: ((uint32_t *)at)[i] = (uint32_t)number; break;
    case REAL: ((float *)at)[i] = (float)number; break;
    case YES: ((bool *)at)[i] = number != 0; break;
    }
}

static void read_attribute(struct net_attributes *out, char *word)
{
    char *numbers = strchr(word, '=');
    if (!numbers) probe_die("not ATTRIBUTE=NUMBER", word);
    *numbers++ = '\0';
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        if (strcmp(word, attributes[i].name) != 0) continue;
        uint32_t n = 0;
        for (char *rest = numbers; *rest && n < attributes[i].most; n++) {
            put_number(&attributes[i], (char *)out + attributes[i].offset, n, strtod(rest, &rest));
            if (*rest == ',') rest++;
        }
        if (strcmp(word, "shape") == 0) out->shape.rank = n;
        return;
    }
    probe_die("there is no such attribute", word);
}

static bramble_status read_node(struct probe *probe, struct words *words, bramble_error *error)
{
    const char *outputs[NET_OUTPUTS_MAX];
    uint32_t inputs[NET_INPUTS_MAX], first;
    struct net_node_new node = {.op = next(words), .inputs = inputs, .attributes = NET_ATTRIBUTES_INIT};
    node.n_outputs = (uint32_t)next_number(words);
    for (uint32_t i = 0; i < node.n_outputs; i++) outputs[i % NET_OUTPUTS_MAX] = next(words);
    node.n_inputs = (uint32_t)next_number(words);
    for (uint32_t i = 0; i < node.n_inputs; i++) {
        const char *name = next(words);
        bool given = strcmp(name, "-") != 0;
        inputs[i % NET_INPUTS_MAX] = given ? value_named(probe, name) : NET_NONE;
    }
    while (words->at < words->n) read_attribute(&node.attributes, next(words));
    node.name = outputs[0];
    bramble_status status = graph_add_node(&probe->graph, &node, &first, error);
    for (uint32_t i = 0; i < node.n_outputs && !status; i++) name_value(probe, outputs[i], first + i);
    return status;
}

static bramble_status read_onnx(struct probe *probe, const char *path, bramble_error *error)
{
    struct net_graph *graph;
    bramble_status status = onnx_net_read(&graph, NULL, true, path, error);
    if (status) return status;
    probe->graph = *graph;
    mem_free(graph);
    return BRAMBLE_OK;
}

static void read_loss(struct probe *probe, struct words *words)
{
    static const char *const kinds[] = {"cross_entropy", "mean_squared_error", "binary_cross_entropy",
                                        "huber"};
    struct loss_options *loss = &probe->options.loss;
    loss->kind = (enum loss_kind)find(next(words), kinds, 4);
    loss->label_smoothing = next_number(words);
    loss->delta = next_number(words);
}

static void read_optimiser(struct probe *probe, struct words *words)
{
    static const char *const kinds[] = {"sgd", "adam", "adamw", "rmsprop"};
    static const char *const names[] = {"momentum", "beta1",        "beta2",     "alpha",
                                        "epsilon",  "weight_decay", "clip_norm", "nesterov"};
    struct optimiser_options *options = &probe->options.optimiser;
    *options = (struct optimiser_options)OPTIMISER_OPTIONS_INIT;
    double *const numbers[] = {&options->momentum, &options->beta1,   &options->beta2,
                               &options->alpha,    &options->epsilon, &options->weight_decay,
                               &options->clip_norm};
    options->kind = (enum optimiser_kind)find(next(words), kinds, 4);
    while (words->at < words->n) {
        char *name = next(words), *number = strchr(name, '=');
        if (!number) probe_die("not OPTION=NUMBER", name);
        *number++ = '\0';
        uint32_t which = find(name, names, 8);
        if (which < 7)
            *numbers[which] = strtod(number, NULL);
        else
            options->nesterov = strtod(number, NULL) != 0;
    }
}

static void read_train(struct probe *probe, struct words *words)
{
    probe->options.batch_size = (uint32_t)next_number(words);
    probe->steps = (uint32_t)next_number(words);
    probe->learning_rate = next_number(words);
    probe->options.threads = (uint32_t)next_number(words);
}

static bramble_status read_line(struct probe *probe, struct words *words, bramble_error *error)
{
    static const char *const things[] = {"value", "node", "output", "onnx", "loss", "optimiser", "train"};
    switch (find(next(words), things, sizeof things / sizeof *things)) {
    case 0: return read_value(probe, words, error);
    case 1: return read_node(probe, words, error);
    case 2: return graph_finish(&probe->graph, value_named(probe, next(words)), error);
    case 3: return read_onnx(probe, next(words), error);
    case 4: read_loss(probe, words); break;
    case 5: read_optimiser(probe, words); break;
    case 6: read_train(probe, words); break;
    }
    return BRAMBLE_OK;
}

static FILE *open_part(const char *prefix, const char *suffix)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s", prefix, suffix);
    FILE *file = fopen(path, "rb");
    if (!file) probe_die("cannot open it", path);
    return file;
}

bramble_status probe_read(struct probe *probe, const char *prefix, bramble_error *error)
{
    char line[LINE_BYTES];
    FILE *file = open_part(prefix, ".txt");
    bramble_status status = BRAMBLE_OK;
    *probe = (struct probe){.numbers = open_part(prefix, ".in")};
    graph_init(&probe->graph);
    while (!status && fgets(line, sizeof line, file)) {
        struct words words = split_line(line);
        if (words.n) status = read_line(probe, &words, error);
    }
    fclose(file);
    return status;
}

void probe_fini(struct probe *probe)
{
    graph_fini(&probe->graph);
    fclose(probe->numbers);
    for (uint32_t i = 0; i < probe->n_names; i++) free(probe->names[i].name);
    free(probe->names);
}
