#include "cluster/srun.h"

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
    CLEAN,       "srun",       "--overlap", "--mem=0",    "--mpi=none", "--cpu-bind=none",
    "--nodes=1", "--ntasks=1", "--chdir=/", "--nodelist", NULL};

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

enum remote_outcome srun_classify(int exit_code, const struct str *errors)
{
    return exit_code != 0 && own_complaint(errors->data) ? REMOTE_UNREACHABLE : REMOTE_DONE;
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
