#include "model/net_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

static bramble_status say(struct net_reader *r, bramble_status status, const char *what, va_list args)
{
    char line[320];
    vsnprintf(line, sizeof line, what, args);
    if (!r->node) return error_set(r->error, status, "%s: %s", r->file, line);
    return error_set(r->error, status, "%s: node %zu \"%.60s\" (%.40s): %s", r->file, r->node_number,
                     r->node->name ? r->node->name : "", r->node->op_type ? r->node->op_type : "", line);
}

bramble_status reader_refuse(struct net_reader *r, const char *what, ...)
{
    va_list args;
    va_start(args, what);
    bramble_status status = say(r, BRAMBLE_ERR_DATA, what, args);
    va_end(args);
    return status;
}

bramble_status reader_unsupported(struct net_reader *r, const char *what, ...)
{
    va_list args;
    va_start(args, what);
    bramble_status status = say(r, BRAMBLE_ERR_UNSUPPORTED, what, args);
    va_end(args);
    return status;
}

bramble_status reader_memory(struct net_reader *r)
{
    return error_memory(r->error, "a network from an ONNX file");
}

bool reader_has_input(const struct net_reader *r, size_t i)
{
    return i < r->node->n_input && r->node->input[i] && *r->node->input[i];
}

const char *reader_source(const struct net_reader *r, size_t i)
{
    return reader_has_input(r, i) ? r->node->input[i] : NULL;
}

struct named *reader_named(struct net_reader *r, const char *name)
{
    const struct name_entry *entry = names_find(&r->names, name);
    return entry ? &r->named[entry->number] : NULL;
}

bramble_status reader_operand(struct net_reader *r, size_t i, struct operand *out)
{
    *out = (struct operand){0};
    if (!reader_has_input(r, i)) return BRAMBLE_OK;
    const struct named *named = reader_named(r, r->node->input[i]);
    if (!named)
        return reader_refuse(r, "uses \"%.80s\", which nothing before it makes; export the network again",
                             r->node->input[i]);
    if (named->is_view)
        out->view = &named->view;
    else
        out->known = &named->known;
    return BRAMBLE_OK;
}

bramble_status reader_view(struct net_reader *r, size_t i, const struct view **out)
{
    struct operand operand;
    bramble_status status = reader_operand(r, i, &operand);
    if (status) return status;
    if (!operand.view) return reader_refuse(r, "input %zu must come from the network's input", i);
    *out = operand.view;
    return BRAMBLE_OK;
}

bramble_status reader_known(struct net_reader *r, size_t i, const struct known **out)
{
    struct operand operand;
    bramble_status status = reader_operand(r, i, &operand);
    if (status) return status;
    if (!operand.known)
        return reader_refuse(r, "input %zu must be a constant, and is %s", i,
                             operand.view ? "computed from the network's input" : "not there");
    *out = operand.known;
    return BRAMBLE_OK;
}

static struct named *new_named(struct net_reader *r, const char *name)
{
    if (r->n_named == r->room_named) {
        size_t room = r->room_named ? r->room_named * 2 : 64;
        struct named *larger = mem_resize(r->named, room, sizeof *larger);
        if (!larger) return NULL;
        r->named = larger;
        r->room_named = room;
    }
    if (!names_add(&r->names, name, (uint32_t)r->n_named)) return NULL;
    struct named *named = &r->named[r->n_named++];
    *named = (struct named){.name = name, .weight = NET_NONE};
    return named;
}

bramble_status reader_define(struct net_reader *r, const char *name, const struct view *view,
                             struct known *known)
{
    bool taken = names_find(&r->names, name) != NULL;
    struct view kept = view ? *view : (struct view){0};
    struct named *named = taken ? NULL : new_named(r, name);
    if (!named) {
        if (known) known_fini(known);
        return taken ? reader_refuse(r, "two tensors are called \"%.80s\"; export the network again", name)
                     : reader_memory(r);
    }
    named->is_view = view != NULL;
    named->view = kept;
    if (known) named->known = *known;
    return BRAMBLE_OK;
}

static const char *output_name(const struct net_reader *r, size_t i)
{
    return i < r->node->n_output && r->node->output[i] && *r->node->output[i] ? r->node->output[i] : NULL;
}

bramble_status reader_define_view(struct net_reader *r, size_t i, const struct view *view)
{
    const char *name = output_name(r, i);
    return name ? reader_define(r, name, view, NULL) : BRAMBLE_OK;
}

bramble_status reader_define_known(struct net_reader *r, size_t i, struct known *known)
{
    const char *name = output_name(r, i);
    if (name) return reader_define(r, name, NULL, known);
    known_fini(known);
    return BRAMBLE_OK;
}

bramble_status reader_add(struct net_reader *r, const char *op, const uint32_t *inputs, uint32_t n_inputs,
                          uint32_t n_outputs, const struct net_attributes *attributes, uint32_t *first_output)
{
    struct net_node_new node = {.op = op,
                                .name = r->node && r->node->name && *r->node->name ? r->node->name : op,
                                .inputs = inputs,
                                .n_inputs = n_inputs,
                                .n_outputs = n_outputs,
                                .attributes =
                                    attributes ? *attributes : (struct net_attributes)NET_ATTRIBUTES_INIT};
    bramble_error inner = {0};
    bramble_status status = graph_add_node(r->graph, &node, first_output, &inner);
    if (status == BRAMBLE_ERR_MEMORY) return reader_memory(r);
    if (status) return error_set(r->error, status, "%s: %s", r->file, inner.message);
    for (uint32_t o = 0; o < n_outputs; o++)
        if (r->graph->values[*first_output + o].size > READER_SAMPLE_MAX)
            return reader_refuse(r, "makes more than %d numbers a sample; use a smaller network",
                                 READER_SAMPLE_MAX);
    return BRAMBLE_OK;
}

bramble_status reader_add_unary(struct net_reader *r, const char *op, uint32_t input,
                                const struct net_attributes *attributes, uint32_t *output)
{
    return reader_add(r, op, &input, 1, 1, attributes, output);
}
