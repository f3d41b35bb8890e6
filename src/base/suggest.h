/* "Did you mean": the nearest word to a mistyped one. */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

struct suggestion {
    const char *typed, *word; /* word: the nearest so far, or NULL */
    size_t distance;
};

/* Starts a search for what `typed` may have meant. */
struct suggestion suggestion_begin(const char *typed);

/* Considers `word`. A word that begins with what was typed is near; else edits are counted (insertions,
 * deletions, substitutions; Levenshtein 1966), and more than a third of the letters is too far. */
void suggestion_offer(struct suggestion *suggestion, const char *word);

#endif
