#include "train/int8.h"

#include <math.h>
#include <string.h>

/* A block: its scale, and a byte for each number. */
enum { BLOCK = 256, LARGEST = 127 };

static size_t block_at(size_t n, size_t first)
{
    return n - first < BLOCK ? n - first : BLOCK;
}

size_t int8_bytes(size_t n)
{
    return n + (n + BLOCK - 1) / BLOCK * sizeof(float);
}

static float largest(const float *numbers, const float *lost, size_t n)
{
    float most = 0;
    for (size_t i = 0; i < n; i++) {
        float size = fabsf(numbers[i] + lost[i]);
        if (!(size <= most)) most = size; /* also when it is no number */
        if (isnan(most)) break;
    }
    return most;
}

void int8_pack(uint8_t *out, const float *numbers, float *lost, size_t n)
{
    for (size_t first = 0; first < n; first += BLOCK, numbers += BLOCK, lost += BLOCK) {
        size_t here = block_at(n, first);
        float most = largest(numbers, lost, here), scale = most / LARGEST;
        bool finite = isfinite(most);
        memcpy(out, &scale, sizeof scale);
        out += sizeof scale;
        for (size_t i = 0; i < here; i++) {
            float number = numbers[i] + lost[i];
            /* Where the scale itself is too small for a float there is nothing to send. */
            int8_t rounded =
                finite && scale > 0 ? (int8_t)fmaxf(-LARGEST, fminf(LARGEST, rintf(number / scale))) : 0;
            lost[i] = finite ? number - (float)rounded * scale : 0;
            memcpy(out++, &rounded, 1);
        }
    }
}

bool int8_unpack(float *numbers, size_t n, const void *bytes, size_t length)
{
    const uint8_t *from = bytes;
    if (length != int8_bytes(n)) return false;
    for (size_t first = 0; first < n; first += BLOCK, numbers += BLOCK) {
        size_t here = block_at(n, first);
        float scale;
        memcpy(&scale, from, sizeof scale);
        from += sizeof scale;
        for (size_t i = 0; i < here; i++) {
            int8_t rounded;
            memcpy(&rounded, from++, 1);
            numbers[i] = isfinite(scale) ? (float)rounded * scale : NAN;
        }
    }
    return true;
}
