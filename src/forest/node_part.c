#include <math.h>
#include <string.h>

#include "forest/node_search_scratch.h"

/* A split's left side while rows are parted, and the greatest code on it, the least on the other. */
struct tally {
    size_t n_left;
    uint64_t weight; /* with classes it is 0: what went left is in class_sum, class by class */
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
    uint64_t *class_sum = s->class_sum, left_weight = 0;
    uint32_t last = 0, next = UINT8_MAX;
    const bool far = node_is_far(s);
    const size_t begin = s->node.begin, end = s->node.end;
    size_t front = begin, back = end - 1;
    for (size_t i = begin; i < end; i++) {
        if (far && i + SEARCH_AHEAD < end)
            __builtin_prefetch(codes.at + from.row[i + SEARCH_AHEAD] * codes.stride);
        uint32_t row = from.row[i], weight = from.weight[i], code = codes.at[row * codes.stride];
        uint32_t is_left = left[code >> 5] >> (code & 31) & 1;
        to.row[front] = to.row[back] = row;
        to.weight[front] = to.weight[back] = weight;
        if (classify) {
            uint16_t c = from.class_id[i];
            to.class_id[front] = to.class_id[back] = c;
            class_sum[c] += weight & -is_left;
        } else {
            to.target[front] = to.target[back] = from.target[i];
            left_weight += weight & -is_left;
        }
        uint32_t low = code & -is_left, high = code | -is_left;
        last = low > last ? low : last;
        next = high < next ? high : next;
        front += is_left;
        back += is_left - (size_t)1;
    }
    return (struct tally){front - begin, left_weight, (uint8_t)last, (uint8_t)next};
}

/* By the class weights that went left, which are cleared. */
static double score_classes(struct node_search *s, double found, uint64_t *left_weight)
{
    uint64_t left_squares = 0, right_squares = 0;
    for (uint32_t c = 0; c < s->rows.k; c++) {
        uint64_t *sum = &s->class_sum[s->class_names[c]], left = *sum, right = s->rows.totals[c] - left;
        left_squares += left * left;
        right_squares += right * right;
        *left_weight += left;
        *sum = 0;
    }
    if (s->job->rules->split.criterion != BRAMBLE_CRITERION_GINI) return found;
    return gini_score_double(left_squares, *left_weight, right_squares, s->rows.weight - *left_weight);
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
    parting->score = s->rows.k ? score_classes(s, split->score, &tally.weight) : split->score;
    parting->left_heavier = tally.weight >= s->rows.weight - tally.weight;
    memset(parting->present, 0, sizeof parting->present);
    if (bins->categorical || bins->has_missing) list_present(s, split->feature, parting->present);
    if (!s->fast[split->feature]) return;
    split->bin = tally.last;
    split->next_bin = tally.next;
    if (s->job->rules->split.random)
        split->threshold =
            split_clamp_threshold(s->random_threshold, bins->high[tally.last], bins->low[tally.next]);
}
