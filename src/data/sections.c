#include "data/sections.h"

void section_put(struct section_writer *writer, const void *bytes, size_t length)
{
    outfile_write(writer->file, bytes, length);
    writer->at += length;
}

void section_pad(struct section_writer *writer, size_t at)
{
    static const uint8_t zeros[64];
    section_put(writer, zeros, at - writer->at);
}
