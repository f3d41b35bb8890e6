#include "train_data.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "common.h"
#include "interrupt.h"
#include "report/readable.h"

bramble_status train_source_check(const struct train_source *source, bramble_error *error)
{
    if (!source->test || !(source->holdout > 0)) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_USAGE, "--test and --holdout both name test data; use one");
}

static bramble_status read_test(struct train_data *data, const struct train_source *s, uint64_t seed,
                                bramble_error *error)
{
    if (s->holdout > 0) return bramble_table_holdout(data->train, s->holdout, seed, &data->test, error);
    const char *path = s->test;
    if (!path && bramble_path_has_test(s->data)) path = s->data;
    if (!path) return BRAMBLE_OK;
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.schema = bramble_table_schema(data->train);
    options.sample_weight = s->sample_weight;
    bramble_split taken;
    return read_for_model(&data->test, path, &options, SPLIT_ANY, false, &taken, error);
}

/* Data that memory cannot hold make work slower; why, people should know. */
static void tell_file(struct train_data *data, struct progress *progress)
{
    data->file_bytes = bramble_table_file_bytes(data->train);
    if (data->test) data->file_bytes += bramble_table_file_bytes(data->test);
    if (!data->file_bytes) return;
    char line[320];
    snprintf(line, sizeof line,
             "the data are large for this memory: %s of them stay in a file in the cache folder",
             readable_bytes((double)data->file_bytes).text);
    progress_say(progress, line);
}

bramble_status train_data_read(struct train_data *data, const struct train_source *s, uint64_t seed,
                               struct progress *progress, bramble_error *error)
{
    bramble_read_options options = BRAMBLE_READ_OPTIONS_INIT;
    options.target = s->target;
    options.sample_weight = s->sample_weight;
    options.task = s->task;
    memcpy(options.image_size, s->image_size, sizeof options.image_size);
    *data = (struct train_data){0};
    progress_note(progress, "reading %s", s->data);
    double start = clock_seconds();
    bramble_status status = bramble_table_read(&data->train, s->data, &options, error);
    if (!status) status = read_test(data, s, seed, error);
    data->load_seconds = clock_seconds() - start;
    if (status) return status;
    if (!bramble_table_has_target(data->train))
        return error_set(error, BRAMBLE_ERR_DATA,
                         "%s: there is no target to learn; name its column with --target", s->data);
    data->n_rows = bramble_table_n_rows(data->train);
    data->n_test_rows = data->test ? bramble_table_n_rows(data->test) : 0;
    tell_file(data, progress);
    return BRAMBLE_OK;
}

void train_data_fini(struct train_data *data)
{
    bramble_table_free(data->train);
    bramble_table_free(data->test);
    data->train = data->test = NULL;
}

bramble_status training_stopped(bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_CANCELLED, "stopped; nothing was written");
}

bramble_status trained_model_save(const bramble_model *model, const char *path, uint64_t *bytes,
                                  bramble_error *error)
{
    interrupt_hold();
    bramble_status status =
        interrupt_seen() ? training_stopped(error) : bramble_model_save(model, path, error);
    interrupt_release();
    struct stat file;
    if (!status && stat(path, &file) == 0) *bytes = (uint64_t)file.st_size;
    return status;
}

uint64_t peak_rss_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}
