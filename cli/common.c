#include "common.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/outfile.h"
#include "interrupt.h"
#include "report/plot_file.h"
#include "report/readable.h"

const struct choice task_choices[] = {
    {"auto", BRAMBLE_TASK_AUTO},
    {"classification", BRAMBLE_TASK_CLASSIFICATION},
    {"regression", BRAMBLE_TASK_REGRESSION},
    {NULL, 0},
};

const struct choice split_choices[] = {
    {"train", BRAMBLE_SPLIT_TRAIN},
    {"test", BRAMBLE_SPLIT_TEST},
    {NULL, 0},
};

const char *task_name(bramble_task task)
{
    return task_choices[task].word;
}

static const char *const type_names[] = {"byte", "number", "category"};

const char *feature_type_name(bramble_feature_type type)
{
    return type_names[type];
}

void count_types(const bramble_schema *schema, char *buffer, size_t size)
{
    uint32_t count[sizeof type_names / sizeof *type_names] = {0};
    for (uint32_t f = 0; f < bramble_schema_n_features(schema); f++)
        count[bramble_schema_feature_type(schema, f)]++;
    size_t used = 0;
    for (size_t t = 0; t < sizeof count / sizeof *count && used < size; t++)
        if (count[t])
            used += (size_t)snprintf(buffer + used, size - used, "%s%s %s", used ? ", " : "",
                                     readable_count(count[t]).text, type_names[t]);
}

bramble_status read_for_model(bramble_table **out, const char *path, const bramble_read_options *options,
                              int split, bool say, bramble_split *taken, bramble_error *error)
{
    bramble_read_options chosen = *options;
    if (split != SPLIT_ANY)
        chosen.split = (bramble_split)split;
    else
        chosen.split = bramble_path_has_test(path) ? BRAMBLE_SPLIT_TEST : BRAMBLE_SPLIT_TRAIN;
    bramble_status status = bramble_table_read(out, path, &chosen, error);
    if (status) return status;
    *taken = chosen.split;
    if (say && split == SPLIT_ANY && chosen.split == BRAMBLE_SPLIT_TEST)
        fprintf(stderr, "bramble: %s holds a training and a test part; this is the test part\n", path);
    return BRAMBLE_OK;
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

bramble_status check_output(const char *path, const char *input, bramble_error *error)
{
    if (input && is_same_file(path, input))
        return error_set(error, BRAMBLE_ERR_USAGE,
                         "--out: %s would overwrite its own input; name another file", path);
    struct outfile *file;
    interrupt_hold();
    bramble_status status = outfile_open(&file, path, error);
    if (!status) outfile_abandon(file);
    interrupt_release();
    return status;
}

bramble_status check_plot(const char *path, bramble_error *error)
{
    bramble_status status = plot_path_check(path, error);
    return status ? status : check_output(path, NULL, error);
}

bool has_ending(const char *name, const char *ending)
{
    size_t length = strlen(name), tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}
