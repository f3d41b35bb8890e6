#include "cluster/node_words.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { CORES_MAX = 65536, PORT_MIN = 1024, PORTS_MIN = 16 };

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* Made of letters, digits and `others`, and no option. */
static bool plain_word(const char *text, const char *others)
{
    size_t length = strlen(text);
    if (length == 0 || length > NODE_WORD_MAX || text[0] == '-') return false;
    for (const char *c = text; *c; c++)
        if (!strchr(letters, *c) && !strchr(others, *c)) return false;
    return true;
}

bool node_host_valid(const char *host)
{
    return plain_word(host, ".-_:%");
}

bool node_name_valid(const char *name)
{
    return plain_word(name, ".-_:%") && strcmp(name, "cluster") != 0;
}

bool node_user_valid(const char *user)
{
    return plain_word(user, ".-_$\\");
}

bool node_program_valid(const char *path)
{
    if (path[0] != '/' && strncmp(path, "~/", 2) != 0) return false;
    if (strlen(path) > NODE_WORD_MAX) return false;
    for (const char *c = path; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || *c == ';' || *c == '#') return false;
    return path[strlen(path) - 1] != '/' && !isspace((unsigned char)path[strlen(path) - 1]);
}

bool node_cores_parse(const char *text, uint32_t *cores)
{
    char *end;
    if (strcmp(text, "all") == 0) {
        *cores = 0;
        return true;
    }
    if (!isdigit((unsigned char)text[0])) return false;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || n == 0 || n > CORES_MAX) return false;
    *cores = (uint32_t)n;
    return true;
}

static const struct unit {
    const char *name;
    double bytes;
} units[] = {
    {"TB", 1e12},    {"GB", 1e9},     {"MB", 1e6},     {"KB", 1e3},  {"TiB", 0x1p40},
    {"GiB", 0x1p30}, {"MiB", 0x1p20}, {"KiB", 0x1p10}, {"bytes", 1},
};
enum { N_UNITS = sizeof units / sizeof *units };

bool node_memory_parse(const char *text, uint64_t *bytes)
{
    if (!isdigit((unsigned char)text[0])) return false;
    size_t digits = strspn(text, "0123456789.");
    char *end;
    double number = strtod(text, &end);
    if (end != text + digits) return false; /* an exponent, a hexadecimal number, two points */
    end += strspn(end, " ");
    for (unsigned u = 0; u < N_UNITS; u++) {
        if (strcasecmp(end, units[u].name) != 0) continue;
        double value = number * units[u].bytes;
        if (!(value >= 1 && value < 0x1p53)) return false;
        *bytes = (uint64_t)value;
        return true;
    }
    return false;
}

void node_memory_print(struct str *out, uint64_t bytes)
{
    for (unsigned u = 0; u < N_UNITS; u++) {
        uint64_t unit = (uint64_t)units[u].bytes;
        if (bytes % unit == 0) {
            str_printf(out, "%llu %s", (unsigned long long)(bytes / unit), units[u].name);
            return;
        }
    }
}

bool node_switch_parse(const char *text, bool *on)
{
    static const char *const words[] = {"yes", "true", "on", "no", "false", "off"};
    for (unsigned i = 0; i < 6; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *on = i < 3;
            return true;
        }
    return false;
}

bool cluster_ports_parse(const char *text, uint16_t ports[2])
{
    unsigned long n[2];
    const char *at = text;
    for (unsigned i = 0; i < 2; i++) {
        char *end;
        if (!isdigit((unsigned char)*at)) return false;
        n[i] = strtoul(at, &end, 10);
        at = end + strspn(end, " ");
        if (i == 0 && *at++ != '-') return false;
        at += strspn(at, " ");
    }
    if (*at || n[0] < PORT_MIN || n[1] > UINT16_MAX || n[1] < n[0] || n[1] - n[0] + 1 < PORTS_MIN)
        return false;
    ports[0] = (uint16_t)n[0];
    ports[1] = (uint16_t)n[1];
    return true;
}

bool cluster_network_valid(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof address || !isdigit((unsigned char)slash[1])) return false;
    snprintf(address, sizeof address, "%.*s", (int)(slash - text), text);
    bool six = strchr(address, ':') != NULL;
    char *end;
    unsigned long bits = strtoul(slash + 1, &end, 10);
    return !*end && bits <= (six ? 128 : 32) && inet_pton(six ? AF_INET6 : AF_INET, address, bytes) == 1;
}

bool node_address_split(const char *text, char **user, char **host, bool *short_of_memory)
{
    const char *at = strchr(text, '@');
    *user = NULL;
    *host = NULL;
    *short_of_memory = false;
    const char *name = at ? at + 1 : text;
    if (!node_host_valid(name) || at == text) return false;
    char *login = at ? mem_strndup(text, (size_t)(at - text)) : NULL;
    char *machine = mem_strdup(name);
    bool fine = !at || !login || node_user_valid(login);
    *short_of_memory = !machine || (at && !login);
    if (!fine || *short_of_memory) {
        mem_free(login);
        mem_free(machine);
        return false;
    }
    *user = login;
    *host = machine;
    return true;
}
