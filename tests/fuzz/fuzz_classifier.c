/* fuzz_classifier.c — the file of a trained network. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_classifier_free(ursa_classifier_load(fuzz_file(data, size)));
    ursa_scope_end(scope);
    ursa_clear_error();
    return 0;
}
