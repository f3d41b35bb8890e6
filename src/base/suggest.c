#include "base/suggest.h"

#include <string.h>

enum { WORD_MAX = 40 };

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Edits between two words of at most WORD_MAX bytes. */
static size_t edit_distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= m; j++) row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = least(row[j] + 1, row[j - 1] + 1, replaced);
        }
    }
    return row[m];
}

struct suggestion suggestion_begin(const char *typed)
{
    return (struct suggestion){.typed = typed, .distance = (size_t)-1};
}

void suggestion_offer(struct suggestion *suggestion, const char *word)
{
    size_t n = strlen(suggestion->typed), m = strlen(word);
    if (n > WORD_MAX || m > WORD_MAX || n == 0) return;
    size_t distance = edit_distance(suggestion->typed, n, word, m);
    if (n >= 2 && strncmp(suggestion->typed, word, n) == 0)
        distance = 1;
    else if (distance > (m < 6 ? 2 : m / 3) || distance >= m)
        return;
    if (distance >= suggestion->distance) return;
    suggestion->distance = distance;
    suggestion->word = word;
}
