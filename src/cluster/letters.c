#include "cluster/letters.h"

#include "base/mem.h"

void letters_fini(struct letters *letters)
{
    for (struct letter letter; letters_take(letters, &letter);) mem_free(letter.message);
    mem_free(letters->line);
    *letters = (struct letters){0};
}

static bool grow(struct letters *letters)
{
    size_t capacity = letters->capacity ? 2 * letters->capacity : 4;
    struct letter *line = mem_alloc(capacity, sizeof *line);
    if (!line) return false;
    for (size_t i = 0; i < letters->n; i++) line[i] = letters->line[(letters->begin + i) % letters->capacity];
    mem_free(letters->line);
    *letters = (struct letters){line, 0, letters->n, capacity};
    return true;
}

bool letters_put(struct letters *letters, const struct letter *letter)
{
    if (letters->n == letters->capacity && !grow(letters)) return false;
    letters->line[(letters->begin + letters->n++) % letters->capacity] = *letter;
    return true;
}

bool letters_take(struct letters *letters, struct letter *out)
{
    if (!letters->n) return false;
    *out = letters->line[letters->begin];
    letters->begin = (letters->begin + 1) % letters->capacity;
    letters->n--;
    return true;
}

size_t letters_of(const struct letters *letters, uint32_t member)
{
    size_t n = 0;
    for (size_t i = 0; i < letters->n; i++)
        n += letters->line[(letters->begin + i) % letters->capacity].member == member;
    return n;
}
