#include "plan/boards.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "plan/boards_text.h"

static const char format_name[] = "bramble-boards-1";

/* A number within bounds. */
static bool number(const json_t *object, const char *key, double most, double *out)
{
    double value = json_number_value(json_object_get(object, key));
    *out = value;
    return value > 0 && value <= most;
}

static bool text(const json_t *object, const char *key, char *out)
{
    const char *value = json_string_value(json_object_get(object, key));
    if (!value || !*value || strlen(value) >= PLAN_NAME) return false;
    strcpy(out, value);
    return true;
}

static bool read_link(struct boards *boards, const json_t *object)
{
    struct board_link *link = &boards->links[boards->n_links];
    double up, down, latency;
    if (boards->n_links == BOARDS_MOST || !text(object, "name", link->name)) return false;
    if (!number(object, "up_mbit", 1e6, &up) || !number(object, "down_mbit", 1e6, &down)) return false;
    if (!number(object, "latency_ms", 1e4, &latency)) return false;
    link->link = (struct plan_link){up * 1e6 / 8, down * 1e6 / 8, latency * 1e-3};
    boards->n_links++;
    return true;
}

static bool read_board(struct boards *boards, const json_t *object)
{
    struct board *board = &boards->boards[boards->n_boards];
    double cores, memory;
    if (boards->n_boards == BOARDS_MOST) return false;
    bool fine = text(object, "name", board->name) && text(object, "text", board->text) &&
                text(object, "link", board->link) && number(object, "cores", 4096, &cores) &&
                number(object, "gemm_gflops", 1e6, &board->gemm_gflops) &&
                number(object, "tree_rate", 1e9, &board->tree_rate) &&
                number(object, "core_rate", 1e6, &board->core_rate) &&
                number(object, "memory_mb", 1e9, &memory) && number(object, "spread", 0.9, &board->spread) &&
                boards_link(boards, board->link);
    if (!fine) return false;
    board->cores = (uint32_t)cores;
    board->memory = memory * 1e6;
    boards->n_boards++;
    return board->cores > 0;
}

static bramble_status fill_in(struct boards *boards, const json_t *root, bramble_error *error)
{
    const json_t *links = json_object_get(root, "links"), *list = json_object_get(root, "boards");
    const char *format = json_string_value(json_object_get(root, "format"));
    if (!format || strcmp(format, format_name) != 0 || !json_is_array(links) || !json_is_array(list))
        return error_set(error, BRAMBLE_ERR_DATA, "this is no catalogue of boards");
    for (size_t i = 0; i < json_array_size(links); i++)
        if (!read_link(boards, json_array_get(links, i)))
            return error_set(error, BRAMBLE_ERR_DATA, "the catalogue's link %zu is damaged", i + 1);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!read_board(boards, json_array_get(list, i)))
            return error_set(error, BRAMBLE_ERR_DATA, "the catalogue's board %zu is damaged", i + 1);
    return BRAMBLE_OK;
}

bramble_status boards_read(struct boards **out, const char *bytes, size_t length, bramble_error *error)
{
    json_t *root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, NULL);
    struct boards *boards = mem_zalloc(1, sizeof *boards);
    bramble_status status = boards ? fill_in(boards, root, error) : error_memory(error, "the catalogue");
    json_decref(root);
    if (status)
        mem_free(boards);
    else
        *out = boards;
    return status;
}

bramble_status boards_open(struct boards **out, bramble_error *error)
{
    return boards_read(out, boards_text, boards_text_length, error);
}

const struct board *boards_find(const struct boards *boards, const char *name)
{
    for (uint32_t i = 0; i < boards->n_boards; i++)
        if (strcmp(boards->boards[i].name, name) == 0) return &boards->boards[i];
    return NULL;
}

const struct plan_link *boards_link(const struct boards *boards, const char *name)
{
    for (uint32_t i = 0; i < boards->n_links; i++)
        if (strcmp(boards->links[i].name, name) == 0) return &boards->links[i].link;
    return NULL;
}

static void add_name(char *buffer, size_t size, const char *name)
{
    size_t n = strlen(buffer);
    snprintf(buffer + n, size - n, "%s%s", n ? ", " : "", name);
}

void boards_names(const struct boards *boards, char *buffer, size_t size)
{
    *buffer = 0;
    for (uint32_t i = 0; i < boards->n_boards; i++) add_name(buffer, size, boards->boards[i].name);
}

void boards_link_names(const struct boards *boards, char *buffer, size_t size)
{
    *buffer = 0;
    for (uint32_t i = 0; i < boards->n_links; i++) add_name(buffer, size, boards->links[i].name);
}

bool boards_word(const char *word, uint32_t *count, const char **name)
{
    uint32_t n = 0;
    const char *at = word;
    for (; *at >= '0' && *at <= '9' && n <= COUNT_MOST; at++) n = 10 * n + (uint32_t)(*at - '0');
    if (n > COUNT_MOST) return false;
    bool counted = at > word && *at == 'x';
    *count = counted ? n : 1;
    *name = counted ? at + 1 : word;
    return **name && *count >= 1;
}
