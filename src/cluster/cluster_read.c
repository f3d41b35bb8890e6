/* cluster.ini, read: sections with settings (by inih), or a plain list of hosts. */
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cluster/cluster_read.h"
#include "cluster/node_words.h"
#include "cluster/slurm.h"

enum { FILE_MAX = 1 << 20, LINE_MAX_BYTES = 180 }; /* inih cuts lines of 200 and more */

static const char node_keys[] = "host, user, cores, memory, program or local";
static const char cluster_keys[] = "network, ports or local";

/* A node while its section is read. */
struct draft {
    char *name, *host, *user, *program, *cores, *memory, *local;
    unsigned line; /* of the section's head */
};

struct reading {
    struct cluster *cluster;
    const char *path, *text; /* text: what is left to read */
    unsigned line;           /* the one that was read last */
    bool in_cluster, in_node;
    bool network, ports; /* given already */
    int local;           /* of [cluster]: yes, no, or -1 */
    struct draft draft;  /* of the section at hand */
    bramble_status status;
    bramble_error *error;
};

static void draft_fini(struct draft *draft)
{
    char *const texts[] = {draft->name,  draft->host,   draft->user, draft->program,
                           draft->cores, draft->memory, draft->local};
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) mem_free(texts[i]);
    *draft = (struct draft){0};
}

/* The first failure stays; 0 so that inih takes it as a failure too. */
static int fail(struct reading *r, bramble_status status, const char *message, const char *value)
{
    if (!r->status)
        r->status =
            error_set(r->error, status, "%s: line %u: \"%.80s\": %s", r->path, r->line, value, message);
    return 0;
}

static int fail_memory(struct reading *r)
{
    if (!r->status) r->status = error_memory(r->error, "the list of nodes");
    return 0;
}

/* The words of a draft as a node; texts stay the draft's. */
static bool understand(struct reading *r, struct node *node, char **host, char **user)
{
    struct draft *d = &r->draft;
    const char *address = d->host ? d->host : d->name;
    bool short_of_memory, local = false;
    r->line = d->line;
    if (!node_address_split(address, user, host, &short_of_memory)) {
        if (short_of_memory) fail_memory(r);
        fail(r, BRAMBLE_ERR_DATA, "no host; write host = a name or an address", address);
        return false;
    }
    *node = (struct node){.name = d->name, .host = *host, .user = d->user ? d->user : *user};
    node->program = d->program;
    if (d->cores && !node_cores_parse(d->cores, &node->cores))
        return fail(r, BRAMBLE_ERR_DATA, "write cores = a whole number above 0, or all", d->cores);
    if (d->memory && !node_memory_parse(d->memory, &node->memory_bytes))
        return fail(r, BRAMBLE_ERR_DATA, "write memory = a number and its unit, such as 2 GB or 512 MB",
                    d->memory);
    if (d->local && !node_switch_parse(d->local, &local))
        return fail(r, BRAMBLE_ERR_DATA, "write local = yes or local = no", d->local);
    node->local = d->local ? local : host_is_own(*host);
    return true;
}

/* Takes the section that ends here into the cluster. */
static void finish_section(struct reading *r)
{
    char where[512], *host = NULL, *user = NULL;
    struct node node;
    unsigned line = r->line;
    if (r->in_node && !r->status && understand(r, &node, &host, &user)) {
        snprintf(where, sizeof where, "%.400s: line %u", r->path, r->draft.line);
        r->status = cluster_append_from(r->cluster, &node, where, r->error);
    }
    mem_free(host);
    mem_free(user);
    draft_fini(&r->draft);
    r->line = line;
    r->in_node = r->in_cluster = false;
}

static void begin_section(struct reading *r, const char *line)
{
    const char *end = strchr(line, ']');
    finish_section(r);
    if (!end || end[1]) {
        fail(r, BRAMBLE_ERR_DATA, "a section is written [NAME], alone on its line", line);
        return;
    }
    r->draft.line = r->line;
    r->draft.name = mem_strndup(line + 1, (size_t)(end - line - 1));
    if (!r->draft.name) {
        fail_memory(r);
        return;
    }
    r->in_cluster = strcmp(r->draft.name, "cluster") == 0;
    r->in_node = !r->in_cluster;
    if (r->in_node && !node_name_valid(r->draft.name))
        fail(r, BRAMBLE_ERR_DATA, "a node's name is made of letters, digits, '-', '_' and '.'",
             r->draft.name);
}

static int set_node_key(struct reading *r, const char *key, const char *value)
{
    struct draft *d = &r->draft;
    const struct {
        const char *key;
        char **text;
    } keys[] = {{"host", &d->host},     {"user", &d->user},       {"cores", &d->cores},
                {"memory", &d->memory}, {"program", &d->program}, {"local", &d->local}};
    for (unsigned i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(key, keys[i].key) != 0) continue;
        if (*keys[i].text) return fail(r, BRAMBLE_ERR_DATA, "given twice in this section; keep one", key);
        if (!*value) return fail(r, BRAMBLE_ERR_DATA, "has no value; write one or take the line out", key);
        *keys[i].text = mem_strdup(value);
        return *keys[i].text ? 1 : fail_memory(r);
    }
    char message[128];
    snprintf(message, sizeof message, "not a node's setting; write %s", node_keys);
    return fail(r, BRAMBLE_ERR_DATA, message, key);
}

static int set_ports(struct reading *r, const char *value)
{
    uint16_t ports[2];
    if (r->ports) return fail(r, BRAMBLE_ERR_DATA, "given twice; keep one", "ports");
    if (!cluster_ports_parse(value, ports))
        return fail(r, BRAMBLE_ERR_DATA,
                    "write ports = FIRST-LAST, at least 16 between 1024 and 65535, such as 46000-46999",
                    value);
    r->ports = true;
    r->cluster->port_low = ports[0];
    r->cluster->port_high = ports[1];
    return 1;
}

static int set_network(struct reading *r, const char *value)
{
    if (r->network) return fail(r, BRAMBLE_ERR_DATA, "given twice; keep one", "network");
    if (!cluster_network_valid(value))
        return fail(r, BRAMBLE_ERR_DATA, "write network = ADDRESS/BITS, such as 192.168.1.0/24", value);
    r->network = true;
    r->cluster->network = mem_strdup(value);
    return r->cluster->network ? 1 : fail_memory(r);
}

static int set_local(struct reading *r, const char *value)
{
    bool local;
    if (r->local >= 0) return fail(r, BRAMBLE_ERR_DATA, "given twice; keep one", "local");
    if (!node_switch_parse(value, &local))
        return fail(r, BRAMBLE_ERR_DATA, "write local = yes or local = no", value);
    r->local = local;
    return 1;
}

static int set_cluster_key(struct reading *r, const char *key, const char *value)
{
    if (strcmp(key, "network") == 0) return set_network(r, value);
    if (strcmp(key, "ports") == 0) return set_ports(r, value);
    if (strcmp(key, "local") == 0) return set_local(r, value);
    char message[128];
    snprintf(message, sizeof message, "not a setting of [cluster]; write %s", cluster_keys);
    return fail(r, BRAMBLE_ERR_DATA, message, key);
}

/* inih has found NAME = VALUE. */
static int take_value(void *context, const char *section, const char *key, const char *value)
{
    struct reading *r = context;
    (void)section; /* inih keeps the first 50 letters; begin_section has all */
    if (r->status) return 0;
    if (r->in_cluster) return set_cluster_key(r, key, value);
    if (r->in_node) return set_node_key(r, key, value);
    return fail(r, BRAMBLE_ERR_DATA, "stands before any section; write [NAME] above it", key);
}

/* Without its comment and the blanks around it. */
static size_t trim(const char **line, size_t length)
{
    const char *text = *line;
    for (size_t i = 0; i < length; i++)
        if ((text[i] == '#' || text[i] == ';') && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t'))
            length = i;
    while (length && strchr(" \t\r", text[length - 1])) length--;
    while (length && strchr(" \t", *text)) {
        text++;
        length--;
    }
    *line = text;
    return length;
}

/* The next line, trimmed, into buffer; false at the end or after a failure. */
static bool next_line(struct reading *r, char *buffer, size_t size)
{
    if (r->status || !*r->text) return false;
    const char *line = r->text;
    size_t whole = strcspn(line, "\n");
    r->text += whole + (line[whole] == '\n');
    r->line++;
    size_t length = trim(&line, whole);
    if (length >= size || length > LINE_MAX_BYTES) {
        char begin[32];
        snprintf(begin, sizeof begin, "%.20s...", line);
        fail(r, BRAMBLE_ERR_DATA, "the line is longer than 180 bytes; shorten it", begin);
        return false;
    }
    memcpy(buffer, line, length);
    buffer[length] = 0;
    return true;
}

/* inih's way to get a line. */
static char *give_line(char *buffer, int size, void *context)
{
    struct reading *r = context;
    if (!next_line(r, buffer, (size_t)size)) return NULL;
    if (buffer[0] == '[') begin_section(r, buffer);
    if (r->status) return NULL;
    if (buffer[0] && buffer[0] != '[' && !strpbrk(buffer, "=:"))
        fail(r, BRAMBLE_ERR_DATA, "write NAME = VALUE, or a list of hosts alone, without sections", buffer);
    return r->status ? NULL : buffer;
}

static void read_sections(struct reading *r)
{
    int wrong = ini_parse_stream(give_line, r, take_value, r);
    if (wrong && !r->status) fail(r, BRAMBLE_ERR_DATA, "not understood; write NAME = VALUE", "this line");
    finish_section(r);
}

/* One "host" or "user@host" a line. */
static void read_list(struct reading *r)
{
    char line[LINE_MAX_BYTES + 1];
    while (next_line(r, line, sizeof line)) {
        if (!line[0]) continue;
        if (strpbrk(line, " \t,")) {
            fail(r, BRAMBLE_ERR_DATA, "write one host a line, or [sections]", line);
            return;
        }
        const char *host = strchr(line, '@');
        r->draft.line = r->line;
        r->draft.name = mem_strdup(host ? host + 1 : line);
        r->draft.host = mem_strdup(line);
        r->in_node = true;
        if (!r->draft.name || !r->draft.host) fail_memory(r);
        finish_section(r);
    }
}

/* True when some line opens a section or has a setting. */
static bool has_sections(const char *text)
{
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        const char *line = text;
        size_t length = trim(&line, strcspn(line, "\n"));
        if (length && (*line == '[' || memchr(line, '=', length))) return true;
    }
    return false;
}

bramble_status cluster_append_own(struct cluster *cluster, bramble_error *error)
{
    char name[NODE_WORD_MAX + 1], unique[NODE_WORD_MAX + 16], host[] = "localhost";
    own_name(name, sizeof name);
    snprintf(unique, sizeof unique, "%s", name);
    for (size_t i = 0, n = 2; i < cluster->n_nodes; i++)
        if (strcasecmp(cluster->nodes[i].name, unique) == 0) {
            snprintf(unique, sizeof unique, "%.200s-%zu", name, n++);
            i = (size_t)-1; /* look again from the first */
        }
    return cluster_append(cluster, &(struct node){.name = unique, .host = host, .local = true}, error);
}

static bramble_status add_own_machine(struct reading *r)
{
    bool listed = r->cluster->n_nodes && r->cluster->nodes[0].local;
    if (!r->cluster->n_nodes && r->local != 1)
        return error_set(r->error, BRAMBLE_ERR_DATA, "%s: no machine is listed; write one host a line",
                         r->path);
    if (listed || r->local == 0) return BRAMBLE_OK;
    return cluster_append_own(r->cluster, r->error);
}

static bramble_status check_text(const char *path, const char *text, size_t length, bramble_error *error)
{
    unsigned line = 1;
    for (size_t i = 0, n; i < length; i += n) {
        uint32_t code;
        n = utf8_decode(text + i, length - i, &code);
        bool control = code < 0x20 && code != '\n' && code != '\r' && code != '\t';
        if (control || (code == UTF8_REPLACEMENT && n == 1))
            return error_set(error, BRAMBLE_ERR_DATA,
                             "%s: line %u: a byte that is no text; name a cluster file (docs/cluster.md)",
                             path, line);
        line += code == '\n';
    }
    return BRAMBLE_OK;
}

bramble_status cluster_read_text(struct cluster **out, const char *path, const char *text, size_t length,
                                 bramble_error *error)
{
    bramble_status status = check_text(path, text, length, error);
    if (status) return status;
    struct cluster *cluster = mem_zalloc(1, sizeof *cluster);
    char *copy = mem_strndup(text, length);
    if (!cluster || !copy || !(cluster->path = mem_strdup(path))) {
        mem_free(copy);
        cluster_free(cluster);
        return error_memory(error, "the list of nodes");
    }
    struct reading r = {.cluster = cluster, .path = path, .text = copy, .local = -1, .error = error};
    if (strncmp(copy, "\xef\xbb\xbf", 3) == 0) r.text += 3;
    if (has_sections(r.text))
        read_sections(&r);
    else
        read_list(&r);
    if (!r.status) r.status = add_own_machine(&r);
    mem_free(copy);
    if (r.status)
        cluster_free(cluster);
    else
        *out = cluster;
    return r.status;
}

/* Reads at most FILE_MAX bytes. */
static bramble_status load(char **text, size_t *length, const char *path, bramble_error *error)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(error, BRAMBLE_ERR_IO,
                         "%s: cannot open: %s; 'bramble cluster init HOST ...' writes a cluster file", path,
                         strerror(errno));
    char *buffer = mem_alloc(FILE_MAX + 1, 1);
    size_t n = buffer ? fread(buffer, 1, FILE_MAX + 1, file) : 0;
    int reason = ferror(file) ? errno : 0;
    fclose(file);
    if (buffer && !reason && n <= FILE_MAX) {
        *text = buffer;
        *length = n;
        return BRAMBLE_OK;
    }
    mem_free(buffer);
    if (!buffer) return error_memory(error, "the cluster file");
    if (reason) return error_set(error, BRAMBLE_ERR_IO, "%s: cannot read: %s", path, strerror(reason));
    return error_set(error, BRAMBLE_ERR_DATA, "%s: over 1 MB, so no cluster file; name another", path);
}

bramble_status cluster_read(struct cluster **out, const char *path, bramble_error *error)
{
    char *text = NULL;
    size_t length = 0;
    if (strcmp(path, "slurm") == 0) return cluster_from_slurm(out, error);
    bramble_status status = load(&text, &length, path, error);
    if (status) return status;
    status = cluster_read_text(out, path, text, length, error);
    mem_free(text);
    return status;
}
