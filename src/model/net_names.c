#include "model/net_names.h"

#include <string.h>

#include <xxhash.h>

#include "base/mem.h"

enum { ROOM_MIN = 64 };

static bool reserve(struct net_names *names, size_t room)
{
    names->entries = mem_zalloc(room, sizeof *names->entries);
    names->room = room;
    return names->entries != NULL;
}

bool names_init(struct net_names *names, size_t expected)
{
    size_t room = ROOM_MIN;
    while (room / 2 < expected) room *= 2;
    *names = (struct net_names){0};
    return reserve(names, room);
}

void names_fini(struct net_names *names)
{
    mem_free(names->entries);
    *names = (struct net_names){0};
}

static struct name_entry *place(const struct net_names *names, const char *name)
{
    size_t i = XXH3_64bits(name, strlen(name)) & (names->room - 1);
    while (names->entries[i].name && strcmp(names->entries[i].name, name) != 0)
        i = (i + 1) & (names->room - 1);
    return &names->entries[i];
}

const struct name_entry *names_find(const struct net_names *names, const char *name)
{
    const struct name_entry *entry = place(names, name);
    return entry->name ? entry : NULL;
}

static bool grow(struct net_names *names)
{
    struct net_names larger;
    if (!reserve(&larger, names->room * 2)) return false;
    larger.n = names->n;
    for (size_t i = 0; i < names->room; i++)
        if (names->entries[i].name) *place(&larger, names->entries[i].name) = names->entries[i];
    mem_free(names->entries);
    *names = larger;
    return true;
}

bool names_add(struct net_names *names, const char *name, uint32_t number)
{
    if (names->n >= names->room / 2 && !grow(names)) return false;
    *place(names, name) = (struct name_entry){name, number};
    names->n++;
    return true;
}

bool names_set(struct net_names *names, const char *name, uint32_t number)
{
    struct name_entry *entry = place(names, name);
    if (!entry->name) return names_add(names, name, number);
    entry->number = number;
    return true;
}
