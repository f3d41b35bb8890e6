#include "lab_session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/outfile.h"
#include "base/paths.h"
#include "base/str.h"
#include "emulated.h"
#include "interrupt.h"

enum { WORDS_MOST = 48, LOOKS_PAUSE_NS = 20000000, OWN_OUTPUT = -1 };

#define SHARED_OUT 0.9 /* of this machine; the rest is for the system, so that every node gets its share */

/* Which standard stream of a child is what; OWN_OUTPUT: ours. */
struct streams {
    int input, output;
};

static char *joined(const char *folder, const char *name)
{
    struct str path = {0};
    str_printf(&path, "%s/%s", folder, name);
    return str_take(&path);
}

static bool has_scripts(const char *folder)
{
    char *up = joined(folder, "up");
    bool found = up && access(up, X_OK) == 0;
    mem_free(up);
    return found;
}

/* folder/lab, when the lab's scripts are there; else NULL. mem_free it. */
static char *lab_in(const char *folder)
{
    char *lab = joined(folder, "lab");
    if (lab && has_scripts(lab)) return lab;
    mem_free(lab);
    return NULL;
}

/* lab/ of the current folder, or of the folder above the program's (a checkout's build/). */
static bramble_status find_scripts(char **out, bramble_error *error)
{
    char *here = getcwd(NULL, 0), *program = program_path();
    if (here) *out = lab_in(here);
    for (int up = 0; up < 2 && program && strrchr(program, '/'); up++) *strrchr(program, '/') = 0;
    if (!*out && program) *out = lab_in(program);
    free(here);
    mem_free(program);
    if (*out) return BRAMBLE_OK;
    return error_set(error, BRAMBLE_ERR_IO,
                     "no lab/ is here; call this in the folder of bramble's source, whose lab/ it needs");
}

static void become(char *const *words, const struct streams *streams, const char *lab_folder)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(streams->input, 0);
    if (streams->output != OWN_OUTPUT) dup2(streams->output, 1);
    setenv("LAB", lab_folder, 1);
    execv(words[0], words);
    _exit(127);
}

/* Waits; what interrupts us interrupts it. */
static int outlive(pid_t pid)
{
    int how;
    bool told = false;
    while (waitpid(pid, &how, WNOHANG) == 0) {
        if (interrupt_seen() && !told) {
            told = true;
            kill(pid, SIGTERM);
        }
        nanosleep(&(struct timespec){0, LOOKS_PAUSE_NS}, NULL);
    }
    return WIFEXITED(how) ? WEXITSTATUS(how) : 128 + WTERMSIG(how);
}

/* Runs lab/`script` with up to WORDS_MOST words (NULL at the end). */
static bramble_status run_script(struct lab_session *lab, const char *script, const char *const *words,
                                 struct streams streams, int *exit_code, bramble_error *error)
{
    char *all[WORDS_MOST + 2] = {joined(lab->scripts, script)};
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC), n = 1;
    for (; *words && n <= WORDS_MOST; words++) all[n++] = (char *)*words;
    if (streams.input < 0) streams.input = nothing;
    pid_t pid = all[0] && !*words && nothing >= 0 ? fork() : -1;
    if (pid == 0) become(all, &streams, lab->folder);
    int why = errno;
    if (nothing >= 0) close(nothing);
    mem_free(all[0]);
    if (pid < 0)
        return error_set(error, BRAMBLE_ERR_IO, "lab/%s cannot be started: %s", script, strerror(why));
    *exit_code = outlive(pid);
    return BRAMBLE_OK;
}

/* A script that has to work; what it complained of went to stderr. */
static bramble_status must(struct lab_session *lab, const char *script, const char *const *words,
                           struct streams streams, bramble_error *error)
{
    int exit_code;
    bramble_status status = run_script(lab, script, words, streams, &exit_code, error);
    if (!status && interrupt_seen()) return error_set(error, BRAMBLE_ERR_CANCELLED, "stopped");
    if (!status && exit_code)
        return error_set(error, BRAMBLE_ERR_IO, "lab/%s failed; it says why above", script);
    return status;
}

static bramble_status put_description(struct lab_session *lab, const char *path, bramble_error *error)
{
    const char *words[] = {lab->node, "sh", "-c", "cat > lab.json", NULL};
    int input = open(path, O_RDONLY | O_CLOEXEC);
    if (input < 0) return error_set(error, BRAMBLE_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    bramble_status status = must(lab, "run", words, (struct streams){input, OWN_OUTPUT}, error);
    close(input);
    return status;
}

static bramble_status choose_node(struct lab_session *lab, bramble_error *error)
{
    struct emulated emulated = {0};
    char *path = joined(lab->folder, "lab.json");
    bramble_status status = path ? emulated_read(&emulated, path, error) : error_memory(error, "the lab");
    if (!status) {
        lab->node = mem_strdup(emulated.machines[emulated.fastest].node);
        status = lab->node ? put_description(lab, path, error) : error_memory(error, "the lab");
    }
    emulated_fini(&emulated);
    mem_free(path);
    return status;
}

bramble_status lab_session_begin(struct lab_session *lab, const char *file, bramble_error *error)
{
    char cores[32];
    *lab = (struct lab_session){0};
    if (geteuid() != 0)
        return error_set(
            error, BRAMBLE_ERR_USAGE,
            "--lab needs root, for network namespaces and control groups; try: sudo bramble ...");
    bramble_status status = find_scripts(&lab->scripts, error);
    if (status) return status;
    lab->folder = joined(lab->scripts, "../build/lab-scaling");
    char *nodes = joined(lab->scripts, file), *program = program_path();
    if (!lab->folder || !nodes || !program) status = error_memory(error, "the lab");
    snprintf(cores, sizeof cores, "%.3f", SHARED_OUT * (double)sysconf(_SC_NPROCESSORS_ONLN));
    const char *words[] = {nodes, "--program", program, "--cores", cores, NULL};
    lab->is_up = !status;
    if (!status) status = must(lab, "up", words, (struct streams){-1, 2}, error);
    mem_free(nodes);
    mem_free(program);
    return status ? status : choose_node(lab, error);
}

bramble_status lab_session_run(struct lab_session *lab, const char *const *words, int *exit_code,
                               bramble_error *error)
{
    const char *all[WORDS_MOST + 1] = {lab->node};
    size_t n = 1;
    while (*words && n < WORDS_MOST) all[n++] = *words++;
    return run_script(lab, "run", all, (struct streams){-1, OWN_OUTPUT}, exit_code, error);
}

static bramble_status pour(int from, const char *path, bramble_error *error)
{
    char bytes[4096];
    ssize_t n;
    struct outfile *file;
    bramble_status status = outfile_open(&file, path, error);
    if (status) return status;
    lseek(from, 0, SEEK_SET);
    while ((n = read(from, bytes, sizeof bytes)) > 0) outfile_write(file, bytes, (size_t)n);
    if (n == 0) return outfile_commit(file, error);
    outfile_abandon(file);
    return error_set(error, BRAMBLE_ERR_IO, "%s: what belongs there cannot be read: %s", path,
                     strerror(errno));
}

bramble_status lab_session_fetch(struct lab_session *lab, const char *name, const char *path,
                                 bramble_error *error)
{
    char template[] = "/tmp/bramble-XXXXXX";
    int between = mkostemp(template, O_CLOEXEC);
    if (between < 0)
        return error_set(error, BRAMBLE_ERR_IO, "no file can be made in /tmp: %s", strerror(errno));
    unlink(template);
    const char *words[] = {lab->node, "cat", name, NULL};
    bramble_status status = must(lab, "run", words, (struct streams){-1, between}, error);
    if (!status) status = pour(between, path, error);
    close(between);
    return status;
}

void lab_session_end(struct lab_session *lab)
{
    int exit_code;
    const char *words[] = {NULL};
    if (lab->is_up) run_script(lab, "down", words, (struct streams){-1, 2}, &exit_code, NULL);
    mem_free(lab->scripts);
    mem_free(lab->folder);
    mem_free(lab->node);
    *lab = (struct lab_session){0};
}
