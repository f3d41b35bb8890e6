/* A node's report as JSON and back. The table below is the format (docs/formats.md). */
#include "cluster/node_report_json.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { JSON_BYTES_MAX = 1 << 16 };

enum kind { TEXT, COUNT, CORES, NUMBER, NEW_NUMBER /* that earlier records lack */, SWITCH };

#define AT(field) offsetof(struct node_report, field)
#define TEXT_AT(field) TEXT, AT(field), sizeof((struct node_report *)0)->field

static const struct entry {
    const char *key;
    enum kind kind;
    size_t offset, size; /* size: of a text's room */
} entries[] = {
    {"arch", TEXT_AT(arch)},
    {"system", TEXT_AT(system)},
    {"model", TEXT_AT(model)},
    {"bramble", TEXT_AT(version)},
    {"mpi", TEXT_AT(mpi)},
    {"kernels", TEXT_AT(kernels)},
    {"mpi_daemon", SWITCH, AT(mpi_daemon), 0},
    {"cores", CORES, AT(cores), 0},
    {"memory_bytes", COUNT, AT(memory_bytes), 0},
    {"memory_free_bytes", COUNT, AT(memory_free_bytes), 0},
    {"disk_free_bytes", COUNT, AT(disk_free_bytes), 0},
    {"clock_seconds", NUMBER, AT(clock_seconds), 0},
    {"clock_offset_seconds", NUMBER, AT(clock_offset_seconds), 0},
    {"under_voltage", SWITCH, AT(under_voltage), 0},
    {"throttled", SWITCH, AT(throttled), 0},
    {"temperature", NUMBER, AT(temperature), 0},
    {"core_rate", NEW_NUMBER, AT(core_rate), 0},
    {"core_limit", NEW_NUMBER, AT(core_limit), 0},
    {"tree_rate", NUMBER, AT(tree_rate), 0},
    {"gemm_gflops", NUMBER, AT(gemm_gflops), 0},
    {"bandwidth_mbs", NUMBER, AT(bandwidth_mbs), 0},
    {"latency_ms", NUMBER, AT(latency_ms), 0},
};
enum { N_ENTRIES = sizeof entries / sizeof *entries };

json_t *json_from_any_text(const char *text)
{
    json_t *value = json_string(text);
    if (value) return value;
    char *copy = mem_strdup(text);
    if (!copy) return NULL;
    for (size_t n, i = 0; copy[i]; i += n) {
        uint32_t code;
        n = utf8_decode(copy + i, strnlen(copy + i, 4), &code);
        if (code == UTF8_REPLACEMENT && n == 1) copy[i] = '?';
    }
    value = json_string(copy);
    mem_free(copy);
    return value;
}

static json_t *value_json(const struct node_report *report, const struct entry *entry)
{
    const char *at = (const char *)report + entry->offset;
    double number;
    switch (entry->kind) {
    case TEXT: return json_from_any_text(at);
    case COUNT: return json_integer((json_int_t) * (const uint64_t *)(const void *)at);
    case CORES: return json_integer(*(const uint32_t *)(const void *)at);
    case SWITCH: return json_boolean(*(const bool *)(const void *)at);
    case NUMBER:
    case NEW_NUMBER:
        number = *(const double *)(const void *)at;
        return isfinite(number) ? json_real(number) : json_null();
    }
    return NULL;
}

static int append(const char *bytes, size_t length, void *context)
{
    struct str *text = context;
    str_append(text, bytes, length);
    return text->failed ? -1 : 0;
}

char *json_to_line(json_t *object)
{
    struct str text = {0};
    text.failed = !object;
    if (object && json_dump_callback(object, append, &text, JSON_COMPACT | JSON_REAL_PRECISION(16)) != 0)
        text.failed = true;
    json_decref(object);
    return str_take(&text);
}

json_t *node_report_pack(const struct node_report *report)
{
    json_t *object = json_object();
    bool failed = !object || json_object_set_new(object, "program", json_from_any_text(report->program)) != 0;
    for (unsigned i = 0; i < N_ENTRIES && !failed; i++)
        failed = json_object_set_new(object, entries[i].key, value_json(report, &entries[i])) != 0;
    if (!failed) return object;
    json_decref(object);
    return NULL;
}

char *node_report_to_json(const struct node_report *report)
{
    return json_to_line(node_report_pack(report));
}

/* Printable, and of a size that fits. */
static bool take_text(char *out, size_t size, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t length = json_string_length(value);
    if (!text || length >= size) return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) return false;
    memcpy(out, text, length + 1);
    return true;
}

static bool take_value(struct node_report *report, const struct entry *entry, const json_t *value)
{
    char *at = (char *)report + entry->offset;
    json_int_t n = json_integer_value(value);
    switch (entry->kind) {
    case TEXT: return take_text(at, entry->size, value);
    case COUNT: *(uint64_t *)(void *)at = (uint64_t)n; return json_is_integer(value) && n >= 0;
    case CORES: *(uint32_t *)(void *)at = (uint32_t)n; return json_is_integer(value) && n >= 1 && n <= 65536;
    case SWITCH: *(bool *)(void *)at = json_is_true(value); return json_is_boolean(value);
    case NUMBER:
    case NEW_NUMBER:
        *(double *)(void *)at = json_is_number(value) ? json_number_value(value) : NAN;
        return json_is_number(value) || json_is_null(value) || (!value && entry->kind == NEW_NUMBER);
    }
    return false;
}

static bool take_program(struct node_report *report, const json_t *value)
{
    char path[4096];
    if (!take_text(path, sizeof path, value)) return false;
    report->program = mem_strdup(path);
    return report->program != NULL;
}

bool node_report_unpack(struct node_report *report, const json_t *object)
{
    struct node_report found = {0};
    bool fine = json_is_object(object);
    for (unsigned i = 0; i < N_ENTRIES && fine; i++)
        fine = take_value(&found, &entries[i], json_object_get(object, entries[i].key));
    fine = fine && take_program(&found, json_object_get(object, "program"));
    if (fine) *report = found;
    return fine;
}

bool node_report_from_json(struct node_report *report, const char *text, size_t length)
{
    if (length > JSON_BYTES_MAX) return false;
    json_t *object = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, NULL);
    bool fine = node_report_unpack(report, object);
    json_decref(object);
    return fine;
}
