#include "net/layer_list.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "data/infile.h"
#include "net/layer.h"

/* A text on its way to becoming layers. */
struct list {
    const char *file;
    struct layer *layers;
    uint32_t n, room;
    uint32_t open[LAYER_LIST_DEPTH], depth; /* blocks without their end, by place */
};

static bramble_status push_layer(struct list *list, const struct layer *layer, bramble_error *error)
{
    if (list->n == LAYER_LIST_LAYERS)
        return layer_refuse(list->file, layer->line, error, "there are more than %d layers",
                            LAYER_LIST_LAYERS);
    if (list->n == list->room) {
        uint32_t room = list->room ? 2 * list->room : 32;
        struct layer *larger = mem_resize(list->layers, room, sizeof *larger);
        if (!larger) return error_memory(error, "a list of layers");
        list->layers = larger;
        list->room = room;
    }
    list->layers[list->n++] = *layer;
    return BRAMBLE_OK;
}

static bramble_status open_block(struct list *list, const struct layer *layer, bramble_error *error)
{
    if (list->depth == LAYER_LIST_DEPTH)
        return layer_refuse(list->file, layer->line, error, "blocks lie in each other more than %d deep",
                            LAYER_LIST_DEPTH);
    list->open[list->depth++] = list->n - 1;
    return BRAMBLE_OK;
}

/* The block that the line just read belongs to, NULL: to none. */
static struct layer *innermost(struct list *list)
{
    return list->depth ? &list->layers[list->open[list->depth - 1]] : NULL;
}

static bramble_status refuse_empty(const struct list *list, const struct layer *layer, bramble_error *error)
{
    return layer_refuse(list->file, layer->line, error, "there is no layer before this %s; write one",
                        layer->kind->name);
}

static bramble_status take_shortcut(struct list *list, const struct layer *layer, bramble_error *error)
{
    struct layer *block = innermost(list);
    if (!block || block->kind->block != BLOCK_RESIDUAL)
        return layer_refuse(list->file, layer->line, error,
                            "shortcut stands outside of residual and its end");
    if (block->shortcut)
        return layer_refuse(list->file, layer->line, error, "residual on line %u has a shortcut already",
                            block->line);
    block->shortcut = list->n - 1;
    return list->n - 2 == list->open[list->depth - 1] ? refuse_empty(list, layer, error) : BRAMBLE_OK;
}

static bramble_status close_block(struct list *list, const struct layer *layer, bramble_error *error)
{
    struct layer *block = innermost(list);
    if (!block)
        return layer_refuse(list->file, layer->line, error,
                            "end stands here without a residual or repeat that it ends");
    if (block->kind->block == BLOCK_REPEAT && layer->activation)
        return layer_refuse(list->file, layer->line, error,
                            "the end of a repeat takes no activation; put %s on a line before it",
                            layer->activation->name);
    uint32_t begin = block->shortcut ? block->shortcut : list->open[list->depth - 1];
    block->end = list->n - 1;
    if (!block->shortcut) block->shortcut = block->end;
    list->depth--;
    return begin + 1 == block->end ? refuse_empty(list, layer, error) : BRAMBLE_OK;
}

static bramble_status take_layer(struct list *list, const struct layer *layer, bramble_error *error)
{
    bramble_status status = push_layer(list, layer, error);
    if (status) return status;
    switch (layer->kind->block) {
    case BLOCK_RESIDUAL:
    case BLOCK_REPEAT: return open_block(list, layer, error);
    case BLOCK_SHORTCUT: return take_shortcut(list, layer, error);
    case BLOCK_END: return close_block(list, layer, error);
    case BLOCK_NONE: break;
    }
    return BRAMBLE_OK;
}

/* A line without its comment; only a comment may have other than plain characters. */
static bramble_status take_line(struct list *list, uint32_t line, const char *text, size_t length,
                                bramble_error *error)
{
    const char *comment = memchr(text, '#', length);
    if (comment) length = (size_t)(comment - text);
    for (size_t i = 0; i < length; i++)
        if ((text[i] < 0x20 && text[i] != '\t' && text[i] != '\r') || text[i] == 0x7f)
            return layer_refuse(list->file, line, error,
                                "there is a character that belongs into no layer list; write letters, digits "
                                "and blanks, a layer a line");
    struct layer layer;
    bramble_status status = layer_parse(&layer, list->file, line, text, length, error);
    return status || !layer.kind ? status : take_layer(list, &layer, error);
}

static bramble_status take_text(struct list *list, const char *text, size_t length, bramble_error *error)
{
    const char *end = text + length;
    uint32_t line = 1;
    for (; text < end; line++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text)), *stop = newline ? newline : end;
        bramble_status status = take_line(list, line, text, (size_t)(stop - text), error);
        if (status) return status;
        text = newline ? newline + 1 : end;
    }
    struct layer *block = innermost(list);
    if (block)
        return layer_refuse(list->file, block->line, error,
                            "%s has no end; write end behind the last of its layers", block->kind->name);
    if (!list->n) return layer_refuse(list->file, line, error, "there is no layer; write: dense outputs");
    return BRAMBLE_OK;
}

static bramble_status build_range(struct layer_builder *b, uint32_t from, uint32_t to, bramble_error *error);

/* Counts the layer and names it. */
static bramble_status begin_layer(struct layer_builder *b, const struct layer *layer, bramble_error *error)
{
    b->line = layer->line;
    if (b->n_layers++ == LAYER_LIST_LAYERS)
        return builder_refuse(b, error, "repeats make more than %d layers; let them be fewer",
                              LAYER_LIST_LAYERS);
    snprintf(b->name, sizeof b->name, "%s%u", layer->kind->name, ++b->numbers[layer->kind - layer_kinds]);
    return BRAMBLE_OK;
}

static bramble_status add_up(struct layer_builder *b, uint32_t straight, const struct layer *end,
                             bramble_error *error)
{
    const uint32_t inputs[2] = {straight, b->value};
    const struct net_shape *one = &b->graph.values[straight].shape, *other = builder_shape(b);
    char texts[2][64];
    b->line = end->line;
    if (!shape_equal(one, other))
        return builder_refuse(b, error,
                              "the layers of residual give %s, which cannot be added to %s; change them, or "
                              "put behind shortcut what makes both alike",
                              shape_text(one, texts[0]), shape_text(other, texts[1]));
    bramble_status status = builder_node(b, "Add", NULL, inputs, 2, 1, NULL, error);
    return status ? status : layer_activate(b, end->activation, end->slope, "activation", error);
}

static bramble_status build_residual(struct layer_builder *b, uint32_t at, bramble_error *error)
{
    const struct layer *layer = &b->layers[at];
    uint32_t input = b->value;
    char name[sizeof b->name];
    memcpy(name, b->name, sizeof name);
    bramble_status status = build_range(b, at + 1, layer->shortcut, error);
    if (status) return status;
    uint32_t straight = b->value;
    b->value = input;
    if (layer->shortcut < layer->end) status = build_range(b, layer->shortcut + 1, layer->end, error);
    if (status) return status;
    memcpy(b->name, name, sizeof name);
    return add_up(b, straight, &b->layers[layer->end], error);
}

static bramble_status build_repeat(struct layer_builder *b, uint32_t at, bramble_error *error)
{
    const struct layer *layer = &b->layers[at];
    bramble_status status = BRAMBLE_OK;
    for (uint32_t i = 0; i < layer->units && !status; i++) status = build_range(b, at + 1, layer->end, error);
    return status;
}

static bramble_status build_range(struct layer_builder *b, uint32_t from, uint32_t to, bramble_error *error)
{
    bramble_status status = BRAMBLE_OK;
    for (uint32_t at = from; at < to && !status; at++) {
        const struct layer *layer = &b->layers[at];
        if (layer->kind->block != BLOCK_REPEAT) status = begin_layer(b, layer, error);
        if (status) return status;
        if (layer->kind->block == BLOCK_REPEAT)
            status = build_repeat(b, at, error);
        else if (layer->kind->block == BLOCK_RESIDUAL)
            status = build_residual(b, at, error);
        else
            status = layer->kind->add(b, layer, error);
        if (layer->kind->block) at = layer->end;
    }
    return status;
}

/* The last layer gives what the data needs, as numbers that a loss can take. */
static bramble_status check_end(const struct layer_builder *b, const struct layer *last, bramble_error *error)
{
    const struct net_shape *shape = builder_shape(b);
    const struct layer_kind *activation = last->kind->op ? last->kind : last->activation;
    char text[64];
    if (shape->rank != 1 || shape->dim[0] != b->options->n_outputs)
        return layer_refuse(b->file, last->line, error,
                            "the last layer gives %s, but the data needs %u %s; end with the line: dense "
                            "outputs",
                            shape_text(shape, text), b->options->n_outputs,
                            b->options->n_outputs == 1 ? "output" : "outputs");
    if (activation && strcmp(activation->op, "Softmax") == 0)
        return layer_refuse(b->file, last->line, error,
                            "leave out softmax at the end: the loss has it, and predictions get it too");
    return BRAMBLE_OK;
}

static bramble_status check_options(const struct layer_list_options *options, bramble_error *error)
{
    const struct net_shape *shape = &options->input;
    size_t size = shape->rank >= 1 && shape->rank <= NET_RANK_MAX ? shape_size(shape) : 0;
    if (size < 1 || size > LAYER_LIST_ACTIVATIONS)
        return error_set(error, BRAMBLE_ERR_DATA,
                         "rows of %zu numbers are nothing that a list of layers takes; 1 to %d are possible",
                         size, LAYER_LIST_ACTIVATIONS);
    if (options->n_outputs < 1 || options->n_outputs > LAYER_LIST_NUMBER)
        return error_set(error, BRAMBLE_ERR_DATA, "a network has 1 to %d outputs, not %u", LAYER_LIST_NUMBER,
                         options->n_outputs);
    return BRAMBLE_OK;
}

static bramble_status build(struct layer_builder *b, const struct list *list, bramble_error *error)
{
    const struct net_value_new input = {.name = "input", .kind = NET_INPUT, .shape = b->options->input};
    bramble_error why = {0};
    bramble_status status = check_options(b->options, error);
    if (!status) status = graph_add_value(&b->graph, &input, &b->value, error);
    if (!status) status = build_range(b, 0, list->n, error);
    if (!status) status = check_end(b, &list->layers[list->n - 1], error);
    if (status) return status;
    b->line = list->layers[list->n - 1].line;
    status = graph_finish(&b->graph, b->value, &why);
    if (status == BRAMBLE_ERR_MEMORY) return error_set(error, status, "%s", why.message);
    return status ? builder_refuse(b, error, "%s", why.message) : BRAMBLE_OK;
}

static bramble_status build_list(struct net_graph *graph, const struct list *list,
                                 const struct layer_list_options *options, bramble_error *error)
{
    size_t n_kinds = 0;
    while (layer_kinds[n_kinds].name) n_kinds++;
    struct layer_builder b = {.options = options, .file = list->file, .layers = list->layers};
    b.numbers = mem_zalloc(n_kinds, sizeof *b.numbers);
    if (!b.numbers) return error_memory(error, "a list of layers");
    graph_init(&b.graph);
    bramble_status status = build(&b, list, error);
    mem_free(b.numbers);
    if (status)
        graph_fini(&b.graph);
    else
        *graph = b.graph;
    return status;
}

bramble_status layer_list_build(struct net_graph *graph, const char *text, size_t length, const char *name,
                                const struct layer_list_options *options, bramble_error *error)
{
    struct list list = {.file = name};
    if (length > LAYER_LIST_BYTES)
        return error_set(error, BRAMBLE_ERR_DATA, "%.120s: a list of layers has up to %d bytes", name,
                         LAYER_LIST_BYTES);
    bramble_status status = take_text(&list, text, length, error);
    if (!status) status = build_list(graph, &list, options, error);
    mem_free(list.layers);
    return status;
}

bramble_status layer_list_read(struct net_graph *graph, const char *path,
                               const struct layer_list_options *options, bramble_error *error)
{
    struct infile *file;
    size_t length = 0;
    bramble_status status = infile_open(&file, path, error);
    if (status) return status;
    char *text = mem_alloc(LAYER_LIST_BYTES + 1, 1);
    status = text ? infile_read_full(file, text, LAYER_LIST_BYTES + 1, &length, error)
                  : error_memory(error, "a list of layers");
    infile_close(file);
    if (!status) status = layer_list_build(graph, text, length, path, options, error);
    mem_free(text);
    return status;
}
