/* write_journals FOLDER: the seeds of fuzz_journal: an empty file, a head alone, whole records, a torn tail
 * and a damaged record. The seeds are committed (fuzz/corpus/journal); this makes them again. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cluster/journal.h"

static void must(bool true_statement)
{
    if (!true_statement) abort();
}

/* A journal of `records` records; `cut` bytes are missing at its end, and byte `flip` (0: none) is wrong. */
static void write_journal(const char *folder, const char *name, uint32_t records, off_t cut, long flip)
{
    char path[4096];
    struct journal *journal;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    must(journal_append_open(&journal, path, "fuzz", NULL) == BRAMBLE_OK);
    for (uint32_t i = 0; i < records; i++)
        must(journal_append(journal, i, "some bytes", 3 * i, NULL) == BRAMBLE_OK);
    journal_close(journal);
    FILE *file = fopen(path, "r+b");
    must(file && fseek(file, 0, SEEK_END) == 0 && ftruncate(fileno(file), ftell(file) - cut) == 0);
    if (flip) must(fseek(file, flip, SEEK_SET) == 0 && fputc('!', file) == '!');
    must(fclose(file) == 0);
}

int main(int argc, char **argv)
{
    must(argc == 2);
    write_journal(argv[1], "empty", 0, 24, 0);
    write_journal(argv[1], "head", 0, 0, 0);
    write_journal(argv[1], "whole", 4, 0, 0);
    write_journal(argv[1], "torn", 4, 5, 0);
    write_journal(argv[1], "damaged", 4, 0, 57);
    return 0;
}
