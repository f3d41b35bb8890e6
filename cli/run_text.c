#include "run_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Years 1970 to 9999, which every form of a date can hold. */
static bool time_known(double unix_seconds)
{
    return unix_seconds >= 0 && unix_seconds < 253402300799.0;
}

void run_time(double unix_seconds, char *buffer, size_t size)
{
    time_t seconds = time_known(unix_seconds) ? (time_t)unix_seconds : 0;
    struct tm parts;
    snprintf(buffer, size, "-");
    if (time_known(unix_seconds) && localtime_r(&seconds, &parts))
        strftime(buffer, size, "%Y-%m-%d %H:%M:%S", &parts);
}

static json_t *time_to_json(double unix_seconds)
{
    if (!time_known(unix_seconds)) return json_null();
    char day[32], text[48];
    time_t seconds = (time_t)unix_seconds;
    struct tm parts;
    gmtime_r(&seconds, &parts);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text, sizeof text, "%s.%03dZ", day, (int)((unix_seconds - (double)seconds) * 1000));
    return json_string(text);
}

static json_t *text_or_null(const char *text)
{
    return text ? json_from_text(text) : json_null();
}

static json_t *words_to_json(const bramble_run_info *run)
{
    json_t *words = json_array();
    for (size_t i = 0; i < run->n_words; i++) {
        if (json_array_append_new(words, json_from_text(run->words[i])) == 0) continue;
        json_decref(words);
        return NULL;
    }
    return words;
}

void run_put(struct json_out *out, const bramble_run_info *run)
{
    json_t *summary = run->summary ? json_loads(run->summary, 0, NULL) : NULL;
    json_out_text(out, "run", run->id);
    json_out_text(out, "kind", run->kind);
    json_out_text(out, "state", bramble_run_state_name(run->state));
    json_out_put(out, "command", words_to_json(run));
    json_out_text(out, "directory", run->directory);
    json_out_put(out, "started", time_to_json(run->started));
    json_out_put(out, "ended", time_to_json(run->ended));
    json_out_number(out, "seconds", run->seconds);
    json_out_put(out, "message", text_or_null(run->message));
    json_out_put(out, "model_hash", text_or_null(run->model_hash));
    json_out_put(out, "summary", summary ? summary : json_null());
    json_out_text(out, "folder", run->folder);
}

/* Quoted where a shell would take it for anything but itself. */
static void put_word(struct str *line, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+@%";
    if (*word && !word[strspn(word, plain)]) {
        str_puts(line, word);
        return;
    }
    str_puts(line, "'");
    for (; *word; word++) {
        if (*word == '\'')
            str_puts(line, "'\\''");
        else
            str_append(line, word, 1);
    }
    str_puts(line, "'");
}

void run_command_line(const bramble_run_info *run, struct str *line)
{
    str_puts(line, "bramble");
    for (size_t i = 0; i < run->n_words; i++) {
        str_puts(line, " ");
        put_word(line, run->words[i]);
    }
}
