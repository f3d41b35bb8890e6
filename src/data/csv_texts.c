#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "data/csv.h"

enum { FIRST_SLOTS = 8 }; /* there may be a million columns */

static bool grow_list(struct texts *texts)
{
    uint32_t capacity = texts->capacity ? texts->capacity * 2 : FIRST_SLOTS / 2;
    char **list = mem_resize(texts->list, capacity, sizeof *list);
    if (list) texts->list = list;
    uint32_t *lengths = mem_resize(texts->lengths, capacity, sizeof *lengths);
    if (lengths) texts->lengths = lengths;
    uint32_t *hashes = mem_resize(texts->hashes, capacity, sizeof *hashes);
    if (hashes) texts->hashes = hashes;
    if (!list || !lengths || !hashes) return false;
    texts->capacity = capacity;
    return true;
}

static bool grow_slots(struct texts *texts)
{
    uint32_t n_slots = texts->n_slots ? texts->n_slots * 2 : FIRST_SLOTS;
    uint32_t *slots = mem_zalloc(n_slots, sizeof *slots);
    if (!slots) return false;
    for (uint32_t i = 0; i < texts->n; i++) {
        uint32_t slot = texts->hashes[i] & (n_slots - 1);
        while (slots[slot]) slot = (slot + 1) & (n_slots - 1);
        slots[slot] = i + 1;
    }
    mem_free(texts->slots);
    texts->slots = slots;
    texts->n_slots = n_slots;
    return true;
}

/* Slot of the text, or the free one where it belongs. */
static uint32_t find_slot(const struct texts *texts, const char *text, size_t length, uint32_t hash)
{
    uint32_t slot = hash & (texts->n_slots - 1);
    for (; texts->slots[slot]; slot = (slot + 1) & (texts->n_slots - 1)) {
        uint32_t i = texts->slots[slot] - 1;
        if (texts->hashes[i] == hash && texts->lengths[i] == length &&
            memcmp(texts->list[i], text, length) == 0)
            break;
    }
    return slot;
}

uint32_t texts_add(struct texts *texts, const char *text, size_t length)
{
    if (!texts->slots && !grow_slots(texts)) return TEXTS_FAILED;
    uint32_t hash = (uint32_t)XXH3_64bits(text, length);
    uint32_t slot = find_slot(texts, text, length, hash);
    if (texts->slots[slot]) return texts->slots[slot] - 1;
    if (texts->n == TEXTS_MAX || texts->bytes + length > TEXTS_BYTES_MAX) return TEXT16_REST;
    if (texts->n == texts->capacity && !grow_list(texts)) return TEXTS_FAILED;
    if (texts->n * 2 >= texts->n_slots) {
        if (!grow_slots(texts)) return TEXTS_FAILED;
        slot = find_slot(texts, text, length, hash);
    }
    char *copy = mem_strndup(text, length);
    if (!copy) return TEXTS_FAILED;
    uint32_t number = texts->n++;
    texts->list[number] = copy;
    texts->lengths[number] = (uint32_t)length;
    texts->hashes[number] = hash;
    texts->slots[slot] = number + 1;
    texts->bytes += length;
    return number;
}

void texts_fini(struct texts *texts)
{
    for (uint32_t i = 0; texts->list && i < texts->n; i++) mem_free(texts->list[i]);
    mem_free(texts->list);
    mem_free(texts->lengths);
    mem_free(texts->hashes);
    mem_free(texts->slots);
    *texts = (struct texts){0};
}
