#include <math.h>
#include <string.h>

#include "forest/node_search_scratch.h"

/* A split's left side while rows are parted, and the greatest code on it, the least on the other. */
struct tally {
    size_t n_left;
    uint64_t weight;
    uint8_t last, next;
};

/* Which codes go left, a bit each. */
static void left_codes(const struct split *split, const struct feature_bins *bins, uint32_t left[8])
{
    for (int32_t word = 0, n = split->bin + 1; word < 8; word++, n -= 32)
        left[word] = bins->categorical ? split->set[word]
                     : n >= 32         ? UINT32_MAX
                     : n > 0           ? (UINT32_C(1) << n) - 1
                                       : 0;
    if (bins->has_missing && split->missing_left)
        left[bins->n_bins >> 5] |= UINT32_C(1) << (bins->n_bins & 31);
}

/* Every row is written to both ends of what is left of the other sample; the next one covers the wrong copy.
 */
static inline __attribute__((always_inline)) struct tally move_rows(struct node_search *s,
                                                                    const struct split *split,
                                                                    const uint32_t left[8],
                                                                    struct sample *across, bool classify)
{
    const struct sample from = *s->node.sample, to = *across;
    const struct feature_codes codes = node_feature(&s->node, split->feature);
    const uint8_t cut = split->bin;
    uint64_t *class_sum = s->class_sum;
    struct tally tally = {.next = UINT8_MAX};
    size_t front = s->node.begin, back = s->node.end - 1;
    for (size_t i = s->node.begin; i < s->node.end; i++) {
        uint32_t row = from.row[i], weight = from.weight[i];
        uint8_t code = codes.at[row * codes.stride];
        uint32_t is_left = left[code >> 5] >> (code & 31) & 1, left_weight = weight & -is_left;
        to.row[front] = to.row[back] = row;
        to.weight[front] = to.weight[back] = weight;
        if (classify) {
            to.class_id[front] = to.class_id[back] = from.class_id[i];
            class_sum[from.class_id[i]] += left_weight;
        } else {
            to.target[front] = to.target[back] = from.target[i];
        }
        tally.weight += left_weight;
        uint8_t low = code <= cut ? code : 0, high = code > cut ? code : UINT8_MAX;
        tally.last = low > tally.last ? low : tally.last;
        tally.next = high < tally.next ? high : tally.next;
        front += is_left;
        back -= 1 - is_left;
    }
    tally.n_left = front - s->node.begin;
    return tally;
}

/* By the class weights that went left, which are cleared. */
static double score_of(struct node_search *s, const struct split *split, uint64_t left_weight)
{
    uint64_t left_squares = 0, right_squares = 0;
    for (uint32_t c = 0; c < s->rows.k; c++) {
        uint64_t *sum = &s->class_sum[s->class_names[c]], left = *sum, right = s->rows.totals[c] - left;
        left_squares += left * left;
        right_squares += right * right;
        *sum = 0;
    }
    if (s->job->rules->split.criterion != BRAMBLE_CRITERION_GINI) return split->score;
    return gini_score_double(left_squares, left_weight, right_squares, s->rows.weight - left_weight);
}

static void list_present(const struct node_search *s, uint32_t feature, uint64_t present[4])
{
    const struct feature_codes codes = node_feature(&s->node, feature);
    const uint32_t *row = s->node.sample->row;
    for (size_t i = s->node.begin; i < s->node.end; i++) {
        uint8_t code = codes.at[row[i] * codes.stride];
        present[code >> 6] |= UINT64_C(1) << (code & 63);
    }
}

void node_search_part(struct node_search *s, struct split *split, struct sample *across,
                      struct parting *parting)
{
    const struct feature_bins *bins = &s->job->codes->binned->bins[split->feature];
    uint32_t left[8];
    left_codes(split, bins, left);
    struct tally tally =
        s->rows.k ? move_rows(s, split, left, across, true) : move_rows(s, split, left, across, false);
    parting->n_left = tally.n_left;
    parting->left_heavier = tally.weight >= s->rows.weight - tally.weight;
    parting->score = score_of(s, split, tally.weight);
    memset(parting->present, 0, sizeof parting->present);
    if (bins->categorical || bins->has_missing) list_present(s, split->feature, parting->present);
    if (!s->fast[split->feature]) return;
    split->bin = tally.last;
    split->next_bin = tally.next;
    if (s->job->rules->split.random)
        split->threshold =
            split_clamp_threshold(s->random_threshold, bins->high[tally.last], bins->low[tally.next]);
}
