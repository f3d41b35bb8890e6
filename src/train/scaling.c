#include "train/scaling.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

bool scaling_course_add(struct scaling_course *course, double seconds, uint32_t trees)
{
    if (!trees || (course->n && course->trees[course->n - 1] >= trees)) return true;
    if (course->n == course->capacity) {
        size_t capacity = course->capacity ? 2 * course->capacity : 64;
        double *longer = mem_resize(course->seconds, capacity, sizeof *longer);
        if (longer) course->seconds = longer;
        double *more = longer ? mem_resize(course->trees, capacity, sizeof *more) : NULL;
        if (!more) return false;
        course->trees = more;
        course->capacity = capacity;
    }
    course->seconds[course->n] = seconds;
    course->trees[course->n++] = trees;
    return true;
}

void scaling_course_fini(struct scaling_course *course)
{
    mem_free(course->seconds);
    mem_free(course->trees);
    *course = (struct scaling_course){0};
}

bool scaling_rate(const struct scaling_course *course, double *rate)
{
    double seconds = 0, trees = 0, both = 0, square = 0;
    size_t n = course->n;
    if (n < 3) return false;
    for (size_t i = 0; i < n; i++) {
        seconds += course->seconds[i] / (double)n;
        trees += course->trees[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        both += (course->seconds[i] - seconds) * (course->trees[i] - trees);
        square += (course->seconds[i] - seconds) * (course->seconds[i] - seconds);
    }
    if (!(square > 0)) return false;
    *rate = both / square;
    return true;
}

static size_t without_digits(const char *name)
{
    size_t length = strlen(name);
    while (length && isdigit((unsigned char)name[length - 1])) length--;
    return length ? length : strlen(name);
}

/* A number after a mark always counts ("pi4-1"); without one only when others are called so too: "pi4" alone
 * is a machine's name. */
size_t scaling_kind_length(const char *const *names, size_t n, size_t i)
{
    size_t stem = without_digits(names[i]);
    if (stem == strlen(names[i])) return stem;
    if (stem > 1 && strchr("-_.", names[i][stem - 1])) return stem - 1;
    for (size_t j = 0; j < n; j++)
        if (j != i && without_digits(names[j]) == stem && strncmp(names[i], names[j], stem) == 0 &&
            names[j][stem])
            return stem;
    return strlen(names[i]);
}

static bool same_kind(const char *const *names, size_t n, size_t i, size_t j)
{
    size_t length = scaling_kind_length(names, n, i);
    return length == scaling_kind_length(names, n, j) && strncmp(names[i], names[j], length) == 0;
}

char *scaling_cluster_text(const char *const *names, size_t n, size_t n_all)
{
    struct str text = {0};
    for (size_t i = 0; i < n; i++) {
        size_t count = 0, first = i;
        for (size_t j = 0; j < n; j++) {
            if (!same_kind(names, n_all, i, j)) continue;
            if (j < first) first = j;
            count++;
        }
        if (first == i)
            str_printf(&text, "%s%zu %.*s", i ? " + " : "", count, (int)scaling_kind_length(names, n_all, i),
                       names[i]);
    }
    return str_take(&text);
}

double scaling_parts_seconds(const bramble_scaling_node *nodes, size_t n, uint32_t trees)
{
    double rate = 0;
    for (size_t k = 0; k < n; k++) rate += nodes[k].trees_per_second;
    return trees / rate;
}

void scaling_work_out(bramble_scaling *scaling)
{
    const bramble_scaling_row *first = scaling->rows;
    for (size_t k = 0; k < scaling->n_nodes; k++) {
        bramble_scaling_row *row = &scaling->rows[k];
        scaling->nodes[k].seconds = scaling_parts_seconds(&scaling->nodes[k], 1, scaling->trees);
        row->efficiency = row->parts_seconds / row->seconds;
        row->speedup = first->seconds / row->seconds;
        row->ideal_seconds = first->seconds * first->cores / row->cores;
        row->scalability = row->ideal_seconds / row->seconds;
    }
}

enum { FIGURES = 7 }; /* of a node and its row that are measured, or follow */

static double *figure(bramble_scaling *scaling, size_t which)
{
    bramble_scaling_node *node = &scaling->nodes[which / FIGURES];
    bramble_scaling_row *row = &scaling->rows[which / FIGURES];
    double *const all[FIGURES] = {&node->trees_per_second, &node->seconds, &row->seconds,
                                  &row->parts_seconds,     &row->speedup,  &row->scalability,
                                  &row->efficiency};
    return all[which % FIGURES];
}

static int compare(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first > second) - (first < second);
}

static double median(bramble_scaling *rounds, size_t n, size_t which)
{
    double values[BRAMBLE_SCALING_ROUNDS_MAX];
    for (size_t i = 0; i < n; i++) values[i] = *figure(&rounds[i], which);
    qsort(values, n, sizeof *values, compare);
    return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

void scaling_take_medians(bramble_scaling *rounds, size_t n_rounds)
{
    bramble_scaling *out = &rounds[0];
    for (size_t which = 0; which < FIGURES * out->n_nodes; which++) {
        *figure(out, which) = median(rounds, n_rounds, which);
    }
    for (size_t r = 1; r < n_rounds; r++) {
        for (size_t k = 0; k < out->n_nodes; k++) {
            if (out->rows[k].idle) continue;
            out->rows[k].idle = rounds[r].rows[k].idle;
            rounds[r].rows[k].idle = NULL;
        }
    }
    for (size_t k = 0; k < out->n_nodes; k++)
        out->rows[k].ideal_seconds = out->rows[0].seconds * out->rows[0].cores / out->rows[k].cores;
}
