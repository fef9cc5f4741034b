/* fuzz_idx.c — IDX files, gzipped or not. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ursa_idx idx;
    if (ursa_read_idx(fuzz_file(data, size), &idx))
        free(idx.data);
    ursa_clear_error();
    return 0;
}
