/* The program as a user runs it, in a folder of its own. */
#ifndef TESTS_PROGRAM_H
#define TESTS_PROGRAM_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "scratch.h"

/* What one run said. */
struct said {
    int code;   /* exit status, or -1 when a signal ended it */
    int signal; /* that signal, or 0 */
    char *out, *err;
    size_t out_length;
};

/* From now on runs are kept in the folder .bramble of the scratch folder, not in the person's own. What
 * follows does so by itself. */
void runs_stay_in(const struct scratch *folder);

/* Runs `bramble WORDS...` (NULL at the end) in the scratch folder and waits for its end. said_fini it. */
struct said program_run(const struct scratch *folder, const char *const *words);
#define RUN(folder, ...) program_run(folder, (const char *const[]){__VA_ARGS__, NULL})

/* The same in two steps, for any program of the build folder. stdout and stderr go to `out` and `err`, which
 * program_wait reads and closes; NULL: temporary files. */
struct running {
    pid_t pid;
    FILE *out, *err;
};
struct running program_start(const struct scratch *folder, const char *program, const char *const *words,
                             FILE *out, FILE *err);
struct said program_wait(struct running *running);

void said_fini(struct said *said);

/* RUN, and then: exit code 0; the caller's to release. */
#define DONE(folder, ...) said_done(RUN(folder, __VA_ARGS__))
struct said said_done(struct said said);

/* RUN with --json among the words: exit code 0 and one object on one line; json_decref it. */
#define JSON(folder, ...) said_json(RUN(folder, __VA_ARGS__))
json_t *said_json(struct said said);

/* RUN, and then: this exit code, nothing on stdout, one line on stderr that contains `part`. */
#define FAILS(code, part, folder, ...) said_failed(RUN(folder, __VA_ARGS__), code, part)
void said_failed(struct said said, int code, const char *part);

/* Values of an object, which must have them. */
double json_number_of(const json_t *object, const char *key);
const char *json_text_of(const json_t *object, const char *key);

/* Data sets written into the folder as NAME. */
/* rows of size,colour,weight,kind: kind (small, large, odd) follows from size and colour but for some noise,
 * with text and missing values among the features */
void write_kinds_csv(struct scratch *folder, const char *name, unsigned rows, unsigned seed);
/* rows of a,b,c,y: y = 3 a - b * b, and c is noise */
void write_numbers_csv(struct scratch *folder, const char *name, unsigned rows, unsigned seed);

#endif
