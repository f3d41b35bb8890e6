#include "cluster/srun.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#define COMPLAINT "srun: error: "

#define CLEAN                                                                                                \
    "/bin/sh", "-c",                                                                                         \
        "for v in $(env | sed -n 's/^\\(S[A-Z]*_[A-Za-z0-9_]*\\)=.*/\\1/p'); do case $v in\n"                \
        "SLURM_JOB_ID | SLURM_JOBID | SLURM_CONF | SLURM_JWT | SLURM_WORKING_CLUSTER) ;;\n"                  \
        "SLURM_* | SRUN_*) unset \"$v\" ;;\n"                                                                \
        "esac; done\n"                                                                                       \
        "exec \"$@\"",                                                                                       \
        "sh"

const char *const srun_clean[] = {CLEAN, NULL};

const char *const srun_one_node[] = {
    CLEAN,       "srun",       "--overlap", "--mem=0",      "--mpi=none", "--cpu-bind=none",
    "--nodes=1", "--ntasks=1", "--chdir=/", "--unbuffered", "--nodelist", NULL};

/* The start of the next complaint of srun's own after `text`; lines like "srun: error: node1: task 0: Exited
 * with exit code 1" are about the command. */
static const char *own_complaint(const char *text)
{
    while (text && (text = strstr(text, COMPLAINT))) {
        text += strlen(COMPLAINT);
        const char *task = strstr(text, ": task ");
        if (!task || strcspn(text, "\n") < (size_t)(task - text)) return text;
    }
    return NULL;
}

/* What is said of a job that has ended. */
static const char *const endings[] = {" has expired", "Invalid job id", "already completing or completed",
                                      NULL};

enum remote_outcome srun_classify(int exit_code, const struct str *errors)
{
    const char *complaint = exit_code ? own_complaint(errors->data) : NULL;
    if (!complaint) return REMOTE_DONE;
    for (size_t i = 0; endings[i]; i++)
        if (strstr(complaint, endings[i])) return REMOTE_GONE;
    return REMOTE_UNREACHABLE;
}

void srun_explain(const struct remote_command *command, char *buffer, size_t size)
{
    const char *name = command->node->name, *complaint = own_complaint(command->errors.data);
    if (complaint)
        snprintf(buffer, size, "Slurm starts nothing on it: %.*s; see: scontrol show node %.64s",
                 (int)strcspn(complaint, "\n") < 128 ? (int)strcspn(complaint, "\n") : 128, complaint, name);
    else
        snprintf(buffer, size,
                 "Slurm does not get an answer from it within %.0f s; see: scontrol show node %.64s",
                 command->seconds, name);
    for (char *c = buffer; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
}

static bool is_srun(pid_t pid)
{
    char path[64], name[16] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *file = fopen(path, "re");
    bool is = file && fgets(name, sizeof name, file) && strcmp(name, "srun\n") == 0;
    if (file) fclose(file);
    return is;
}

pid_t srun_below(pid_t mpiexec)
{
    char path[64];
    int pid;
    pid_t found = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)mpiexec, (int)mpiexec);
    FILE *file = fopen(path, "re");
    while (file && !found && fscanf(file, "%d", &pid) == 1)
        if (is_srun(pid)) found = pid;
    if (file) fclose(file);
    return found;
}

void srun_end(pid_t pid)
{
    if (pid && is_srun(pid)) kill(pid, SIGKILL);
}
