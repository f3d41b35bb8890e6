/*
 * The parts of the CSV reader: bytes, fields, guesses, texts (read_csv.c puts them together).
 *
 * A file is records of fields. Records end with LF, CRLF or CR; empty lines are none. Fields are parted by
 * one of , ; tab | and may be quoted: "a ""b"", c" is one field, whatever it holds. Blanks around a field are
 * not part of it, those inside quotes are. Texts that are not UTF-8 are taken for Latin-1.
 */
#ifndef DATA_CSV_H
#define DATA_CSV_H

#include "base/str.h"
#include "data/infile.h"
#include "data/reader.h"

enum {
    CSV_PADDING = 32,          /* readable bytes behind the last, for number_scan */
    CSV_RECORD_MAX = 128 << 20 /* bytes */
};

/* The part of a file that is in memory: data[begin..end) is unread, data[end] is 0. */
struct csv_buffer {
    struct infile *file;
    char *data;
    size_t capacity, begin, end;
    bool at_end; /* nothing follows; the last record ends in a newline even if the file's does not */
};

bramble_status csv_buffer_init(struct csv_buffer *buffer, struct infile *file, bramble_error *error);
/* Reads on, keeping what is unread; what is unread moves. Not more than CSV_RECORD_MAX: see `full`. */
bramble_status csv_buffer_fill(struct csv_buffer *buffer, bramble_error *error);
/* True when a record is longer than CSV_RECORD_MAX and no more can be read. */
bool csv_buffer_full(const struct csv_buffer *buffer);
/* Back to the first byte behind the byte order mark. */
bramble_status csv_buffer_rewind(struct csv_buffer *buffer, bramble_error *error);
void csv_buffer_fini(struct csv_buffer *buffer);

struct csv_field {
    const char *text;
    size_t length;
    const char *end; /* the delimiter or newline behind it */
    bool quoted;
    bool doubled; /* each quote in `text` stands twice */
};

enum csv_result {
    CSV_FIELD = 0,
    CSV_MORE,  /* the buffer ends before the field does */
    CSV_NUL,   /* a NUL byte: this is no text file */
    CSV_QUOTE, /* something stands between the closing quote and the delimiter */
};

/* The field that begins at p. Bytes up to `limit`, where a 0 stands. */
enum csv_result csv_field_scan(const char *p, const char *limit, char delimiter, struct csv_field *field);
/* Where the next record begins, behind the newline at p. */
const char *csv_newline_skip(const char *p);
static inline bool csv_is_newline(char c)
{
    return c == '\n' || c == '\r';
}
/* The field's text: undoubled and made UTF-8 in `scratch` where that is needed. False: out of memory. */
bool csv_field_text(const struct csv_field *field, struct str *scratch, const char **text, size_t *length);

enum csv_value { CSV_MISSING = 0, CSV_NUMBER, CSV_TEXT };
/* What a field holds; *number is set for CSV_NUMBER. */
enum csv_value csv_field_value(const struct csv_field *field, double *number);

/* What the first records say about the file. */
struct csv_guess {
    char delimiter;
    bool header;
    uint32_t n_columns;
    size_t n_rows, n_bytes; /* records of data looked at, and their size */
    size_t n_first_bytes;   /* size of the first record */
    bool *texts;            /* n_columns: a text stands in this column */
};

/* Looks at the records in `buffer`, which it fills until there are some; n_columns is 0 when there are none
 * that can be read. *guess is the caller's to fini. */
bramble_status csv_guess_init(struct csv_guess *guess, struct csv_buffer *buffer,
                              const bramble_read_options *options, bramble_error *error);
void csv_guess_fini(struct csv_guess *guess);

enum {
    TEXTS_MAX = TEXT16_REST,    /* different texts a column keeps apart */
    TEXTS_BYTES_MAX = 32 << 20, /* and their size */
    TEXTS_FAILED = 0xffffffff   /* out of memory */
};

/* The different texts of a column, numbered as they come. */
struct texts {
    uint32_t n, capacity, n_slots;
    char **list;
    uint32_t *lengths, *hashes;
    uint32_t *slots; /* number + 1 of the text, 0 where free; n_slots is a power of 2 */
    size_t bytes;
};

/* Number of `text`, which is added if it is new; TEXT16_REST when there is no room left for it. O(length). */
uint32_t texts_add(struct texts *texts, const char *text, size_t length);
void texts_fini(struct texts *texts);

/* reader_csv over an open stream, which stays the caller's. */
bramble_status csv_read(struct raw_table *out, struct infile *file, const char *path,
                        const bramble_read_options *options, bramble_error *error);

#endif
