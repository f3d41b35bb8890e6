/* What ssh's messages mean. They come in English whatever the locale. */
#include <stdio.h>
#include <string.h>

#include "cluster/remote_words.h"
#include "cluster/srun.h"

enum { SSH_FAILED = 255 };

static const struct sign {
    const char *part;
    enum remote_outcome outcome;
} signs[] = {
    {"HOST IDENTIFICATION HAS CHANGED", REMOTE_HOST_KEY},
    {"Host key verification failed", REMOTE_HOST_KEY},
    {"host key is known for", REMOTE_HOST_KEY},
    {"Could not resolve hostname", REMOTE_UNKNOWN_HOST},
    {"Permission denied (", REMOTE_NOT_PERMITTED},
    {"Too many authentication failures", REMOTE_NOT_PERMITTED},
    {"Connection refused", REMOTE_UNREACHABLE},
    {"No route to host", REMOTE_UNREACHABLE},
    {"Network is unreachable", REMOTE_UNREACHABLE},
    {"timed out", REMOTE_UNREACHABLE},
    {"Timeout, server", REMOTE_UNREACHABLE},
    {"Connection closed by", REMOTE_UNREACHABLE},
    {"Connection reset by", REMOTE_UNREACHABLE},
    {"Shared connection to", REMOTE_UNREACHABLE},
    {"Connection to", REMOTE_UNREACHABLE},
    {"Broken pipe", REMOTE_UNREACHABLE},
};

static bool says(const struct str *errors, const char *part)
{
    return errors->data && strstr(errors->data, part);
}

enum remote_outcome remote_classify(int exit_code, const struct str *errors)
{
    if (exit_code != SSH_FAILED) return REMOTE_DONE;
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (says(errors, signs[i].part)) return signs[i].outcome;
    return REMOTE_UNREACHABLE;
}

/* The last line that has something in it, cut to size. */
static void last_line(const struct str *text, char *buffer, size_t size)
{
    const char *line = text->data ? text->data : "", *found = "";
    size_t found_length = 0;
    while (*line) {
        size_t length = strcspn(line, "\r\n");
        if (length) {
            found = line;
            found_length = length;
        }
        line += length;
        line += strspn(line, "\r\n");
    }
    snprintf(buffer, size, "%.*s", (int)(found_length < size ? found_length : size - 1), found);
    for (char *c = buffer; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
}

static void explain_unreachable(const struct remote_command *command, const char *login, char *buffer,
                                size_t size)
{
    char words[128];
    last_line(&command->errors, words, sizeof words);
    if (says(&command->errors, "refused"))
        snprintf(buffer, size, "refuses ssh; on it, run: sudo apt install openssh-server");
    else if (!words[0] || says(&command->errors, "timed out"))
        snprintf(buffer, size, "does not answer within %.0f s; is it on, and on this network?",
                 command->seconds);
    else
        snprintf(buffer, size, "cannot be reached: %s; try: ssh %s", words, login);
}

static void explain_host_key(const struct remote_command *command, char *buffer, size_t size)
{
    const char *host = command->node->host;
    if (says(&command->errors, "HAS CHANGED"))
        snprintf(buffer, size,
                 "has another host key than it had; if it was installed anew, run: ssh-keygen -R %.100s",
                 host);
    else
        snprintf(buffer, size, "its host key is not known yet; run once, and compare: ssh %.100s", host);
}

static void explain_done(const struct remote_command *command, char *buffer, size_t size)
{
    char words[128];
    last_line(&command->errors, words, sizeof words);
    if (command->exit_code == 0)
        snprintf(buffer, size, "fine");
    else
        snprintf(buffer, size, "a command there failed with exit code %d%s%s", command->exit_code,
                 words[0] ? ": " : "", words);
}

void remote_explain(const struct remote_command *command, char *buffer, size_t size)
{
    char login[256];
    const struct node *node = command->node;
    snprintf(login, sizeof login, "%s%s%.100s", node->user ? node->user : "", node->user ? "@" : "",
             node->host);
    switch (command->outcome) {
    case REMOTE_DONE: explain_done(command, buffer, size); return;
    case REMOTE_UNREACHABLE:
        if (remote_uses_ssh(node))
            explain_unreachable(command, login, buffer, size);
        else
            srun_explain(command, buffer, size);
        return;
    case REMOTE_GONE: snprintf(buffer, size, "its Slurm job is over"); return;
    case REMOTE_UNKNOWN_HOST:
        snprintf(buffer, size,
                 "no machine named %.100s is known here; write its address as host, or add it to /etc/hosts",
                 node->host);
        return;
    case REMOTE_HOST_KEY: explain_host_key(command, buffer, size); return;
    case REMOTE_NOT_PERMITTED:
        snprintf(buffer, size, "does not accept your ssh key; run: ssh-copy-id %s", login);
        return;
    case REMOTE_TIMED_OUT:
        snprintf(buffer, size, "a command there did not end within %.0f s; it hangs, or the link to it does",
                 command->seconds);
        return;
    case REMOTE_CANCELLED: snprintf(buffer, size, "a command there was cancelled"); return;
    }
}
