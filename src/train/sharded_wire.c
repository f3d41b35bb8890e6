#include "train/sharded_wire.h"

#include <math.h>
#include <string.h>

enum { FOUND_BIT = 1, VARIES_BIT = 2, KIND_BITS = 3, MISSING_LEFT_BIT = 4 };

static void put(struct str *out, const void *value, size_t size)
{
    str_append(out, value, size); /* all machines that take part are little-endian (data/binned_layout.h) */
}

static const uint8_t *take(struct wire_reader *in, size_t n)
{
    if (in->failed || in->left < n) {
        in->failed = true;
        return NULL;
    }
    in->at += n;
    in->left -= n;
    return in->at - n;
}

static void get(struct wire_reader *in, void *value, size_t size)
{
    const uint8_t *bytes = take(in, size);
    if (bytes)
        memcpy(value, bytes, size);
    else
        memset(value, 0, size);
}

void wire_put_offer(struct str *out, const struct offer *offer)
{
    uint8_t bits = (uint8_t)((offer->found ? FOUND_BIT : 0) | (offer->varies ? VARIES_BIT : 0));
    put(out, &offer->score, sizeof offer->score);
    put(out, &offer->drawn, sizeof offer->drawn);
    put(out, &bits, 1);
}

struct offer wire_get_offer(struct wire_reader *in, uint32_t n_features)
{
    struct offer offer;
    uint8_t bits;
    get(in, &offer.score, sizeof offer.score);
    get(in, &offer.drawn, sizeof offer.drawn);
    get(in, &bits, 1);
    offer.found = bits & FOUND_BIT;
    offer.varies = bits & VARIES_BIT;
    in->failed |= offer.drawn >= n_features || (offer.found && !isfinite(offer.score));
    return offer;
}

void wire_put_question(struct str *out, const struct question *question, const uint8_t *sides, size_t n_rows)
{
    uint8_t bits = (uint8_t)(question->kind | (question->missing_left ? MISSING_LEFT_BIT : 0));
    put(out, &bits, 1);
    put(out, &question->feature, sizeof question->feature);
    put(out, &question->gain, sizeof question->gain);
    if (question->kind == TREE_CATEGORY)
        put(out, question->set, sizeof question->set);
    else
        put(out, &question->threshold, sizeof question->threshold);
    put(out, sides, (n_rows + 7) / 8);
}

static size_t count_bits(const uint8_t *bytes, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) count += (size_t)__builtin_popcount(bytes[i]);
    return count;
}

struct question wire_get_question(struct wire_reader *in, size_t n_rows, uint32_t begin, uint32_t end,
                                  const uint8_t **sides)
{
    struct question question = {0};
    uint8_t bits;
    get(in, &bits, 1);
    question.kind = bits & KIND_BITS;
    question.missing_left = bits & MISSING_LEFT_BIT;
    get(in, &question.feature, sizeof question.feature);
    get(in, &question.gain, sizeof question.gain);
    if (question.kind == TREE_CATEGORY)
        get(in, question.set, sizeof question.set);
    else
        get(in, &question.threshold, sizeof question.threshold);
    *sides = take(in, (n_rows + 7) / 8);
    if (in->failed) return question;
    question.n_left = count_bits(*sides, (n_rows + 7) / 8);
    bool spare = n_rows % 8 && (*sides)[n_rows / 8] >> n_rows % 8;
    in->failed = (question.kind != TREE_NUMERIC && question.kind != TREE_CATEGORY) ||
                 question.feature < begin || question.feature >= end || !(question.gain >= 0) ||
                 !isfinite(question.threshold) || spare || question.n_left < 1 || question.n_left >= n_rows;
    return question;
}
