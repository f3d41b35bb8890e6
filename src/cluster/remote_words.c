#include "cluster/remote_words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/srun.h"

static bool push(struct remote_words *out, const char *word)
{
    if (out->n == REMOTE_WORDS_MAX) return false;
    out->words[out->n++] = (char *)word;
    return true;
}

/* The agent's command line, cut at its blanks. */
static bool push_agent(struct remote_words *out, const struct remote *remote)
{
    *out = (struct remote_words){.agent = mem_strdup(remote_agent(remote))};
    if (!out->agent) return false;
    char *rest = out->agent;
    for (char *word; (word = strsep(&rest, " "));)
        if (*word && !push(out, word)) return false;
    return true;
}

static bool push_host(struct remote_words *out, const struct node *node)
{
    if (node->user && !(push(out, "-l") && push(out, node->user))) return false;
    return push(out, "--") && push(out, node->host);
}

/*
 * Whatever shell the person has there, /bin/sh reads the command. It runs in a shell below that one, so that
 * its end by a signal becomes 128 + signal; and 255 is left to ssh.
 */
static bool push_command(struct remote_words *out, const char *command)
{
    struct str script = {0}, line = {0};
    str_printf(&script, "(\n%s\n)\ns=$?\n[ $s -ne 255 ] || s=254\nexit $s", command);
    str_puts(&line, "exec /bin/sh -c ");
    remote_quote(&line, script.data ? script.data : "");
    line.failed |= script.failed;
    str_fini(&script);
    out->command = str_take(&line);
    return out->command && push(out, out->command);
}

static bool push_srun(struct remote_words *out, const struct node *node, const char *command)
{
    bool fine = true;
    for (size_t i = 0; srun_one_node[i]; i++) fine = fine && push(out, srun_one_node[i]);
    return fine && push(out, node->host) && push(out, "/bin/sh") && push(out, "-c") && push(out, command);
}

bool remote_words_run(struct remote_words *out, const struct remote *remote, const struct node *node,
                      const char *command, double connect_seconds)
{
    *out = (struct remote_words){0};
    if (node->local) return push(out, "/bin/sh") && push(out, "-c") && push(out, command);
    if (node->slurm) return push_srun(out, node, command);
    double seconds = connect_seconds < 1 ? 1 : connect_seconds > 60 ? 60 : floor(connect_seconds);
    if (!push_agent(out, remote)) return false;
    snprintf(out->timeout, sizeof out->timeout, "ConnectTimeout=%.0f", seconds);
    return push(out, "-T") && push(out, "-o") && push(out, out->timeout) && push_host(out, node) &&
           push_command(out, command);
}

bool remote_words_control(struct remote_words *out, const struct remote *remote, const struct node *node,
                          const char *question)
{
    return push_agent(out, remote) && push(out, "-O") && push(out, question) && push_host(out, node);
}

void remote_words_fini(struct remote_words *words)
{
    mem_free(words->agent);
    mem_free(words->command);
    *words = (struct remote_words){0};
}
