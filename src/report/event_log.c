#include "report/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

struct event_log {
    char *path;
    int fd;
    double before, opened; /* seconds of the run until the file was opened; the clock then */
    pthread_mutex_t mutex; /* over what follows, and the order of lines */
    bool torn;             /* the last line has no end */
};

static bramble_status cannot_write(const char *path, int reason, bramble_error *error)
{
    return error_set(error, BRAMBLE_ERR_IO, "%s: cannot write: %s", path, strerror(reason));
}

/* Whether the file ends amid a line, which a crash may have left. */
static bool ends_torn(int fd)
{
    char last = '\n';
    struct stat info;
    if (fstat(fd, &info) == 0 && info.st_size > 0 && pread(fd, &last, 1, info.st_size - 1) != 1) return true;
    return last != '\n';
}

bramble_status event_log_open(struct event_log **out, const char *path, double began, bramble_error *error)
{
    struct event_log *log = mem_zalloc(1, sizeof *log);
    if (!log || !(log->path = mem_strdup(path))) {
        mem_free(log);
        return error_memory(error, "the log of events");
    }
    log->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_CLOEXEC, 0600);
    if (log->fd < 0) {
        int reason = errno;
        mem_free(log->path);
        mem_free(log);
        return cannot_write(path, reason, error);
    }
    log->before = fmax(0, clock_unix_seconds() - began);
    log->opened = clock_seconds();
    log->torn = ends_torn(log->fd);
    pthread_mutex_init(&log->mutex, NULL);
    *out = log;
    return BRAMBLE_OK;
}

/* "2024-05-01T12:00:00.123Z" */
static json_t *time_now(void)
{
    char day[32], text[48];
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text, sizeof text, "%s.%03ldZ", day, now.tv_nsec / 1000000);
    return json_string(text);
}

static int append(const char *bytes, size_t length, void *line)
{
    str_append(line, bytes, length);
    return 0;
}

static bramble_status make_line(struct str *line, const struct event_log *log, const char *event,
                                const json_t *fields, bramble_error *error)
{
    json_t *name = json_string(event), *object = json_object();
    double seconds = log->before + clock_seconds() - log->opened;
    if (!name) {
        json_decref(object);
        return error_set(error, BRAMBLE_ERR_USAGE, "an event's name must be UTF-8");
    }
    bool failed = json_object_set_new(object, "time", time_now()) != 0 ||
                  json_object_set_new(object, "seconds", json_real(round(seconds * 1000) / 1000)) != 0;
    failed |= json_object_set_new(object, "event", name) != 0;
    failed |= fields && json_object_update_missing(object, (json_t *)fields) != 0;
    failed |= json_dump_callback(object, append, line, JSON_COMPACT | JSON_REAL_PRECISION(15)) != 0;
    json_decref(object);
    str_puts(line, "\n");
    return failed || line->failed ? error_memory(error, "an event") : BRAMBLE_OK;
}

static bramble_status write_line(struct event_log *log, const struct str *line, bramble_error *error)
{
    if (log->torn && write(log->fd, "\n", 1) != 1) return cannot_write(log->path, errno, error);
    log->torn = false;
    ssize_t n = write(log->fd, line->data, line->length);
    if (n == (ssize_t)line->length) return BRAMBLE_OK;
    log->torn = n > 0;
    return cannot_write(log->path, n < 0 ? errno : ENOSPC, error);
}

bramble_status event_log_add(struct event_log *log, const char *event, const char *fields,
                             bramble_error *error)
{
    json_t *object = fields ? json_loads(fields, 0, NULL) : NULL;
    if (fields && !json_is_object(object)) {
        json_decref(object);
        return error_set(error, BRAMBLE_ERR_USAGE, "what event \"%.40s\" has to tell must be a JSON object",
                         event);
    }
    struct str line = {0};
    pthread_mutex_lock(&log->mutex);
    bramble_status status = make_line(&line, log, event, object, error);
    if (!status) status = write_line(log, &line, error);
    pthread_mutex_unlock(&log->mutex);
    str_fini(&line);
    json_decref(object);
    return status;
}

void event_log_close(struct event_log *log)
{
    if (!log) return;
    close(log->fd);
    pthread_mutex_destroy(&log->mutex);
    mem_free(log->path);
    mem_free(log);
}
