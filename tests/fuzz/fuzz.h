/* fuzz.h — what the fuzz targets share. Each is one function for libFuzzer: it
 * reads the bytes as a file, and whatever they are, the reader must neither
 * crash nor leak nor take more memory than they can stand for. */
#ifndef URSA_TESTS_FUZZ_H
#define URSA_TESTS_FUZZ_H

#include <ursa/ursa.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes as a file, for readers that take a path; in memory, rewritten each
 * time. */
static inline const char *fuzz_file(const uint8_t *data, size_t size)
{
    static char path[64];
    snprintf(path, sizeof path, "/dev/shm/ursa-fuzz-%ld", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
    return path;
}

#endif
