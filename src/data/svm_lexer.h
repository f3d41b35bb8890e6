/* Words and lines of a libsvm file: splits at blanks, leaves out comments (# to the end of the line). */
#ifndef DATA_SVM_LEXER_H
#define DATA_SVM_LEXER_H

#include "data/infile.h"

enum svm_token { SVM_WORD, SVM_LINE, SVM_END, SVM_FAILED };

struct svm_lexer;

/* *out is the caller's to free; `file` stays the caller's and is read from where it is. */
bramble_status svm_lexer_new(struct svm_lexer **out, struct infile *file, bramble_error *error);
void svm_lexer_free(struct svm_lexer *lexer); /* NULL is fine */

/* Starts over after infile_rewind. */
void svm_lexer_restart(struct svm_lexer *lexer);

/*
 * The next word, end of a line or end of the file (which may lack a last line's end). A word is at most
 * 400 bytes and valid until the next call; a byte that cannot be part of a number follows it in memory.
 */
enum svm_token svm_lexer_next(struct svm_lexer *lexer, const char **word, size_t *length,
                              bramble_error *error);

uint64_t svm_lexer_line(const struct svm_lexer *lexer); /* from 1 */

#endif
