/*
 * Machines and links one does not own yet: the catalogue of boards.json, which is built into the library. It
 * names its sources.
 */
#ifndef PLAN_BOARDS_H
#define PLAN_BOARDS_H

#include <bramble/error.h>
#include <stdbool.h>
#include <stddef.h>

#include "plan/platform.h"

enum { BOARDS_MOST = 64 };

struct board {
    char name[PLAN_NAME], text[PLAN_NAME];
    uint32_t cores;
    double gemm_gflops, tree_rate; /* as node reports have them */
    double core_rate;              /* of a core, likewise */
    double memory;                 /* bytes */
    double spread;
    char link[PLAN_NAME]; /* a link's name */
};

struct board_link {
    char name[PLAN_NAME];
    struct plan_link link;
};

struct boards {
    struct board boards[BOARDS_MOST];
    struct board_link links[BOARDS_MOST];
    uint32_t n_boards, n_links;
};

/* The catalogue; *out is the caller's to mem_free. */
bramble_status boards_open(struct boards **out, bramble_error *error);
/* Any text as one: BRAMBLE_ERR_DATA where a figure is missing or out of reason. */
bramble_status boards_read(struct boards **out, const char *text, size_t length, bramble_error *error);

/* By name; NULL: none of that name. */
const struct board *boards_find(const struct boards *boards, const char *name);
const struct plan_link *boards_link(const struct boards *boards, const char *name);

/* "pi3b+, pi4, ...": all names, into buffer. */
void boards_names(const struct boards *boards, char *buffer, size_t size);
void boards_link_names(const struct boards *boards, char *buffer, size_t size);

/* "2xpi5" and "pi5" (one of them): how many, and the name within the word. False: neither, or more than
 * COUNT_MOST. */
enum { COUNT_MOST = 100000 };
bool boards_word(const char *word, uint32_t *count, const char **name);

#endif
