#include "fuzz_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    fuzz_image(image_decode_jpeg, bytes, n);
    return 0;
}
