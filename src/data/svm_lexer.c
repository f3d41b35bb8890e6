#include "data/svm_lexer.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

enum { BUFFER_BYTES = 1 << 16, WORD_BYTES_MAX = 400 };

struct svm_lexer {
    struct infile *file;
    uint64_t line;
    bool ended;                    /* the file has no more bytes */
    size_t first, last;            /* what of `buffer` is still to be split */
    char buffer[BUFFER_BYTES + 1]; /* with a terminator at `last` */
};

bramble_status svm_lexer_new(struct svm_lexer **out, struct infile *file, bramble_error *error)
{
    struct svm_lexer *lexer = mem_alloc(1, sizeof *lexer);
    if (!lexer) return error_memory(error, "reading a file");
    lexer->file = file;
    svm_lexer_restart(lexer);
    *out = lexer;
    return BRAMBLE_OK;
}

void svm_lexer_free(struct svm_lexer *lexer)
{
    mem_free(lexer);
}

void svm_lexer_restart(struct svm_lexer *lexer)
{
    lexer->line = 1;
    lexer->ended = false;
    lexer->first = lexer->last = 0;
    lexer->buffer[0] = 0;
}

uint64_t svm_lexer_line(const struct svm_lexer *lexer)
{
    return lexer->line;
}

/* Moves what is left to the front and reads more behind it. */
static bool refill(struct svm_lexer *lexer, bramble_error *error)
{
    size_t left = lexer->last - lexer->first;
    memmove(lexer->buffer, lexer->buffer + lexer->first, left);
    ptrdiff_t got = infile_read(lexer->file, lexer->buffer + left, BUFFER_BYTES - left, error);
    lexer->first = 0;
    lexer->last = left + (got > 0 ? (size_t)got : 0);
    lexer->buffer[lexer->last] = 0;
    lexer->ended = got == 0;
    return got >= 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* To the next word, line end or, with first == last, the end; over blanks and comments. */
static bool skip(struct svm_lexer *lexer, bramble_error *error)
{
    bool comment = false;
    for (;;) {
        while (lexer->first < lexer->last) {
            char c = lexer->buffer[lexer->first];
            comment |= c == '#';
            if (c == '\n' || !(comment || is_blank(c))) return true;
            lexer->first++;
        }
        if (lexer->ended) return true;
        if (!refill(lexer, error)) return false;
    }
}

static size_t word_length(const struct svm_lexer *lexer)
{
    size_t at = lexer->first;
    for (; at < lexer->last; at++) {
        char c = lexer->buffer[at];
        if (c == '\n' || c == '#' || is_blank(c)) break;
    }
    return at - lexer->first;
}

enum svm_token svm_lexer_next(struct svm_lexer *lexer, const char **word, size_t *length,
                              bramble_error *error)
{
    if (!skip(lexer, error)) return SVM_FAILED;
    if (lexer->first == lexer->last) return SVM_END;
    if (lexer->buffer[lexer->first] == '\n') {
        lexer->first++;
        lexer->line++;
        return SVM_LINE;
    }
    *length = word_length(lexer);
    while (lexer->first + *length == lexer->last && !lexer->ended && *length <= WORD_BYTES_MAX) {
        if (!refill(lexer, error)) return SVM_FAILED;
        *length = word_length(lexer);
    }
    if (*length > WORD_BYTES_MAX) {
        error_set(error, BRAMBLE_ERR_DATA,
                  "%s: line %" PRIu64 ": a word of more than %d bytes; check that this is a libsvm file",
                  infile_path(lexer->file), lexer->line, WORD_BYTES_MAX);
        return SVM_FAILED;
    }
    *word = lexer->buffer + lexer->first;
    lexer->first += *length;
    return SVM_WORD;
}
