#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "cluster/install.h"

const char *program_arch(const char *path)
{
    static const struct {
        unsigned machine, bits;
        const char *name;
    } known[] = {{EM_X86_64, ELFCLASS64, "x86_64"},
                 {EM_AARCH64, ELFCLASS64, "aarch64"},
                 {EM_ARM, ELFCLASS32, "armv7l"},
                 {EM_RISCV, ELFCLASS64, "riscv64"}};
    unsigned char header[20]; /* what is the same for 32 and 64 bits */
    FILE *file = fopen(path, "re");
    if (!file) return NULL;
    size_t n = fread(header, 1, sizeof header, file);
    fclose(file);
    if (n < sizeof header || memcmp(header, ELFMAG, SELFMAG) != 0 || header[EI_DATA] != ELFDATA2LSB)
        return NULL;
    unsigned machine = header[18] | (unsigned)header[19] << 8, type = header[16] | (unsigned)header[17] << 8;
    if (type != ET_EXEC && type != ET_DYN) return NULL;
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].machine == machine && known[i].bits == header[EI_CLASS]) return known[i].name;
    return NULL;
}
