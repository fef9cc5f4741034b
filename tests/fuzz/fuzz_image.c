/* fuzz_image.c — pictures in all formats, decoded and resized. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t square[8 * 8 * 3];
    const char *path = fuzz_file(data, size);
    ursa_read_square(path, 8, 3, square);
    ursa_clear_error();
    ursa_read_square(path, 8, 1, square);
    ursa_clear_error();
    return 0;
}
