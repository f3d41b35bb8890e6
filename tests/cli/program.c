#include "program.h"

#include <fcntl.h>
#include <sys/wait.h>

enum { WORDS_MAX = 40 };

void runs_stay_in(const struct scratch *folder)
{
    char home[128];
    snprintf(home, sizeof home, "%s/.bramble", folder->folder);
    setenv("BRAMBLE_HOME", home, 1);
}

static void become(const struct scratch *folder, const char *program, const char *const *words, FILE *out,
                   FILE *err)
{
    char path[4096], *arguments[WORDS_MAX] = {path};
    snprintf(path, sizeof path, "%s/%s", getenv("BRAMBLE_BUILD"), program);
    for (unsigned i = 0; words[i] && i < WORDS_MAX - 2; i++) arguments[i + 1] = (char *)words[i];
    runs_stay_in(folder);
    int nothing = open("/dev/null", O_RDONLY);
    bool ready = nothing >= 0 && chdir(folder->folder) == 0 && dup2(nothing, 0) >= 0 &&
                 dup2(fileno(out), 1) >= 0 && dup2(fileno(err), 2) >= 0;
    if (ready) execv(path, arguments);
    _exit(127);
}

struct running program_start(const struct scratch *folder, const char *program, const char *const *words,
                             FILE *out, FILE *err)
{
    struct running running = {.out = out ? out : tmpfile(), .err = err ? err : tmpfile()};
    assert_non_null(getenv("BRAMBLE_BUILD"));
    assert_non_null(running.out);
    assert_non_null(running.err);
    fflush(NULL);
    running.pid = fork();
    assert_true(running.pid >= 0);
    if (running.pid == 0) become(folder, program, words, running.out, running.err);
    return running;
}

static char *take_text(FILE *file, size_t *length)
{
    *length = fseek(file, 0, SEEK_END) == 0 ? (size_t)ftell(file) : 0; /* a device has nothing to read */
    rewind(file);
    char *text = malloc(*length + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *length, file), *length);
    text[*length] = 0;
    fclose(file);
    return text;
}

struct said program_wait(struct running *running)
{
    struct said said = {0};
    int status;
    assert_int_equal(waitpid(running->pid, &status, 0), running->pid);
    said.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    said.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    size_t length;
    said.out = take_text(running->out, &said.out_length);
    said.err = take_text(running->err, &length);
    return said;
}

struct said program_run(const struct scratch *folder, const char *const *words)
{
    struct running running = program_start(folder, "bramble", words, NULL, NULL);
    return program_wait(&running);
}

void said_fini(struct said *said)
{
    free(said->out);
    free(said->err);
}

struct said said_done(struct said said)
{
    if (said.code != 0) fail_msg("exit code %d: %s", said.code, said.err);
    return said;
}

json_t *said_json(struct said said)
{
    said_done(said);
    const char *end = strchr(said.out, '\n');
    if (!end || end[1]) fail_msg("not one line: %s", said.out);
    json_error_t error;
    json_t *object = json_loads(said.out, 0, &error);
    if (!json_is_object(object)) fail_msg("not an object: %s", said.out);
    said_fini(&said);
    return object;
}

void said_failed(struct said said, int code, const char *part)
{
    const char *end = strchr(said.err, '\n');
    bool one_line = end && end[1] == 0 && strncmp(said.err, "bramble: ", 9) == 0;
    if (said.code != code || !one_line || !strstr(said.err, part) || said.out_length)
        fail_msg("code %d, wanted %d and \"%s\"; said: %s%s", said.code, code, part, said.err, said.out);
    said_fini(&said);
}

double json_number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value)) fail_msg("no number \"%s\"", key);
    return json_number_value(value);
}

const char *json_text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value)) fail_msg("no text \"%s\"", key);
    return json_string_value(value);
}

static unsigned next_random(unsigned *state, unsigned below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

void write_kinds_csv(struct scratch *folder, const char *name, unsigned rows, unsigned seed)
{
    static const char *const colours[] = {"red", "green", "dark \"blue\"", ""};
    static const char *const quoted[] = {"red", "green", "\"dark \"\"blue\"\"\"", ""};
    FILE *file = fopen(scratch_path(folder, name), "w");
    assert_non_null(file);
    fprintf(file, "size,colour,weight,kind\n");
    for (unsigned i = 0; i < rows; i++) {
        unsigned size = next_random(&seed, 1000), colour = next_random(&seed, 4);
        const char *kind = strcmp(colours[colour], "green") == 0 ? "odd, green"
                           : size < 500                          ? "small"
                                                                 : "large";
        if (next_random(&seed, 20) == 0) kind = "small";
        char text[16] = "";
        if (next_random(&seed, 10)) snprintf(text, sizeof text, "%u.%u", size, next_random(&seed, 10));
        fprintf(file, strchr(kind, ',') ? "%s,%s,%u,\"%s\"\n" : "%s,%s,%u,%s\n", text, quoted[colour],
                1 + next_random(&seed, 3), kind);
    }
    assert_int_equal(fclose(file), 0);
}

void write_numbers_csv(struct scratch *folder, const char *name, unsigned rows, unsigned seed)
{
    FILE *file = fopen(scratch_path(folder, name), "w");
    assert_non_null(file);
    fprintf(file, "a,b,c,y\n");
    for (unsigned i = 0; i < rows; i++) {
        double a = next_random(&seed, 10000) / 1000.0, b = next_random(&seed, 10000) / 2000.0;
        fprintf(file, "%g,%g,%u,%.6g\n", a, b, next_random(&seed, 1000), 3 * a - b * b);
    }
    assert_int_equal(fclose(file), 0);
}
