/* fuzz_model.c — the file of a trained model. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ursa_scope *scope = ursa_scope_begin();
    ursa_learner_free(ursa_load_learner(fuzz_file(data, size)));
    ursa_scope_end(scope);
    ursa_clear_error();
    return 0;
}
