/* fuzz_safetensors.c — the header of a safetensors file, and what it hands out. */
#include "fuzz.h"

/* Whatever is read goes here, so that it has to be read. */
static volatile uint8_t seen;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ursa_safetensors *file = ursa_safetensors_parse(data, size, "fuzz");
    for (int i = 0; i < ursa_safetensors_count(file); i++) {
        const ursa_stored_tensor *tensor = ursa_safetensors_at(file, i);
        for (size_t byte = 0; byte < tensor->bytes; byte++)
            seen ^= ((const uint8_t *)tensor->data)[byte];
        seen ^= ursa_safetensors_find(file, tensor->name) != NULL;
    }
    seen ^= ursa_safetensors_metadata(file, "format") != NULL;
    ursa_safetensors_close(file);
    ursa_clear_error();
    return 0;
}
